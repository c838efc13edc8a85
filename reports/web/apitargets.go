package web

import (
	"net/http"

	"ownmap/pipeline/state"
)

// targetSSHJSON is what a target says of looking inside.
type targetSSHJSON struct {
	Look string `json:"look"` // on, off; empty: as the config says
	User string `json:"user"` // empty: as the config says
	Port uint16 `json:"port"` // 0: as the config says
}

// targetInJSON is a target as a program sends it.
type targetInJSON struct {
	Target  string        `json:"target"` // address, prefix, range or DNS name
	Tags    []string      `json:"tags"`
	Owner   string        `json:"owner"`
	Profile string        `json:"profile"`
	Vantage string        `json:"vantage"` // empty: local
	Exclude []string      `json:"exclude"`
	SSH     targetSSHJSON `json:"ssh"`
}

// target returns what was sent in our words; what cannot be read is a state.RefusedError.
func (j targetInJSON) target() (state.Target, error) {
	t := state.Target{
		Tags: j.Tags, Owner: j.Owner, Profile: j.Profile, Vantage: j.Vantage, Origin: state.OriginWeb,
		SSH: state.TargetSSH{Look: state.LookWord(j.SSH.Look), User: j.SSH.User, Port: j.SSH.Port},
	}
	var refused state.RefusedError
	read := func(text string) state.Spec {
		spec, err := state.ParseSpec(text)
		if err != nil {
			refused.Reasons = append(refused.Reasons, err.Error())
		}
		return spec
	}
	t.Spec = read(j.Target)
	for _, text := range j.Exclude {
		t.Exclude = append(t.Exclude, read(text))
	}
	if t.Vantage == "" {
		t.Vantage = state.DefaultVantage
	}
	if len(refused.Reasons) > 0 {
		return t, &refused
	}
	return t, nil
}

// targetOutJSON is a target as it is set, with what is known of its hosts.
type targetOutJSON struct {
	ID       *int64        `json:"id"` // null: of the file
	Target   string        `json:"target"`
	Tags     []string      `json:"tags"`
	Owner    string        `json:"owner"`
	Profile  string        `json:"profile"`
	Vantage  string        `json:"vantage"`
	Exclude  []string      `json:"exclude"`
	SSH      targetSSHJSON `json:"ssh"`
	Origin   string        `json:"origin"`
	Where    *string       `json:"where"` // of the file
	Hosts    int           `json:"hosts"`
	Up       int           `json:"up"`
	Excluded *string       `json:"excluded_by"`
	Shadowed bool          `json:"shadowed"` // the file has the same
}

func targetJSONOf(t state.TargetRow) targetOutJSON {
	j := targetOutJSON{
		Target: t.Spec.String(), Tags: append([]string{}, t.Tags...), Owner: t.Owner, Profile: t.Profile, Vantage: t.Vantage, Exclude: []string{},
		SSH: targetSSHJSON{string(t.SSH.Look), t.SSH.User, t.SSH.Port}, Origin: string(t.Origin), Hosts: t.Hosts, Up: t.Up, Shadowed: t.Shadowed,
	}
	for _, spec := range t.Exclude {
		j.Exclude = append(j.Exclude, spec.String())
	}
	if t.ID != 0 {
		j.ID = &t.ID
	}
	if t.Where != "" {
		j.Where = &t.Where
	}
	if t.Excluded != "" {
		j.Excluded = &t.Excluded
	}
	return j
}

// apiTargets answers with all targets.
func (s *server) apiTargets(w http.ResponseWriter, r *http.Request) error {
	rows, err := s.Desk.Targets(r.Context())
	if err != nil {
		return err
	}
	list := make([]targetOutJSON, len(rows))
	for i, row := range rows {
		list[i] = targetJSONOf(row)
	}
	s.writeJSON(w, http.StatusOK, struct {
		Targets []targetOutJSON `json:"targets"`
	}{list})
	return nil
}

// apiAddTargets adds targets, all or none. One that is there already takes what was sent.
func (s *server) apiAddTargets(w http.ResponseWriter, r *http.Request) error {
	var j struct {
		Targets []targetInJSON `json:"targets"`
	}
	if err := readJSON(r, &j); err != nil {
		return err
	}
	var targets []state.Target
	for _, one := range j.Targets {
		t, err := one.target()
		if err != nil {
			return err
		}
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		return bad("There is no target in it.", "Send targets: a list.")
	}
	added, warnings, err := s.Desk.AddTargets(r.Context(), targets, identity(r).Actor())
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, struct {
		Added    int      `json:"added"`
		Warnings []string `json:"warnings"`
	}{added, append([]string{}, warnings...)})
	return nil
}

// apiChangeTarget puts what was sent in the place of a target.
func (s *server) apiChangeTarget(w http.ResponseWriter, r *http.Request) error {
	id, err := idIn(r, "target")
	if err != nil {
		return err
	}
	var j targetInJSON
	if err := readJSON(r, &j); err != nil {
		return err
	}
	t, err := j.target()
	if err != nil {
		return err
	}
	warnings, err := s.Desk.ChangeTarget(r.Context(), id, t, identity(r).Actor())
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, struct {
		Warnings []string `json:"warnings"`
	}{append([]string{}, warnings...)})
	return nil
}

// apiRemoveTarget removes a target.
func (s *server) apiRemoveTarget(w http.ResponseWriter, r *http.Request) error {
	id, err := idIn(r, "target")
	if err != nil {
		return err
	}
	if err := s.Desk.RemoveTarget(r.Context(), id, identity(r).Actor()); err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, struct {
		Removed int64 `json:"removed"`
	}{id})
	return nil
}

// apiAskTest asks for a test of a target; a worker does it.
func (s *server) apiAskTest(w http.ResponseWriter, r *http.Request) error {
	var j struct {
		Target  string `json:"target"`
		Vantage string `json:"vantage"`
	}
	if err := readJSON(r, &j); err != nil {
		return err
	}
	t, err := targetInJSON{Target: j.Target, Vantage: j.Vantage}.target()
	if err != nil {
		return err
	}
	id, err := s.Desk.AskTest(r.Context(), t.Spec, t.Vantage, identity(r).Actor())
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusAccepted, struct {
		ID int64 `json:"id"`
	}{id})
	return nil
}

// apiTest answers with a test and how far it is.
func (s *server) apiTest(w http.ResponseWriter, r *http.Request) error {
	t, err := s.findTest(r)
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, struct {
		ID      int64            `json:"id"`
		Target  string           `json:"target"`
		Vantage string           `json:"vantage"`
		By      string           `json:"by"`
		AskedAt *string          `json:"asked_at"`
		Done    bool             `json:"done"`
		OK      bool             `json:"ok"`
		Steps   []state.TestStep `json:"steps"`
	}{t.ID, t.Spec, t.Vantage, t.By, machineTime(&t.AskedAt), t.Done(), t.OK(), append([]state.TestStep{}, testView{Test: t}.Steps()...)})
	return nil
}
