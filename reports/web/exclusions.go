package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	"ownmap/pipeline/state"
)

// exclude adds an exclusion, or changes why something is excluded.
func (s *server) exclude(w http.ResponseWriter, r *http.Request) error {
	var form excludeForm
	var err error
	if form.Spec, err = field(r, "exclude", 100); err == nil {
		form.Reason, err = field(r, "reason", 80)
	}
	if err != nil {
		return err
	}
	spec, err := state.ParseSpec(form.Spec)
	status := http.StatusUnprocessableEntity
	if err != nil {
		form.Faults = []string{sentences([]string{err.Error()})}
		return s.showTargets(w, r, status, targetsView{Form: targetForm{Vantage: state.DefaultVantage}, Excluded: form})
	}
	value, err := json.Marshal(map[string]string{"reason": form.Reason})
	if err != nil {
		return err
	}
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	change := state.SettingChange{Key: state.SettingExclude, Name: spec.String(), Value: value, By: identity(r).Actor()}
	for _, e := range settings.Exclude {
		if e.Spec == spec {
			change.Version = e.Version
		}
	}
	if err := s.Desk.Set(r.Context(), change); err != nil {
		if form.Faults, status, err = reasons(err); err != nil {
			return err
		}
		return s.showTargets(w, r, status, targetsView{Form: targetForm{Vantage: state.DefaultVantage}, Excluded: form})
	}
	return s.done(w, r, "/targets#exclusions", spec.String()+" is never scanned, from the next run on.")
}

// askInclude asks whether an exclusion is to be taken away: then it may be scanned.
func (s *server) askInclude(w http.ResponseWriter, r *http.Request) error {
	name, version := r.URL.Query().Get("exclude"), r.URL.Query().Get("version")
	return s.show(w, r, http.StatusOK, "confirm", confirmView{
		Title: "Scan " + state.OneLine(name, 100) + " again?", Text: "Without this exclusion the next run scans those of its addresses that targets have.", Section: "Targets",
		Action: "/exclusions/remove", Fields: []hidden{{"exclude", name}, {"version", version}}, Button: "Take the exclusion away", Back: "/targets",
	})
}

// include takes an exclusion away.
func (s *server) include(w http.ResponseWriter, r *http.Request) error {
	name, err := field(r, "exclude", 100)
	if err != nil {
		return err
	}
	version, err := versionIn(r)
	if err != nil {
		return err
	}
	if err := s.Desk.Set(r.Context(), state.SettingChange{Key: state.SettingExclude, Name: name, Version: version, By: identity(r).Actor()}); err != nil {
		return err
	}
	return s.done(w, r, "/targets#exclusions", name+" is not excluded any more.")
}

// versionIn reads the version of a setting that whoever sends a form has seen.
func versionIn(r *http.Request) (int64, error) {
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil || version < 0 {
		return 0, bad("It is not said which version of the setting is meant.", "Open the page again.")
	}
	return version, nil
}
