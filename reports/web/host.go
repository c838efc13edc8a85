package web

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// hostBook is what the page of a host needs besides the API.
type hostBook interface {
	VantagesOf(ctx context.Context, address netip.Addr) ([]string, error)
	AddressOf(ctx context.Context, host int64) (netip.Addr, error)
	Notes(ctx context.Context, address netip.Addr, limit int) ([]state.Note, error)
	AddNote(ctx context.Context, address netip.Addr, text string, by state.Actor) (state.Note, error)
	EndSnooze(ctx context.Context, address netip.Addr, id int64, by state.Actor) (ended bool, err error)
}

// What the page of a host shows of long lists.
const (
	hostPorts     = 500
	hostEvents    = 200
	hostApprovals = 200
	hostNotes     = 50
)

// hostView is the page of one host as one vantage sees it.
type hostView struct {
	piece.MoodView

	ID        string // begins the ids of its elements
	Label     string
	Address   string
	Here      string // its address
	Vantages  []navLink
	Facts     piece.Facts
	Table     portTable
	MorePorts string
	Both      *piece.Both
	Timeline  *piece.Timeline
	Events    template.HTML
	Filter    bool // of the events: there is none here
	MoreEvent string
	Approvals approvalRows
	MoreGiven string
	NotesAt   string // takes notes
	SnoozeAt  string // takes snoozes
	EndAt     string // ends them
	Snoozes   []state.Snooze
	Notes     []state.Note
	MaxNote   int
	Typed     hostTyped
	AuditLink string
}

// hostTyped is what was typed into a form of the page and could not be taken.
type hostTyped struct{ Error, Form, Note, Ports, Until, Reason string }

func (v hostView) title() string { return v.Label }
func (hostView) section() string { return "Hosts" }

// addressIn reads the address in a path.
func addressIn(r *http.Request) (netip.Addr, error) {
	address, err := netip.ParseAddr(r.PathValue("address"))
	if err != nil || address.Zone() != "" {
		return address, missing("There is no such host: the address of one is asked for.")
	}
	return address.Unmap(), nil
}

// host answers with all that is known of a host; by its number it leads to its address.
func (s *server) host(w http.ResponseWriter, r *http.Request) error {
	if id, err := strconv.ParseInt(r.PathValue("address"), 10, 64); err == nil {
		address, err := s.Book.AddressOf(r.Context(), id)
		if err != nil {
			return err
		}
		if !address.IsValid() {
			return missing("There is no such host.")
		}
		http.Redirect(w, r, s.base+hostAddress(address, ""), http.StatusFound)
		return nil
	}
	return s.showHost(w, r, http.StatusOK, hostTyped{})
}

func (s *server) showHost(w http.ResponseWriter, r *http.Request, status int, typed hostTyped) error {
	address, err := addressIn(r)
	if err != nil {
		return err
	}
	ctx, vantage := r.Context(), r.URL.Query().Get("vantage")
	vantages, err := s.Book.VantagesOf(ctx, address)
	if err != nil {
		return err
	}
	if len(vantages) == 0 || vantage != "" && !slices.Contains(vantages, vantage) {
		return missing("No host of that address is known" + seenFrom(vantage) + ".")
	}
	h, err := s.Book.HistoryOf(ctx, address, vantage)
	if err != nil {
		return err
	}
	notes, err := s.Book.Notes(ctx, address, hostNotes)
	if err != nil {
		return err
	}
	snoozes, err := s.Book.Snoozes(ctx)
	if err != nil {
		return err
	}
	snoozes = slices.DeleteFunc(snoozes, func(z state.Snooze) bool { return z.Address != address })
	v := s.hostViewOf(h, snoozes, identity(r).Role.May(state.Admin))
	v.Notes, v.Typed = notes, typed
	if len(vantages) > 1 {
		for _, name := range vantages {
			v.Vantages = append(v.Vantages, navLink{Label: name, Link: hostAddress(address, name), Here: name == h.Vantage})
		}
	}
	return s.show(w, r, status, "host", v)
}

func seenFrom(vantage string) string {
	if vantage == "" {
		return ""
	}
	return " from " + state.OneLine(vantage, 60)
}

