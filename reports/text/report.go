package text

import (
	"io"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// Report writes a run's report: the verdict on the first line, then what
// changed, the open ports, what was not looked at, and notes.
func Report(w io.Writer, report state.Report, options Options) error {
	p := &page{options: options}
	p.text(report.Verdict(), "", bold)
	p.text(about(report), "", dim)
	p.alerts(report.Run)
	if len(report.Changes) > 0 {
		p.heading("Changes")
		p.changes(report.Changes)
	}
	p.disagreements(report)
	p.voided(report)
	p.heading("Open ports")
	if slices.ContainsFunc(report.Hosts, func(h state.HostReport) bool { return len(h.Ports) > 0 }) {
		p.ports(report.Hosts)
	} else {
		p.text("none", "  ", plain)
	}
	p.findings(report.Findings)
	p.elsewhere(report.Elsewhere)
	p.flaps(report.Flaps)
	p.gaps(report)
	p.insideGaps(report)
	p.notes(report.Run)
	if hash := report.HashLine(false); hash != "" {
		p.blank()
		p.text(hash, "", dim)
	}
	if options.HTML != "" {
		p.blank()
		p.out.WriteString("Report: " + state.Clean(options.HTML) + "\n") // never cut: it is to be copied
	}
	return p.writeTo(w)
}

// about says which run this is and what it was compared with.
func about(report state.Report) string {
	run := report.Run
	parts := []string{"Run " + number(run.ID) + " of " + minute(run.StartedAt)}
	if scanner := run.Scanner.String(); scanner != "" {
		parts = append(parts, scanner)
	}
	if len(run.Only) > 0 {
		parts = append(parts, "only "+strings.Join(run.Only, " "))
	}
	if run.Partial {
		parts = append(parts, "partial")
	}
	if report.Previous != nil {
		parts = append(parts, "compared with run "+number(report.Previous.ID)+" of "+minute(report.Previous.StartedAt))
	}
	return strings.Join(parts, ", ")
}

// voided adds the approvals that ended in this run.
func (p *page) voided(report state.Report) {
	if len(report.Voided) == 0 {
		return
	}
	p.heading("Approvals that ended")
	names := make(map[int64]string, len(report.Hosts))
	for _, h := range report.Hosts {
		names[h.ID] = h.Name()
	}
	t := table{indent: "  ", columns: []column{{floor: 16}, {}, {}, {floor: 16}}}
	for _, a := range report.Voided {
		t.add(span{state.Label(names[a.HostID], a.Address), plain}, span{a.Port.String(), plain}, span{string(a.EndReason), yellow},
			span{"was approved " + a.ByAuthor() + " on " + day(a.GrantedAt), plain})
	}
	t.write(p)
}

// gaps adds the coverage, and the hosts of which this run says nothing new.
func (p *page) gaps(report state.Report) {
	if len(report.Gaps) == 0 {
		return
	}
	p.heading("Not looked at")
	p.text(report.CoverageWords()+" What is known of these is kept.", "  ", plain)
	t := table{indent: "  ", columns: []column{{floor: 16}, {}, {}, {floor: 10}, {floor: 10}}}
	for _, g := range report.Gaps {
		open := ""
		if g.Open > 0 {
			open = ", " + state.Count(g.Open, "open port", "open ports") + " kept"
		}
		t.add(span{g.Label, plain}, span{string(g.Protocol), plain}, span{words(g.Status), yellow}, span{g.Reason, plain},
			span{"last answered " + minuteOr(g.Since, "never") + open, plain})
	}
	t.write(p)
}

// words returns a coverage status as a reader says it: "not scanned".
func words(s state.CoverageStatus) string { return strings.ReplaceAll(string(s), "_", " ") }

func (p *page) notes(run state.Run) {
	notes := slices.Concat(run.PaceWords(), run.Notes)
	if len(notes) == 0 && run.Error == "" {
		return
	}
	p.heading("Notes")
	for _, note := range notes {
		p.text(note, "  ", plain)
	}
	if run.Error != "" {
		p.text("error: "+run.Error, "  ", red)
	}
}
