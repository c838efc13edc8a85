package export

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// Markdown writes a run's report as a ticket takes it: GitHub Flavored Markdown
// (https://github.github.com/gfm/), which GitLab, Gitea and, pasted, Jira read as
// well. It has at most mostRows rows of each list and mostMarkdown bytes in all, and
// says how many there are. Whatever is not OwnMap's own word stands in code spans,
// where nothing formats, mentions or links.
func Markdown(w io.Writer, report state.Report) error {
	d := ticket{report: report, zone: report.Run.StartedAt.Location().String()}
	d.head()
	d.changes()
	d.unapproved()
	d.disagreements()
	d.voided()
	d.coverage()
	d.notes()
	if _, err := io.WriteString(w, d.text.String()); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	return nil
}

func (d *ticket) head() {
	r := d.report
	d.block(fmt.Sprintf("# OwnMap: run %d of %s %s", r.Run.ID, r.Run.StartedAt.Format("2006-01-02 15:04"), d.zone))
	d.block(fmt.Sprintf("**%s %s.** %s.", r.Mood().Glyph(), r.Mood().Words(), r.Verdict()))
	open, unapproved := r.OpenPorts()
	changes := state.Count(len(r.Changes), "change", "changes")
	if severities := state.CountSeverities(r.Changes); severities != "" {
		changes += " (" + severities + ")"
	}
	told, _ := r.Disagreements()
	d.table("", "Counts", 20, row{"What", "How many"}, []row{
		{"Open ports", strconv.Itoa(open)},
		{"Unapproved", strconv.Itoa(unapproved)},
		{"Changes", changes},
		{"Disagreements", bySeverity(told)},
		{"Hosts", fmt.Sprintf("%d: %d answered, %d silent, %d not scanned", r.Coverage.Hosts, r.Coverage.Answered, r.Coverage.Silent, r.Coverage.NotScanned)},
		{"Scan", prose(strings.TrimSpace(r.Run.Scanner.String() + " " + r.Run.Took()))},
	})
	for _, a := range r.Run.Alerts {
		d.item("**Alert:** " + prose(a.Text))
	}
}

// bySeverity counts findings: "2 critical, 1 low".
func bySeverity(findings []state.Finding) string {
	var parts []string
	for _, s := range state.Severities() {
		n := 0
		for _, f := range findings {
			if f.Weight() == s {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "0")
}

func (d *ticket) changes() {
	var rows []row
	for _, h := range state.FoldByHost(d.report.Changes) {
		for _, c := range h.Changes {
			rows = append(rows, row{c.Kind.Sign() + " " + string(c.Kind.Severity()), code(h.Label), port(c.Port), c.Kind.Words(), code(c.Detail())})
		}
	}
	d.table("Changes", "changes", 45, row{"Severity", "Host", "Port", "Change", "Detail"}, rows)
}

func (d *ticket) unapproved() {
	type waiting struct {
		host *state.HostReport
		port *state.PortReport
	}
	var list []waiting
	for i := range d.report.Hosts {
		h := &d.report.Hosts[i]
		for j := range h.Ports {
			if p := &h.Ports[j]; p.Unapproved() {
				list = append(list, waiting{h, p})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b waiting) int { return a.port.FirstSeen.Compare(b.port.FirstSeen) })
	rows := make([]row, len(list))
	for i, l := range list {
		rows[i] = row{
			code(l.host.Label()), port(l.port.Port), code(l.port.Service.Summary()), day(l.port.FirstSeen),
			state.Age(l.port.FirstSeen, d.report.Run.StartedAt), code(l.host.Owner),
		}
	}
	d.table("Unapproved ports", "unapproved ports", 70, row{"Host", "Port", "Service", "Since", "Age", "Owner"}, rows)
}

func (d *ticket) disagreements() {
	told, record := d.report.Disagreements()
	var rows []row
	for _, f := range told {
		since := day(f.First)
		if f.New {
			since = "new"
		}
		rows = append(rows, row{string(f.Weight()), code(f.Label()), port(f.Port), f.Kind.Words(), prose(f.Says()), since})
	}
	d.table("Outside and inside do not agree", "disagreements", 80, row{"Severity", "Host", "Port", "Finding", "Detail", "Since"}, rows)
	for _, words := range record {
		d.item(words)
	}
}

func (d *ticket) voided() {
	var rows []row
	for _, a := range d.report.Voided {
		rows = append(rows, row{code(a.Address.String()), port(a.Port), string(a.EndReason), code(a.Author()), code(a.Reason)})
	}
	d.table("Approvals that ended", "approvals", 85, row{"Host", "Port", "Why", "Approved by", "Reason"}, rows)
}

func (d *ticket) coverage() {
	var rows []row
	for _, g := range d.report.Gaps {
		last := "never"
		if g.Since != nil {
			last = day(*g.Since)
		}
		rows = append(rows, row{code(g.Label), string(g.Protocol), strings.ReplaceAll(string(g.Status), "_", " "), prose(g.Reason), last, strconv.Itoa(g.Open)})
	}
	d.table("Not looked at", "hosts", 95, row{"Host", "Protocol", "Status", "Reason", "Last answer", "Known open ports"}, rows)
	if words := d.report.InsideWords(); words != "" {
		d.block(prose(words))
	}
	rows = nil
	for _, g := range d.report.InsideGaps {
		rows = append(rows, row{code(g.Label), prose(g.Reason), code(g.Remedy())})
	}
	d.table("Not looked inside", "hosts", 100, row{"Host", "Reason", "Remedy"}, rows)
}

func (d *ticket) notes() {
	for i, note := range d.report.Run.Notes {
		if i == 0 {
			d.block("## Notes")
		}
		if i == mostRows {
			d.block(state.MoreOf(i, len(d.report.Run.Notes), "notes"))
			break
		}
		d.item(prose(note))
	}
	if hash := d.report.HashLine(true); hash != "" {
		d.block(hash + ".")
	}
}

func port(p state.Port) string {
	if p.Number == 0 {
		return ""
	}
	return p.String()
}

func day(t time.Time) string { return t.Format(time.DateOnly) }
