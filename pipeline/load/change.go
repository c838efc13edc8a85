package load

import (
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// most is how many settings of a key there may be on the web page.
func most(key state.SettingKey) int {
	if key == state.SettingExclude {
		return 1000
	}
	return 100
}

// Change returns a change of what is set on the web page in the form that is stored, if it
// may be made: stored is what is set so far, and the config that of the file alone. What the
// file sets is a LockedError; what is wrong with the value, by the rules of the file, a
// RefusedError.
func (c Config) Change(stored []state.Setting, change state.SettingChange) (state.SettingChange, error) {
	change, err := named(change)
	if err != nil {
		return change, err
	}
	label := change.Setting().Label()
	if where := c.lockedAt(change.Key, change.Name); where != "" {
		return change, &state.LockedError{What: change.Setting().Words(), Where: where}
	}
	if change.Value == nil {
		return change, nil
	}
	rest := slices.DeleteFunc(slices.Clone(stored), func(s state.Setting) bool { return s.Label() == label })
	same := slices.DeleteFunc(slices.Clone(rest), func(s state.Setting) bool { return s.Key != change.Key })
	if len(same) >= most(change.Key) {
		return change, refused("%s has %d entries, which is the most that there can be: remove one", change.Key, len(same))
	}
	next, _ := c.With(append(rest, change.Setting())) // what was wrong before is none of this change
	for _, unused := range next.set.unused {
		if unused.Setting.Label() == label {
			return change, &state.RefusedError{Reasons: unused.Why}
		}
	}
	return change, nil
}

// named brings the name of a change into the form that is stored.
func named(change state.SettingChange) (state.SettingChange, error) {
	change.Name = strings.TrimSpace(change.Name)
	switch {
	case !slices.Contains(state.SettingKeys(), change.Key):
		return change, refused("unknown setting %s: known are profiles, schedule, remind, windows, exclude", show(string(change.Key)))
	case !change.Key.Named() && change.Name != "":
		return change, refused("%s has no name", change.Key)
	case change.Key.Named() && change.Name == "":
		return change, refused("%s: the name is missing", change.Key)
	case change.Key == state.SettingExclude:
		spec, err := state.ParseSpec(change.Name)
		if err == nil {
			err = CheckExclusion(spec)
		}
		if err != nil {
			return change, refused("%s", err)
		}
		change.Name = spec.String()
	}
	return change, nil
}

func refused(format string, args ...any) error {
	return &state.RefusedError{Reasons: []string{fmt.Sprintf(format, args...)}}
}
