package export

import (
	"encoding/csv"
	"fmt"
	"io"
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
	rows := [][]string{portColumns()}
	for _, h := range hosts {
		for _, p := range h.Ports {
			rows = append(rows, portRow(h, p))
		}
	}
	return writeCSV(w, rows)
}

// CSV writes a run's report as one flat table: every port as of the run, with
// the kinds of what changed about it, then the ports and hosts that changed and
// are not among them: closed ports, hosts that are new, down or renamed.
func CSV(w io.Writer, report state.Report) error {
	run := strconv.FormatInt(report.Run.ID, 10)
	changes := make(map[string][]state.Change)
	for _, c := range report.Changes {
		changes[keyOf(c.Vantage, c.Address.String(), c.Port)] = append(changes[keyOf(c.Vantage, c.Address.String(), c.Port)], c)
	}
	rows := [][]string{append([]string{"run", "change"}, portColumns()...)}
	shown := make(map[string]bool)
	for _, h := range report.Hosts {
		for _, p := range h.Ports {
			key := keyOf(h.Vantage, h.Address.String(), p.Port)
			shown[key] = true
			rows = append(rows, append([]string{run, kinds(changes[key])}, portRow(h, p)...))
		}
	}
	for _, c := range report.Changes {
		if !shown[keyOf(c.Vantage, c.Address.String(), c.Port)] {
			rows = append(rows, append([]string{run, string(c.Kind)}, changeRow(c)...))
		}
	}
	return writeCSV(w, rows)
}

func keyOf(vantage, address string, p state.Port) string {
	return vantage + " " + address + " " + p.String()
}

func kinds(changes []state.Change) string {
	words := make([]string, 0, len(changes))
	for _, c := range changes {
		words = append(words, string(c.Kind))
	}
	return strings.Join(slices.Compact(words), " ") // a listener on two addresses changes twice
}

func portRow(h state.HostReport, p state.PortReport) []string {
	j := portOf(h.Host, p)
	row := []string{
		j.Host, j.Address, j.Protocol, strconv.Itoa(int(j.Port)), j.State, text(j.Service), text(j.Product), text(j.Version), text(j.Process),
		strconv.FormatBool(j.Approved),
	}
	if a := j.Approval; a != nil {
		row = append(row, p.Approval.Author(), text(a.GrantedAt), text(a.Until), text(a.Reason))
	} else {
		row = append(row, "", "", "", "")
	}
	found := make([]string, len(p.Findings))
	for i, f := range p.Findings {
		found[i] = string(f.Kind)
	}
	return append(row, text(j.FirstSeen), text(j.LastSeen), text(j.StaleSince), strings.Join(h.Tags, " "), h.Owner,
		text(j.Exe), text(j.User), text(j.Unit), text(j.Container), text(j.Package), strings.Join(found, " "))
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

func writeCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	for _, row := range rows {
		for i, cell := range row {
			row[i] = safe(state.Visible(cell))
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}
