package text

import (
	"fmt"
	"io"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// Runs writes a list of runs, in the order given.
func Runs(w io.Writer, runs []state.RunSummary, options Options) error {
	p := &page{options: options}
	if len(runs) == 0 {
		p.line(span{"no runs yet", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{{title: "RUN", right: true}, {title: "STARTED"}, {title: "STATE"}, {title: "ANSWERED", right: true}, {title: "OPEN", right: true}, {title: "UNAPPROVED", right: true}, {title: "CHANGES", right: true}, {title: "REMARK", floor: 8}}}
	for _, r := range runs {
		t.add(span{number(r.ID), plain}, span{minute(r.StartedAt), plain}, span{string(r.State), runStyle(r.State)},
			span{number(r.Coverage.Answered) + "/" + number(r.Coverage.Hosts), plain}, span{number(r.Open), plain},
			span{number(r.Unapproved), plain}, span{number(r.Changes), plain}, span{remark(r.Run), dim})
	}
	t.write(p)
	return p.writeTo(w)
}

func runStyle(s state.RunState) style {
	switch s {
	case state.RunFailed:
		return red
	case state.RunScanning, state.RunPersisted:
		return yellow
	case state.RunDone:
		return plain
	}
	return plain
}

// remark says what sets a run apart from an ordinary one.
func remark(r state.Run) string {
	var parts []string
	if r.Baseline {
		parts = append(parts, "baseline")
	}
	if r.Partial {
		parts = append(parts, "partial")
	}
	switch {
	case r.Import != nil:
		parts = append(parts, "imported from "+r.Import.File)
	case len(r.Only) > 0:
		parts = append(parts, "only "+strings.Join(r.Only, " "))
	}
	if r.Error != "" {
		parts = append(parts, r.Error)
	}
	return strings.Join(parts, ", ")
}

// Status writes how things stand; now is for the age of the last run.
func Status(w io.Writer, status state.Status, now time.Time, options Options) error {
	p := &page{options: options}
	t := table{columns: []column{{}, {floor: 20}}}
	if last := status.Last; last == nil {
		p.line(span{"No run yet. Start one with: ownmap run", bold})
	} else {
		p.line(span{state.Count(status.Unapproved, "port unapproved", "ports unapproved") + " of " + number(status.Open) + " open, " +
			state.Count(last.Changes, "change", "changes") + " in the last run", bold})
		t.add(span{"Last run", dim}, span{number(last.ID) + " of " + minute(last.StartedAt) + ", " + age(now.Sub(last.StartedAt)) + " ago", plain})
		t.add(span{"Coverage", dim}, span{coverage(last.Coverage), plain})
		if r := remark(last.Run); r != "" {
			t.add(span{"Remark", dim}, span{r, yellow})
		}
	}
	if r := status.Unfinished; r != nil {
		t.add(span{"Unfinished", dim}, span{"run " + number(r.ID) + " of " + minute(r.StartedAt) + ", " + string(r.State), yellow})
	}
	if r := status.Progress; r != nil {
		t.add(span{"Progress", dim}, span{progress(*r), plain})
	}
	for _, r := range status.Requests {
		t.add(span{"Requested", dim}, span{requested(r, now), yellow})
	}
	for _, b := range status.Backlogs {
		t.add(span{"Not delivered", dim}, span{b.Words(), yellow})
	}
	for _, s := range status.Snoozes {
		t.add(span{"Snoozed", dim}, span{s.Words(), plain})
	}
	if s := status.Sizes; s != nil {
		t.add(span{"Sizes", dim}, span{s.Words(), plain})
		if s.Backup != nil {
			t.add(span{"Last backup", dim}, span{minute(s.Backup.In(now.Location())) + ", " + age(now.Sub(*s.Backup)) + " ago", plain})
		}
	}
	t.write(p)
	return p.writeTo(w)
}

// progress says how far a run is.
func progress(p state.ScanProgress) string {
	return fmt.Sprintf("%s: %d of %s, %.0f %%, %s found, %s", p.Work, p.HostsDone, state.Count(p.Hosts, "host", "hosts"),
		100*p.Fraction, state.Count(p.Open, "open port", "open ports"), state.Count(len(p.Workers), "worker", "workers"))
}

// requested says who waits for a scan of what.
func requested(r state.ScanRequest, now time.Time) string {
	what, how := "all targets", "waits for a worker"
	if len(r.Only) > 0 {
		what = strings.Join(r.Only, " ")
	}
	if r.TakenAt != nil {
		how = "under way"
	}
	return fmt.Sprintf("%s, by %s %s ago, %s", what, r.By, age(now.Sub(r.AskedAt)), how)
}

// coverage says how many hosts were looked at.
func coverage(c state.Totals) string {
	return state.Count(c.Hosts, "host", "hosts") + ": " + number(c.Answered) + " answered, " + number(c.Silent) + " silent, " +
		number(c.NotScanned) + " not scanned"
}

// age rounds a duration down to the unit that a reader thinks in.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return state.Count(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return state.Count(int(d/time.Hour), "hour", "hours")
	}
	return state.Count(int(d/(24*time.Hour)), "day", "days")
}
