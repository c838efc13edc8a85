package pdf

import (
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// coverage tells what was looked at and what was not.
func (d *document) coverage(report state.Report) {
	d.heading("Coverage")
	d.paragraph(strings.Join(append([]string{report.CoverageWords()}, report.Run.PaceWords()...), " "), plain())
	if gaps := report.Gaps; len(gaps) > 0 {
		d.paragraph("Not looked at in this run. What is known of these hosts is kept, nothing counts as closed:", small())
		t := d.table(column{title: "Host", width: 86, label: true}, column{title: "Protocol", width: 22}, column{title: "Status", width: 28}, column{title: "Why", width: 69}, column{title: "Last answered", width: 36}, column{title: "Open ports kept", width: 28, number: true})
		for _, g := range gaps[:min(most, len(gaps))] {
			since := "never"
			if g.Since != nil {
				since = g.Since.Format("2006-01-02 15:04")
			}
			t.row(put(g.Label), put(string(g.Protocol)), loud(strings.ReplaceAll(string(g.Status), "_", " "), warn()), put(g.Reason), put(since), put(strconv.Itoa(g.Open)))
		}
		t.end(state.MoreOf(min(most, len(gaps)), len(gaps), "gaps"))
	}
	if words := report.InsideWords(); words != "" {
		d.paragraph(words, plain())
	}
	if gaps := report.InsideGaps; len(gaps) > 0 {
		t := d.table(column{title: "Not looked inside", width: 92, label: true}, column{title: "Why", width: 62}, column{title: "Last looked inside", width: 38}, column{title: "What to do", width: 77})
		for _, g := range gaps[:min(most, len(gaps))] {
			since := "never"
			if g.Since != nil {
				since = g.Since.Format("2006-01-02 15:04")
			}
			t.row(put(g.Label), put(g.Reason), put(since), put(g.Remedy()))
		}
		t.end(state.MoreOf(min(most, len(gaps)), len(gaps), "hosts"))
	}
}

// notes tells what a reader should know of the run and of the report, and what the cover
// had no room for.
func (d *document) notes(report state.Report, notices []string) {
	const mostNotes = 200
	var notes []string
	for _, a := range report.Run.Alerts[min(coverAlerts, len(report.Run.Alerts)):] {
		notes = append(notes, "! "+a.Text)
	}
	notes = append(notes, notices[min(coverNotices, len(notices)):]...)
	if report.Run.Error != "" {
		notes = append(notes, "Error: "+report.Run.Error)
	}
	notes = append(notes, report.Run.Notes...)
	if len(notes) > 0 {
		d.heading("Notes")
		d.bullets(notes, mostNotes, state.MoreOf(min(mostNotes, len(notes)), len(notes), "notes"))
	}
}

// oddities tells what is neither a change nor a disagreement.
func (d *document) oddities(report state.Report) {
	var odd []state.Finding
	for _, f := range report.Findings {
		if !f.Kind.Disagreement() {
			odd = append(odd, f)
		}
	}
	if len(odd) > 0 {
		d.heading("Findings")
		t := d.table(column{title: "Severity", width: 22}, column{title: "Host", width: 80, label: true}, column{title: "What", width: 167})
		for _, f := range odd[:min(most, len(odd))] {
			t.row(loud(string(f.Weight()), severityColor(f.Weight())), put(f.Label()), put(f.Says()))
		}
		t.end(state.MoreOf(min(most, len(odd)), len(odd), "findings"))
	}
	if list := report.Elsewhere; len(list) > 0 {
		d.heading("Not the same from every vantage")
		t := d.table(column{title: "Host", width: 92, label: true}, column{title: "Port", width: 24}, column{title: "Seen", width: 153})
		for _, e := range list[:min(most, len(list))] {
			t.row(put(state.Label(e.Name, e.Address)), put(e.Port.String()), put(e.Words()))
		}
		t.end(state.MoreOf(min(most, len(list)), len(list), "ports"))
	}
	if list := report.Flaps; len(list) > 0 {
		d.heading("Flapping")
		d.paragraph("Ports that were not what they seemed at first: no changes, and no alarm.", small())
		t := d.table(column{title: "Host", width: 92, label: true}, column{title: "Port", width: 24}, column{title: "What happened", width: 153})
		for _, f := range list[:min(most, len(list))] {
			t.row(put(f.Label()), put(f.Port.String()), put(f.Words()))
		}
		t.end(state.MoreOf(min(most, len(list)), len(list), "ports"))
	}
}
