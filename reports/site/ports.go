package site

import (
	"cmp"
	"encoding/hex"
	"time"

	"ownmap/pipeline/state"
)

// portLimit is how many ports a page shows; the data files have them all.
const portLimit = 2000

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
	Host       link
	Address    string
	AddressKey string // sorts as addresses do
	Number     uint16
	Port       string
	State      state.PortState
	Service    string
	Version    string
	Process    string
	About      string // the whole of the process
	Owner      string
	Approval   *state.Approval
	Reason     string // of the approval
	Unapproved bool
	Since      time.Time
	Age        string
	Stale      *time.Time
}

// add fills the table with the ports that keep wants; run is the time against
// which ages are told, the zero time for none.
func (t *portTable) add(hosts []state.HostReport, l links, run time.Time, keep func(state.PortReport) bool) {
	all := 0
	for _, h := range hosts {
		for _, p := range h.Ports {
			if !keep(p) {
				continue
			}
			if all++; all > portLimit {
				continue
			}
			row := portRow{
				Host: l.host(cmp.Or(h.Name(), h.Address.String()), h.ID), Address: h.Address.String(), AddressKey: addressKey(h.Host), Number: p.Number, Port: p.String(), State: p.State,
				Service: p.Service.String(), Version: p.Service.Described(), Process: p.Process.String(), About: p.Process.Described(), Owner: h.Owner,
				Approval: p.Approval, Unapproved: p.Unapproved(), Since: p.FirstSeen, Stale: p.StaleSince,
			}
			t.Inside = t.Inside || row.Process != ""
			if t.Reasons && p.Approved() {
				row.Reason = p.Approval.Reason
			}
			if !run.IsZero() {
				row.Age = state.Age(p.FirstSeen, run)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	t.Filter = len(t.Rows) > 8
	t.More = state.MoreOf(len(t.Rows), all, "ports")
}

func every(state.PortReport) bool { return true }

// unapproved says whether a port awaits approval.
func unapproved(p state.PortReport) bool { return p.State == state.Open && !p.Approved() }

// addressKey is the address in hexadecimal, so that text sorts as addresses do.
func addressKey(h state.Host) string {
	bytes := h.Address.As16()
	return hex.EncodeToString(bytes[:])
}
