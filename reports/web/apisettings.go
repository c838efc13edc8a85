package web

import (
	"encoding/json"
	"net/http"

	"ownmap/pipeline/state"
)

// heldJSON is what every setting has beside its value.
type heldJSON struct {
	Source  string `json:"source"`
	Locked  bool   `json:"locked"`  // by the file
	Version int64  `json:"version"` // to be sent with a change; 0: nothing is set on the page
}

func heldJSONOf(h state.Held) heldJSON {
	return heldJSON{h.Source.String(), h.Source.Locked(), h.Version}
}

type profileOutJSON struct {
	Name string `json:"name"`
	profileJSON
	BuiltIn bool `json:"built_in"`
	Targets int  `json:"targets"` // scanned with it
	heldJSON
}

type scheduleJSON struct {
	Words      string    `json:"words"` // empty: something else calls `ownmap run`
	Zone       string    `json:"zone"`
	Next       []*string `json:"next"`
	Unattended bool      `json:"unattended"` // no process looks after it
	heldJSON
}

type remindJSON struct {
	Words []string `json:"words"`
	heldJSON
}

type windowOutJSON struct {
	Name   string   `json:"name"`
	When   string   `json:"when"`
	For    string   `json:"for"`
	Quiet  bool     `json:"quiet"`
	Tags   []string `json:"tags"`
	Owners []string `json:"owners"`
	Hosts  []string `json:"hosts"`
	heldJSON
}

type excludeJSON struct {
	Exclude string `json:"exclude"`
	Reason  string `json:"reason"`
	heldJSON
}

type unusedJSON struct {
	Setting string   `json:"setting"`
	By      string   `json:"by"`
	Why     []string `json:"why"`
}

// settingsJSON is everything that can be set on the page, as it is in force.
type settingsJSON struct {
	Profiles []profileOutJSON `json:"profiles"`
	Schedule scheduleJSON     `json:"schedule"`
	Remind   remindJSON       `json:"remind"`
	Windows  []windowOutJSON  `json:"windows"`
	Exclude  []excludeJSON    `json:"exclude"`
	Unused   []unusedJSON     `json:"unused"`
}

// apiSettings answers with all settings.
func (s *server) apiSettings(w http.ResponseWriter, r *http.Request) error {
	set, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	next, err := s.Desk.NextRun(r.Context())
	if err != nil {
		return err
	}
	j := settingsJSON{
		Schedule: scheduleJSON{Words: set.Schedule.Words, Zone: set.Schedule.Zone, Next: []*string{}, Unattended: next.Unattended, heldJSON: heldJSONOf(set.Schedule.Held)},
		Remind:   remindJSON{append([]string{}, set.Remind.Words...), heldJSONOf(set.Remind.Held)},
		Profiles: []profileOutJSON{}, Windows: []windowOutJSON{}, Exclude: []excludeJSON{}, Unused: []unusedJSON{},
	}
	if set.Schedule.Words != "" {
		times, err := s.Desk.Upcoming(set.Schedule.Words)
		if err != nil {
			return err
		}
		for _, at := range times {
			j.Schedule.Next = append(j.Schedule.Next, machineTime(&at))
		}
	}
	for _, p := range set.Profiles {
		j.Profiles = append(j.Profiles, profileOutJSON{
			p.Name, profileJSON{p.Ports, p.UDP, p.Services, p.Timing, p.VersionIntensity, append([]string{}, p.Scripts...)}, p.BuiltIn, p.Used, heldJSONOf(p.Held),
		})
	}
	for _, o := range set.Windows {
		j.Windows = append(j.Windows, windowOutJSON{
			o.Name, o.When, o.For, o.Quiet, append([]string{}, o.Tags...), append([]string{}, o.Owners...), append([]string{}, o.Hosts...), heldJSONOf(o.Held),
		})
	}
	for _, e := range set.Exclude {
		j.Exclude = append(j.Exclude, excludeJSON{e.Spec.String(), e.Reason, heldJSONOf(e.Held)})
	}
	for _, u := range set.Unused {
		j.Unused = append(j.Unused, unusedJSON{u.Setting.Label(), u.Setting.By, u.Why})
	}
	s.writeJSON(w, http.StatusOK, j)
	return nil
}

// apiSet makes one change to what is set, in the version that was seen, and answers with all
// settings.
func (s *server) apiSet(w http.ResponseWriter, r *http.Request) error {
	var j struct {
		Key     string          `json:"key"`
		Name    string          `json:"name"`
		Value   json.RawMessage `json:"value"` // null: to be set no more
		Version int64           `json:"version"`
	}
	if err := readJSON(r, &j); err != nil {
		return err
	}
	change := state.SettingChange{Key: state.SettingKey(j.Key), Name: j.Name, Version: j.Version, By: identity(r).Actor()}
	if len(j.Value) > 0 && string(j.Value) != "null" {
		change.Value = j.Value
	}
	if err := s.Desk.Set(r.Context(), change); err != nil {
		return err
	}
	return s.apiSettings(w, r)
}
