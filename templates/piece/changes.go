package piece

import (
	"strings"

	"ownmap/pipeline/state"
)

// HostChanges is what changed on one host.
type HostChanges struct {
	Host    Link
	Changes []Change
}

// Change is a change as a page shows it.
type Change struct {
	Sign     string
	Class    string // came, went or differs
	Port     string // empty for changes of the host itself
	Words    string
	Detail   string
	Severity state.Severity
}

// ChangesOf returns up to limit changes, folded by host, and says how many are left out.
func ChangesOf(changes []state.Change, hosts Hosts, limit int) (folded []HostChanges, more string) {
	shown := 0
	for _, h := range state.FoldFirst(changes, limit) {
		host := HostChanges{Host: Link{Label: h.Label, Link: hosts(h.HostID, h.Changes[0].Address)}}
		for _, c := range h.Changes {
			host.Changes = append(host.Changes, Change{sign(c.Kind), signClass(c.Kind), portOf(c), c.Kind.Words(), c.Detail(), c.Kind.Severity()})
		}
		shown += len(host.Changes)
		folded = append(folded, host)
	}
	return folded, state.MoreOf(shown, len(changes), "changes")
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
