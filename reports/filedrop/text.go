package filedrop

import (
	"fmt"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// How much of each a text says.
const (
	mostLines   = 200
	mostChanges = 500
)

// Text is a message in plain text for a reader: its subject, what is to be said of the
// delivery, its lines, the disagreements and changes, the most severe first, and links.
// Whatever hosts and people say stays in its line.
func Text(m state.Message) string {
	var b strings.Builder
	line := func(format string, args ...any) {
		b.WriteString(state.Visible(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")) + "\n")
	}
	line("%s", state.Clean(m.Subject()))
	line("%s, %s", m.Kind, m.At.UTC().Format(time.RFC3339))
	if m.Group != "" {
		line("about %s", state.Clean(m.Group))
	}
	for _, texts := range [][]string{m.Notes, m.Lines} {
		for _, text := range texts[:min(mostLines, len(texts))] {
			line("%s", state.Clean(text))
		}
		if more := state.MoreOf(mostLines, len(texts), "lines"); more != "" {
			line("%s", more)
		}
	}
	if m.Report != nil {
		report(line, *m.Report)
	}
	for _, link := range []string{m.Links.Run, m.Links.Review} {
		if link = state.WebLink(link); link != "" {
			line("%s", link)
		}
	}
	return b.String()
}

func report(line func(string, ...any), r state.Report) {
	for _, a := range r.Run.Alerts[:min(mostLines, len(r.Run.Alerts))] {
		line("Alert: %s", state.Clean(a.Text))
	}
	told, _ := r.Disagreements()
	for _, f := range told[:min(mostChanges, len(told))] {
		line("! %s: %s%s (%s): %s", state.Clean(f.Label()), port(f.Port), f.Kind.Words(), f.Weight(), state.Clean(f.Says()))
	}
	if more := state.MoreOf(mostChanges, len(told), "disagreements"); more != "" {
		line("%s", more)
	}
	for _, h := range state.FoldFirst(r.Changes, mostChanges) {
		for _, c := range h.Changes {
			line("%s", strings.TrimSuffix(fmt.Sprintf("%s %s: %s%s (%s), %s", c.Kind.Sign(), state.Clean(c.Label()), port(c.Port), c.Kind.Words(), c.Kind.Severity(), state.Clean(c.Detail())), ", "))
		}
	}
	if more := state.MoreOf(mostChanges, len(r.Changes), "changes"); more != "" {
		line("%s", more)
	}
}

func port(p state.Port) string {
	if p.Number == 0 {
		return ""
	}
	return p.String() + " "
}
