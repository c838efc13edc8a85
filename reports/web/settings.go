package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// settingsView is the page of how things are scanned and told.
type settingsView struct {
	state.Settings

	Next     state.NextRun
	Times    []time.Time // the next ones by the schedule that is set, or that is tried
	Trying   bool        // the schedule is only tried
	Schedule scheduleForm
	Remind   remindForm
	Presets  []preset
}

func (settingsView) title() string   { return "Settings" }
func (settingsView) section() string { return "Settings" }

// scheduleForm and remindForm are what was typed.
type scheduleForm struct {
	Words  string
	Faults []string
}

type remindForm struct {
	How    string // every-run, never or ages
	Ages   string
	Faults []string
}

// preset is a schedule that many want.
type preset struct{ Label, Words string }

func presets() []preset {
	return []preset{
		{"Every night at 2:00", "0 2 * * *"},
		{"Every night from Monday to Friday at 2:00", "0 2 * * 1-5"},
		{"Every Sunday at 2:00", "0 2 * * 0"},
		{"Every six hours", "0 */6 * * *"},
	}
}

// settings answers with the page. A schedule in its address is tried: the page shows its
// next times, and nothing is changed.
func (s *server) settings(w http.ResponseWriter, r *http.Request) error {
	view := settingsView{}
	if tried := state.OneLine(r.URL.Query().Get("schedule"), 200); tried != "" {
		view.Schedule.Words, view.Trying = tried, true
	}
	return s.showSettings(w, r, http.StatusOK, view)
}

func (s *server) showSettings(w http.ResponseWriter, r *http.Request, status int, view settingsView) error {
	var err error
	if view.Settings, err = s.Desk.Settings(r.Context()); err != nil {
		return err
	}
	if view.Next, err = s.Desk.NextRun(r.Context()); err != nil {
		return err
	}
	view.Presets = presets()
	if !view.Trying && len(view.Schedule.Faults) == 0 {
		view.Schedule.Words = view.Settings.Schedule.Words
	}
	if view.Remind.How == "" {
		view.Remind = remindFormOf(view.Settings.Remind.Words)
	}
	if words := view.Schedule.Words; words != "" {
		times, err := s.Desk.Upcoming(words)
		if err != nil && view.Trying {
			if view.Schedule.Faults, _, err = reasons(err); err != nil {
				return err
			}
		}
		view.Times = times
	}
	return s.show(w, r, status, "settings", view)
}

func remindFormOf(words []string) remindForm {
	if len(words) == 1 && (words[0] == "every-run" || words[0] == "never") {
		return remindForm{How: words[0]}
	}
	return remindForm{How: "ages", Ages: strings.Join(words, " ")}
}

// set makes a change to a setting in the version that whoever sends the form has seen.
// What is wrong with it is returned in words, with the status for the page that shows them;
// the error is what no page can show.
func (s *server) set(r *http.Request, key state.SettingKey, name string, value any) ([]string, int, error) {
	version, err := versionIn(r)
	if err != nil {
		return nil, 0, err
	}
	change := state.SettingChange{Key: key, Name: name, Version: version, By: identity(r).Actor()}
	if value != nil {
		if change.Value, err = json.Marshal(value); err != nil {
			return nil, 0, err
		}
	}
	if err := s.Desk.Set(r.Context(), change); err != nil {
		return reasons(err)
	}
	return nil, 0, nil
}

// setSchedule sets when scans begin; nothing typed is no schedule.
func (s *server) setSchedule(w http.ResponseWriter, r *http.Request) error {
	words, err := field(r, "schedule", 200)
	if err != nil {
		return err
	}
	var value any
	if words != "" {
		value = words
	}
	faults, status, err := s.set(r, state.SettingSchedule, "", value)
	switch {
	case err != nil:
		return err
	case len(faults) > 0:
		return s.showSettings(w, r, status, settingsView{Schedule: scheduleForm{Words: words, Faults: faults}})
	case words == "":
		return s.done(w, r, "/settings", "No schedule is set: scans begin when something calls `ownmap run`.")
	}
	said := "Scans begin by the schedule " + words + "."
	if times, err := s.Desk.Upcoming(words); err == nil && len(times) > 0 {
		said = "Scans begin by the schedule " + words + ", the next one at " + times[0].Format("2006-01-02 15:04 MST") + "."
	}
	return s.done(w, r, "/settings", said)
}

// setRemind sets when unapproved ports are told again.
func (s *server) setRemind(w http.ResponseWriter, r *http.Request) error {
	how, err := field(r, "how", 20)
	if err != nil {
		return err
	}
	ages, err := field(r, "ages", 200)
	if err != nil {
		return err
	}
	words := []string{how}
	if how == "ages" {
		words = typedWords(ages)
	}
	var value any = words
	if how == "default" {
		value = nil
	}
	if len(words) == 0 {
		return s.showSettings(w, r, http.StatusUnprocessableEntity, settingsView{Remind: remindForm{how, ages, []string{"Name ages, like 1d 3d 7d 14d."}}})
	}
	faults, status, err := s.set(r, state.SettingRemind, "", value)
	switch {
	case err != nil:
		return err
	case len(faults) > 0:
		return s.showSettings(w, r, status, settingsView{Remind: remindForm{how, ages, faults}})
	}
	return s.done(w, r, "/settings#remind", "Set: "+remindWords(words)+".")
}

// remindWords says when unapproved ports are told again.
func remindWords(words []string) string {
	switch {
	case slices.Equal(words, []string{"every-run"}), slices.Equal(words, []string{"default"}):
		return "unapproved ports are told with every run"
	case slices.Equal(words, []string{"never"}):
		return "unapproved ports are told with news only"
	}
	return fmt.Sprintf("unapproved ports are told again at ages of %s, and later every week", strings.Join(words, ", "))
}

// RemindWords says when unapproved ports are told again.
func (v settingsView) RemindWords() string { return sentences([]string{remindWords(v.Settings.Remind.Words)}) }
