package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// windowView is the page of a window of maintenance or of quiet hours, or of a new one.
type windowView struct {
	state.WindowSetting

	New                                bool
	TypedTags, TypedOwners, TypedHosts string // typed, with spaces between them
	Faults                             []string
}

func (v windowView) title() string {
	if v.New {
		return "New window"
	}
	return "Window " + v.Name
}
func (windowView) section() string { return "Settings" }

// window answers with the page of the window that the address names, or of a new one.
func (s *server) window(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("name")
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	view := windowView{WindowSetting: state.WindowSetting{For: "4h"}, New: true}
	if name != "" {
		i := slices.IndexFunc(settings.Windows, func(p state.WindowSetting) bool { return p.Name == name && p.Version != 0 })
		if i < 0 {
			return &fault{Status: http.StatusNotFound, Text: "There is no such window that was set here.", Hint: "The page of settings has those that there are."}
		}
		view = windowView{WindowSetting: settings.Windows[i]}
	}
	view.TypedTags, view.TypedOwners, view.TypedHosts = strings.Join(view.Tags, " "), strings.Join(view.Owners, " "), strings.Join(view.Hosts, " ")
	return s.show(w, r, http.StatusOK, "window", view)
}

// windowJSON is a window as it is stored, with the keys of ownmap.yaml.
type windowJSON struct {
	When   string   `json:"when"`
	For    string   `json:"for"`
	Quiet  bool     `json:"quiet"`
	Tags   []string `json:"tags,omitempty"`
	Owners []string `json:"owners,omitempty"`
	Hosts  []string `json:"hosts,omitempty"`
}

// setWindow keeps a window.
func (s *server) setWindow(w http.ResponseWriter, r *http.Request) error {
	view := windowView{New: r.PostFormValue("new") == "1"}
	for _, read := range []struct {
		name  string
		limit int
		into  *string
	}{
		{"name", 80, &view.Name},
		{"when", 200, &view.When},
		{"for", 20, &view.For},
		{"tags", 2200, &view.TypedTags},
		{"owners", 4000, &view.TypedOwners},
		{"hosts", 4000, &view.TypedHosts},
	} {
		text, err := field(r, read.name, read.limit)
		if err != nil {
			return err
		}
		*read.into = text
	}
	view.Quiet = r.PostFormValue("kind") == "quiet"
	faults, status, err := s.set(r, state.SettingWindow, view.Name, windowJSON{
		view.When, view.For, view.Quiet, typedWords(view.TypedTags), typedWords(view.TypedOwners), typedWords(view.TypedHosts),
	})
	switch {
	case err != nil:
		return err
	case len(faults) == 0:
		return s.done(w, r, "/settings#windows", "Window "+view.Name+" is set.")
	}
	view.Faults = faults
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	for _, p := range settings.Windows {
		if p.Name == view.Name {
			view.Held = p.Held
		}
	}
	return s.show(w, r, status, "window", view)
}

// askRemoveWindow asks whether a window is to be taken away.
func (s *server) askRemoveWindow(w http.ResponseWriter, r *http.Request) error {
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(settings.Windows, func(p state.WindowSetting) bool { return p.Name == r.URL.Query().Get("name") && p.Version != 0 })
	if i < 0 {
		return missing("There is no such window that was set here.")
	}
	p := settings.Windows[i]
	text := "Changes in it are alerted again."
	if p.Quiet {
		text = "Messages do not wait for its end any more."
	}
	return s.show(w, r, http.StatusOK, "confirm", confirmView{
		Title: "Take window " + p.Name + " away?", Text: text, Section: "Settings", Action: "/settings/window/remove",
		Fields: []hidden{{"name", p.Name}, {"version", strconv.FormatInt(p.Version, 10)}}, Button: "Take it away", Back: "/settings#windows",
	})
}

// removeWindow takes a window away.
func (s *server) removeWindow(w http.ResponseWriter, r *http.Request) error {
	return s.removeSetting(w, r, state.SettingWindow, "/settings#windows", "Window %s is not set any more.")
}
