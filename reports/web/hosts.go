package web

import (
	"net/http"
	"time"

	"ownmap/pipeline/state"
)

// hostsView is the list of hosts.
type hostsView struct {
	List    list
	Error   string // against the filter
	Known   bool   // there has been a run
	Summary string
	Columns []column
	Ports   bool // the filter asks for ports: there is a column of those that match
	Rows    hostRows
}

func (hostsView) title() string   { return "Hosts" }
func (hostsView) section() string { return "Hosts" }

// hostRow is a host of the list.
type hostRow struct {
	Name       string
	Address    string
	Link       string
	PortsLink  string // the list of its ports that await approval
	Vantage    string // empty: the usual one
	Down       bool
	Status     state.CoverageStatus
	Open       int
	Unapproved int
	Matching   int
	Tags       []string
	Owner      string
	FirstSeen  time.Time
	LastSeen   *time.Time
	Missed     string // why it was not looked inside
	Snooze     *state.Snooze
}

// hosts answers with a page of the list of hosts.
func (s *server) hosts(w http.ResponseWriter, r *http.Request) error {
	v := hostsView{List: listOf(r, "/hosts", "hosts")}
	if v.Error = filterFault(v.List.Filter); v.Error != "" {
		v.Known = true
		return s.show(w, r, http.StatusBadRequest, "hosts", v)
	}
	query, err := s.hostQuery(r)
	if err != nil {
		return err
	}
	page, err := s.Book.HostsPage(r.Context(), query)
	if err != nil {
		return err
	}
	v.List.Page, v.List.Pages, v.List.Total = page.Page, page.Pages, page.Total
	if v.List.Total == 0 {
		if v.Known, err = s.known(r.Context()); err != nil {
			return err
		}
	}
	v.Summary, v.Ports = counted(page.Total, "host", "hosts")+".", query.Filter.OfPorts()
	for _, h := range page.Rows {
		v.Rows = append(v.Rows, hostRowOf(h))
	}
	v.Columns = []column{
		v.List.column("Address", "", string(state.HostsByAddress), true, false), v.List.column("Name", "", string(state.HostsByName), false, false),
		{Label: "State"},
		v.List.column("Open", "number", string(state.HostsByOpen), false, true), v.List.column("Unapproved", "number", string(state.HostsByUnapproved), false, true),
	}
	if v.Ports {
		v.Columns = append(v.Columns, column{Label: "Matching", Class: "number"})
	}
	v.Columns = append(v.Columns, column{Label: "Tags"}, v.List.column("Owner", "", string(state.HostsByOwner), false, false), v.List.column("First seen", "", string(state.HostsByAge), false, false))
	return s.show(w, r, http.StatusOK, "hosts", v)
}

func hostRowOf(h state.HostRow) hostRow {
	row := hostRow{
		Name: h.Name(), Address: h.Address.String(), Link: hostAddress(h.Address, h.Vantage), Down: h.State == state.Down, Status: h.Status,
		Open: h.Open, Unapproved: h.Unapproved, Matching: h.Matching, Tags: h.Tags, Owner: h.Owner, FirstSeen: h.FirstSeen, LastSeen: h.LastSeen,
		Missed: h.Inside.Missed(), Snooze: h.Snooze, PortsLink: address("/ports", "filter", h.Address.String()+" unapproved"),
	}
	if h.Vantage != state.DefaultVantage {
		row.Vantage = h.Vantage
	}
	return row
}
