package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// profileView is the page of a profile, or of a new one.
type profileView struct {
	state.ProfileSetting

	New    bool
	Script string // typed, with spaces between names
	Faults []string
}

func (v profileView) title() string {
	if v.New {
		return "New profile"
	}
	return "Profile " + v.Name
}
func (profileView) section() string { return "Settings" }

// profile answers with the page of the profile that the address names, or of a new one.
func (s *server) profile(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("name")
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	view := profileView{ProfileSetting: state.ProfileSetting{Ports: "top-1000", Services: true, Timing: 4, VersionIntensity: 7}, New: true}
	if name != "" {
		i := slices.IndexFunc(settings.Profiles, func(p state.ProfileSetting) bool { return p.Name == name })
		if i < 0 {
			return &fault{Status: http.StatusNotFound, Text: "There is no such profile (any more).", Hint: "The page of settings has those that there are."}
		}
		view = profileView{ProfileSetting: settings.Profiles[i]}
	}
	view.Script = strings.Join(view.Scripts, " ")
	return s.show(w, r, http.StatusOK, "profile", view)
}

// profileJSON is a profile as it is stored, with the keys of ownmap.yaml.
type profileJSON struct {
	Ports            string   `json:"ports"`
	UDP              string   `json:"udp"`
	Services         bool     `json:"services"`
	Timing           int      `json:"timing"`
	VersionIntensity int      `json:"version_intensity"`
	Scripts          []string `json:"scripts"`
}

// setProfile keeps a profile.
func (s *server) setProfile(w http.ResponseWriter, r *http.Request) error {
	view := profileView{New: r.PostFormValue("new") == "1"}
	for _, read := range []struct {
		name  string
		limit int
		into  *string
	}{{"name", 64, &view.Name}, {"ports", 4000, &view.Ports}, {"udp", 4000, &view.UDP}, {"scripts", 4000, &view.Script}} {
		text, err := field(r, read.name, read.limit)
		if err != nil {
			return err
		}
		*read.into = text
	}
	view.Services, view.Scripts = r.PostFormValue("services") == "1", typedWords(view.Script)
	for name, into := range map[string]*int{"timing": &view.Timing, "version_intensity": &view.VersionIntensity} {
		n, err := strconv.Atoi(r.PostFormValue(name))
		if err != nil {
			return bad("The field "+name+" takes a number.", "")
		}
		*into = n
	}
	faults, status, err := s.set(r, state.SettingProfile, view.Name, profileJSON{view.Ports, view.UDP, view.Services, view.Timing, view.VersionIntensity, view.Scripts})
	switch {
	case err != nil:
		return err
	case len(faults) == 0:
		return s.done(w, r, "/settings#profiles", "Profile "+view.Name+" is set, for the next run.")
	}
	return s.showProfile(w, r, status, view, faults)
}

// showProfile shows what was typed with what is wrong with it, in the version that there is
// now: whoever has read what somebody else did may send it again.
func (s *server) showProfile(w http.ResponseWriter, r *http.Request, status int, view profileView, faults []string) error {
	view.Faults = faults
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	for _, p := range settings.Profiles {
		if p.Name == view.Name {
			view.Held, view.BuiltIn, view.Used = p.Held, p.BuiltIn, p.Used
		}
	}
	return s.show(w, r, status, "profile", view)
}

// askRemoveProfile asks whether a profile is to be taken away.
func (s *server) askRemoveProfile(w http.ResponseWriter, r *http.Request) error {
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(settings.Profiles, func(p state.ProfileSetting) bool { return p.Name == r.URL.Query().Get("name") && p.Version != 0 })
	if i < 0 {
		return missing("There is no such profile that was set here.")
	}
	p := settings.Profiles[i]
	ask := confirmView{
		Title: "Take profile " + p.Name + " away?", Text: "No target is scanned with it.", Section: "Settings", Action: "/settings/profile/remove",
		Fields: []hidden{{"name", p.Name}, {"version", strconv.FormatInt(p.Version, 10)}}, Button: "Take it away", Back: "/settings#profiles",
	}
	switch {
	case p.BuiltIn:
		ask.Title, ask.Text, ask.Button = "Reset profile "+p.Name+"?", fmt.Sprintf("It becomes what it is without a change; %s scanned with it.", uses(p.Used)), "Reset it"
	case p.Used > 0:
		ask.Text = fmt.Sprintf("It is the profile of %s: give them another one first, else it stays.", state.Count(p.Used, "target", "targets"))
	}
	return s.show(w, r, http.StatusOK, "confirm", ask)
}

func uses(n int) string {
	if n == 1 {
		return "1 target is"
	}
	return state.Count(n, "target", "targets") + " are"
}

// removeProfile takes a profile away.
func (s *server) removeProfile(w http.ResponseWriter, r *http.Request) error {
	return s.removeSetting(w, r, state.SettingProfile, "/settings#profiles", "Profile %s is not set here any more.")
}

// removeSetting takes away what the form names.
func (s *server) removeSetting(w http.ResponseWriter, r *http.Request, key state.SettingKey, back, said string) error {
	name, err := field(r, "name", 80)
	if err != nil {
		return err
	}
	version, err := versionIn(r)
	if err != nil {
		return err
	}
	if err := s.Desk.Set(r.Context(), state.SettingChange{Key: key, Name: name, Version: version, By: identity(r).Actor()}); err != nil {
		return err
	}
	return s.done(w, r, back, fmt.Sprintf(said, name))
}
