package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// portColumns are the columns of PortsCSV; CSV has two more before them.
func portColumns() []string {
	return []string{
		"host", "address", "protocol", "port", "state", "service", "product", "version", "process", "approved",
		"approved_by", "approved_at", "approved_until", "approval_reason", "first_seen", "last_seen", "stale_since", "tags", "owner",
		"exe", "user", "unit", "container", "package", "findings",
	}
}

// PortsCSV writes the ports of hosts as CSV (RFC 4180, with a header line). A
// cell that a spreadsheet could take for a formula begins with an apostrophe.
func PortsCSV(w io.Writer, hosts []state.HostReport) error {
	out := newTable(w)
	out.row(portColumns()...)
	for i := range hosts {
		for j := range hosts[i].Ports {
			out.row(portRow(&hosts[i], &hosts[i].Ports[j])...)
		}
	}
	return out.end()
}

// CSV writes a run's report as one flat table: every port as of the run, with
// the kinds of what changed about it, then the ports and hosts that changed and
// are not among them: closed ports, hosts that are new, down or renamed.
func CSV(w io.Writer, report state.Report) error {
	run := strconv.FormatInt(report.Run.ID, 10)
	changes := make(map[rowKey][]state.Change)
	for _, c := range report.Changes {
		key := rowKey{c.Vantage, c.Address, c.Port}
		changes[key] = append(changes[key], c)
	}
	out := newTable(w)
	out.row(append([]string{"run", "change"}, portColumns()...)...)
	shown := make(map[rowKey]bool)
	for i := range report.Hosts {
		h := &report.Hosts[i]
		for j := range h.Ports {
			p := &h.Ports[j]
			key := rowKey{h.Vantage, h.Address, p.Port}
			if changes[key] != nil {
				shown[key] = true
			}
			out.row(append([]string{run, kinds(changes[key])}, portRow(h, p)...)...)
		}
	}
	for _, c := range report.Changes {
		if !shown[rowKey{c.Vantage, c.Address, c.Port}] {
			out.row(append([]string{run, string(c.Kind)}, changeRow(c)...)...)
		}
	}
	return out.end()
}

// rowKey is what changed: the zero Port is the host itself.
type rowKey struct {
	vantage string
	address netip.Addr
	port    state.Port
}

func kinds(changes []state.Change) string {
	words := make([]string, 0, len(changes))
	for _, c := range changes {
		words = append(words, string(c.Kind))
	}
	return strings.Join(slices.Compact(words), " ") // a listener on two addresses changes twice
}

func portRow(h *state.HostReport, p *state.PortReport) []string {
	j := portOf(&h.Host, p)
	var by, at, until, reason string
	if a := j.Approval; a != nil {
		by, at, until, reason = p.Approval.Author(), text(a.GrantedAt), text(a.Until), text(a.Reason)
	}
	found := make([]string, len(p.Findings))
	for i, f := range p.Findings {
		found[i] = string(f.Kind)
	}
	return []string{
		j.Host, j.Address, j.Protocol, strconv.Itoa(int(j.Port)), j.State, text(j.Service), text(j.Product), text(j.Version), text(j.Process),
		strconv.FormatBool(j.Approved), by, at, until, reason,
		text(j.FirstSeen), text(j.LastSeen), text(j.StaleSince), strings.Join(h.Tags, " "), h.Owner,
		text(j.Exe), text(j.User), text(j.Unit), text(j.Container), text(j.Package), strings.Join(found, " "),
	}
}

// changeRow fills what is known of a port that is no longer there or not open, or
// of a host.
func changeRow(c state.Change) []string {
	columns := portColumns()
	row := make([]string, len(columns))
	row[0], row[1] = hostOf(c.Name, c.Address.String()), c.Address.String()
	if c.OfPort() {
		row[2], row[3], row[4] = string(c.Port.Protocol), strconv.Itoa(int(c.Port.Number)), string(c.Now.State)
		row[5], row[6], row[7] = c.Was.Service.String(), c.Was.Service.Product, c.Was.Service.Version
		process := c.Now.Process
		if process == (state.Process{}) {
			process = c.Was.Process
		}
		row[8] = process.Name()
		copy(row[slices.Index(columns, "exe"):], []string{process.Exe, process.User, process.Unit, process.Container, process.Package})
	}
	return row
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// table is CSV that is written row by row.
type table struct{ out *csv.Writer }

func newTable(w io.Writer) table {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return table{out}
}

// row writes a row; the first error of all is that of end.
func (t table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = safe(state.Visible(cell))
	}
	_ = t.out.Write(cells)
}

func (t table) end() error {
	t.out.Flush()
	if err := t.out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}
