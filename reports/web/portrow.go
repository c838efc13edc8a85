package web

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// portTable is a table of ports, whose rows can be chosen and approved. It takes the place
// of the page in its templates.
type portTable struct {
	Base    string
	Admin   bool
	Back    string // where a row's button leads back to
	Caption string
	Hosts   bool   // with columns for the host
	Inside  bool   // with a column for the process
	Choose  bool   // rows can be chosen
	All     string // a filter for all that awaits approval; empty: there is none
	Waiting int    // ports that it selects
	Columns []column
	Rows    []portRow
}

// portRow is a port of a table.
type portRow struct {
	Pick     string // names the port in forms
	Seen     string // and what is seen there
	Name     string // what people call the host
	Address  string
	HostLink string
	Vantage  string // empty: the usual one
	Port     state.Port
	Open     bool // for certain
	State    state.PortState
	Service  string
	Version  string
	Process  string
	About    string // the whole of the process
	Owner    string
	Approval *state.Approval
	Void     *state.Approval // the last one, which is void
	Drifted  bool
	Snooze   *state.Snooze
	Since    time.Time
	Age      string
	New      bool
	Stale    *time.Time
}

// Unapproved says whether the port awaits approval.
func (r portRow) Unapproved() bool { return r.Open && r.Approval == nil }

// What names the port for who does not see the table.
func (r portRow) What() string { return r.Port.String() + " on " + r.Name }

// tableOf makes a table of ports.
func (s *server) tableOf(rows []state.PortRow, admin bool) portTable {
	t := portTable{Base: s.base, Admin: admin, Choose: admin}
	now := s.Now()
	for _, r := range rows {
		row := rowOf(r, now)
		t.Inside = t.Inside || row.Process != ""
		t.Rows = append(t.Rows, row)
	}
	return t
}

func rowOf(r state.PortRow, now time.Time) portRow {
	row := portRow{
		Pick: pickText(r.Host, r.Port), Seen: r.Seen(), Name: r.Host.Name(), Address: r.Host.Address.String(), HostLink: hostAddress(r.Host.Address, r.Host.Vantage),
		Port: r.Port, Open: r.State == state.Open, State: r.State, Service: r.Service.String(), Version: r.Service.Described(),
		Process: r.Behind().String(), About: r.Behind().Described(), Owner: r.Owner, Approval: r.Approval, Void: r.Void, Drifted: r.Drifted(), Snooze: r.Snooze,
		Since: r.FirstSeen, Age: state.Age(r.FirstSeen, now), New: r.New, Stale: r.StaleSince,
	}
	if row.Name == "" {
		row.Name = row.Address
	}
	if r.Host.Vantage != state.DefaultVantage {
		row.Vantage = r.Host.Vantage
	}
	return row
}

// hostAddress is the page of a host.
func hostAddress(a netip.Addr, vantage string) string {
	if vantage == state.DefaultVantage {
		vantage = ""
	}
	return address("/hosts/"+url.PathEscape(a.String()), "vantage", vantage)
}

// pickText names a port of a host in forms and addresses: "10.20.0.12_5432_tcp", with the
// vantage behind it unless that is the usual one.
func pickText(h state.Host, p state.Port) string {
	text := h.Address.String() + "_" + strconv.Itoa(int(p.Number)) + "_" + string(p.Protocol)
	if h.Vantage != "" && h.Vantage != state.DefaultVantage {
		text += "_" + h.Vantage
	}
	return text
}

// parsePick reads what pickText wrote, and what was seen there, if a tilde and that follow.
func parsePick(text string) (state.Pick, error) {
	name, seen, _ := strings.Cut(text, "~")
	parts := strings.SplitN(name, "_", 4)
	fault := bad("The port "+state.OneLine(text, 100)+" cannot be read.", "Go back and choose it again.")
	if len(parts) < 3 {
		return state.Pick{}, fault
	}
	pick := state.Pick{Seen: seen}
	var err error
	if pick.Address, err = netip.ParseAddr(parts[0]); err != nil {
		return pick, fault
	}
	if pick.Port, err = state.ParsePort(parts[1] + "/" + parts[2]); err != nil {
		return pick, fault
	}
	if len(parts) == 4 {
		pick.Vantage = parts[3]
	}
	return pick, nil
}
