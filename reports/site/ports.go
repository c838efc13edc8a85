package site

import (
	"cmp"
	"encoding/hex"
	"html/template"
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// How many ports a run's page shows; the data files have them all.
//
// A page of the archive leads to its data and to the lists of all hosts; one that stands
// alone has only itself.
const (
	archivePorts    = 500
	standalonePorts = 2000
)

// portTable is the view of the template "ports".
type portTable struct {
	ID      string
	Caption string
	Hosts   bool // with columns for the host
	Owners  bool // all unapproved: with a column for the owner instead of the approval
	Reasons bool // with the reason of each approval
	Inside  bool // with the process behind each port
	Filter  bool
	Rows    []portRow
	More    string // says how many are left out
}

type portRow struct {
	hostCells

	Number     uint16
	Port       string
	State      state.PortState
	Service    string
	Version    string
	Process    string
	About      string // the whole of the process
	Approval   *state.Approval
	Reason     string // of the approval
	Unapproved bool
	Since      template.HTML
	Age        string
	Stale      template.HTML

	since time.Time
}

// add fills the table with the ports that keep wants; run is the time against
// which ages are told, the zero time for none; limit is how many are shown.
func (t *portTable) add(hosts []state.HostReport, l links, run time.Time, keep func(*state.PortReport) bool, limit int) {
	all := 0
	for i := range hosts {
		h := &hosts[i]
		var host hostCells
		t.Rows = slices.Grow(t.Rows, min(len(h.Ports), limit-len(t.Rows)))
		for j := range h.Ports {
			p := &h.Ports[j]
			if !keep(p) {
				continue
			}
			if all++; all > limit {
				continue
			}
			if host == (hostCells{}) {
				host = hostCellsOf(h, l)
			}
			row := portRowOf(host, p)
			if t.Reasons && p.Approved() {
				row.Reason = p.Approval.Reason
			}
			if !run.IsZero() {
				row.Age = state.Age(p.FirstSeen, run)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	t.show(t.Rows)
	t.More = state.MoreOf(len(t.Rows), all, "ports")
}

// hostCells are what the rows of all ports of a host have.
type hostCells struct {
	Host       piece.Link
	Address    string
	AddressKey string // sorts as addresses do
	Owner      string
}

func hostCellsOf(h *state.HostReport, l links) hostCells {
	address := h.Address.String()
	return hostCells{l.host(cmp.Or(h.Name(), address), h.ID), address, addressKey(h.Address), h.Owner}
}

func portRowOf(host hostCells, p *state.PortReport) portRow {
	row := portRow{
		hostCells: host, Number: p.Number, Port: p.String(), State: p.State,
		Service: p.Service.String(), Version: p.Service.Described(), Process: p.Behind().String(), About: p.Behind().Described(),
		Approval: p.Approval, Unapproved: p.Unapproved(), Since: piece.Day(p.FirstSeen), since: p.FirstSeen,
	}
	if p.StaleSince != nil {
		row.Stale = piece.Day(*p.StaleSince)
	}
	return row
}

// show makes these the rows of the table.
func (t *portTable) show(rows []portRow) {
	t.Rows, t.Filter = rows, len(rows) > 8
	for i := range rows {
		t.Inside = t.Inside || rows[i].Process != ""
	}
}

func every(*state.PortReport) bool { return true }

// addressKey is the address in hexadecimal, so that text sorts as addresses do.
func addressKey(a netip.Addr) string {
	bytes := a.As16()
	return hex.EncodeToString(bytes[:])
}