func (s *server) hostViewOf(h state.HostHistory, snoozes []state.Snooze, admin bool) hostView {
	v := hostView{
		MoodView: piece.HostMood([]state.HostHistory{h}), ID: "host", Label: h.Label(), Address: h.Address.String(), Here: hostAddress(h.Address, h.Vantage),
		Facts: piece.FactsOf(h.HostReport), Both: piece.BothOf(h.HostReport, "host"), Timeline: piece.TimelineOf(h, "host"), Snoozes: snoozes, MaxNote: state.MaxNote,
		AuditLink: address("/audit", "subject", h.Address.String()),
	}
	v.NotesAt, v.SnoozeAt, v.EndAt = below(h, "/notes"), below(h, "/snooze"), below(h, "/snooze/end")
	rows := rowsOfHost(h, snoozes)
	v.Table = s.tableOf(rows[:min(hostPorts, len(rows))], admin)
	v.Table.Caption, v.Table.Back = "Ports of "+h.Label(), v.Here
	v.Table.Columns = []column{{Label: "Port"}, {Label: "Service"}}
	if v.Table.Inside {
		v.Table.Columns = append(v.Table.Columns, column{Label: "Process"})
	}
	v.Table.Columns = append(v.Table.Columns, column{Label: "Approval"}, column{Label: "Seen since"})
	v.MorePorts = state.MoreOf(len(v.Table.Rows), len(rows), "ports")
	for _, row := range rows {
		if row.Unapproved() {
			v.Table.Waiting++
		}
	}
	if v.Table.Waiting > 1 {
		v.Table.All = h.Address.String() + " " + word("vantage", cmp.Or(h.Vantage, state.DefaultVantage)) + " unapproved"
	}
	events := h.Events[:min(hostEvents, len(h.Events))]
	v.Events = piece.EventRows(events, s.runAddress)
	v.MoreEvent = state.MoreOf(len(events), len(h.Events), "events")
	given := approvalsOfHost(h)
	for _, a := range given[:min(hostApprovals, len(given))] {
		v.Approvals = append(v.Approvals, approvalRowOf(state.ApprovalRow{Approval: a}))
	}
	v.MoreGiven = state.MoreOf(len(v.Approvals), len(given), "approvals")
	return v
}

// below is an address below that of a host.
func below(h state.HostHistory, path string) string {
	at, query, found := strings.Cut(hostAddress(h.Address, h.Vantage), "?")
	if found {
		path += "?" + query
	}
	return at + path
}

// runAddress is the page of a run, with the path that the pages live under.
func (s *server) runAddress(id int64) string {
	if id == 0 {
		return ""
	}
	return s.base + runAddress(id)
}

// approvalsOfHost returns all approvals that a host ever had, the last first.
func approvalsOfHost(h state.HostHistory) []state.Approval {
	var list []state.Approval
	for _, e := range h.Events {
		if e.Kind == state.EventApproved {
			list = append(list, *e.Approval)
		}
	}
	return list
}

// rowsOfHost are the ports of a host as a table shows them.
func rowsOfHost(h state.HostHistory, snoozes []state.Snooze) []state.PortRow {
	last := make(map[state.Port]*state.Approval)
	for _, e := range h.Events { // newest first
		if e.Approval != nil && last[e.Approval.Port] == nil {
			last[e.Approval.Port] = e.Approval
		}
	}
	host := h.Host
	host.Ports, host.Coverage, host.Listeners = nil, nil, nil
	rows := make([]state.PortRow, len(h.Ports))
	for i, p := range h.Ports {
		rows[i] = state.PortRow{Host: host, Tags: h.Tags, Owner: h.Owner, PortReport: p}
		if a := last[p.Port]; p.Unapproved() && a != nil && (a.EndReason == state.EndedDrifted || a.EndReason == state.EndedExpired || a.EndReason == state.EndedRule) {
			rows[i].Void = a
		}
		for j, z := range snoozes {
			if z.Covers(h.ID, p.Port) {
				rows[i].Snooze = &snoozes[j]
			}
		}
	}
	return rows
}
