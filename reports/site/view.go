package site

import (
	"fmt"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// link is a name that leads somewhere, or nowhere if Link is empty.
type link struct {
	Label string
	Link  string
}

// links makes the links of a page. An empty root is that of a standalone page,
// which has none.
type links struct {
	root string
	none bool
}

func (l links) host(label string, id int64) link {
	if id == 0 || l.none {
		return link{Label: label}
	}
	return link{label, l.root + hostFile(id)}
}

func (l links) run(id int64) string {
	if id == 0 || l.none {
		return ""
	}
	return l.root + runFile(id)
}

// hostChanges is what changed on one host.
type hostChanges struct {
	Host    link
	Changes []changeRow
}

type changeRow struct {
	Sign     string
	Class    string // came, went or differs
	Port     string // empty for changes of the host itself
	Words    string
	Detail   string
	Severity state.Severity
}

// changeLimit is how many changes a page shows; the data files have them all.
const changeLimit = 500

// foldChanges returns up to limit changes, folded by host, and says how many
// are left out.
func foldChanges(changes []state.Change, l links, limit int) (hosts []hostChanges, more string) {
	shown := 0
	for _, folded := range state.FoldByHost(changes) {
		if shown >= limit {
			break
		}
		host := hostChanges{Host: l.host(folded.Label, folded.HostID)}
		for _, c := range folded.Changes[:min(len(folded.Changes), limit-shown)] {
			host.Changes = append(host.Changes, changeRow{sign(c.Kind), signClass(c.Kind), portOf(c), c.Kind.Words(), c.Detail(), c.Kind.Severity()})
		}
		shown += len(host.Changes)
		hosts = append(hosts, host)
	}
	return hosts, moreOf(shown, len(changes), "changes")
}

func moreOf(shown, all int, nouns string) string {
	if shown >= all {
		return ""
	}
	return fmt.Sprintf("%d of %d %s are shown.", shown, all, nouns)
}

func portOf(c state.Change) string {
	if c.OfPort() {
		return c.Port.String()
	}
	return ""
}

// sign is the sign of a kind, with a minus as wide as the plus.
func sign(k state.Kind) string { return strings.ReplaceAll(k.Sign(), "-", "−") }

func signClass(k state.Kind) string {
	switch k.Sign() {
	case "+":
		return "came"
	case "-":
		return "went"
	}
	return "differs"
}

// mood sums a report up for the eye. It is words first, colour last.
type mood struct {
	Mood      string // class
	Glyph     string
	MoodWords string
}

func moodOf(r state.Report) mood {
	_, unapproved := r.OpenPorts()
	switch {
	case r.Run.Partial:
		return mood{"partial", "◐", "Finished in part"}
	case r.Grave() > 0:
		return mood{"changed", "▲", "Outside and inside do not agree"}
	case r.Run.Baseline:
		return mood{"waiting", "◇", "Baseline"}
	case len(r.Changes) > 0:
		return mood{"changed", "▲", "Something changed"}
	case unapproved > 0:
		return mood{"waiting", "◇", "Nothing changed, approvals are due"}
	}
	return mood{"calm", "✓", "All quiet"}
}

// age says how long before a run something was first seen. Pages that stay when
// the next run comes must not use it.
func age(since, run time.Time) string {
	days := int(run.Sub(since) / (24 * time.Hour))
	if days < 1 {
		return "new"
	}
	return state.Count(days, "day", "days")
}

func words(s state.CoverageStatus) string { return strings.ReplaceAll(string(s), "_", " ") }
