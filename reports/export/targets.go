package export

import (
	"io"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// targetJSON is a target as scripts see it.
type targetJSON struct {
	Target  state.Spec      `json:"target"`
	Exclude []state.Spec    `json:"exclude"`
	Tags    []string        `json:"tags"`
	Owner   *string         `json:"owner"`
	Profile *string         `json:"profile"`
	Vantage *string         `json:"vantage"`
	SSH     state.TargetSSH `json:"ssh"` // empty for one of the config, which has more to say
	Origin  string          `json:"origin"`
	Where   *string         `json:"where"`
}

// TargetsJSON writes targets as one array.
func TargetsJSON(w io.Writer, targets []state.Target) error {
	all := make([]targetJSON, 0, len(targets))
	for _, t := range targets {
		all = append(all, targetJSON{
			Target: t.Spec, Exclude: list(t.Exclude), Tags: list(t.Tags), Owner: some(t.Owner), Profile: some(t.Profile),
			Vantage: some(t.Vantage), SSH: t.SSH, Origin: string(t.Origin), Where: some(t.Where),
		})
	}
	return write(w, all)
}

// TargetsCSV writes targets as a table that `ownmap targets import` reads (RFC 4180, with a
// header line). A cell that a spreadsheet could take for a formula begins with an
// apostrophe.
func TargetsCSV(w io.Writer, targets []state.Target) error {
	out := newTable(w)
	out.row("target", "tags", "owner", "profile", "vantage", "exclude", "ssh", "ssh_user", "ssh_port")
	for _, t := range targets {
		port := ""
		if t.SSH.Port != 0 {
			port = strconv.Itoa(int(t.SSH.Port))
		}
		exclude := make([]string, len(t.Exclude))
		for i, spec := range t.Exclude {
			exclude[i] = spec.String()
		}
		out.row(t.Spec.String(), strings.Join(t.Tags, " "), t.Owner, t.Profile, t.Vantage, strings.Join(exclude, " "), string(t.SSH.Look), t.SSH.User, port)
	}
	return out.end()
}
