package short

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// How many lines of each kind a message has at most.
const (
	mostAlerts        = 3
	mostDisagreements = 5
	mostChanges       = 20
	mostOwners        = 4
)

// view tells in the order of urgency: alerts about the scan itself, then what somebody
// gets up for, then what changed.
func (w *Writer) view(r state.Report, link string) view {
	v := view{Title: "OwnMap", Verdict: r.Mood().Glyph() + " " + r.Verdict(), Run: r.Run.ID, Link: link}
	names := slices.DeleteFunc([]string{state.Inert(w.options.Organisation, 40), state.Inert(w.options.Network, 40)}, func(name string) bool { return name == "" })
	if len(names) > 0 {
		v.Title += " " + strings.Join(slices.Compact(names), ", ")
	}
	for _, a := range r.Run.Alerts[:min(mostAlerts, len(r.Run.Alerts))] {
		v.Lines = append(v.Lines, "Alert: "+state.Inert(a.Text, 200))
	}
	told, _ := r.Disagreements() // the worst come first
	for _, f := range told[:min(mostDisagreements, r.Grave())] {
		v.Lines = append(v.Lines, disagreement(f))
	}
	if !r.Run.Baseline { // of which nobody needs an alarm for each port
		v.total = len(r.Changes)
		for _, h := range state.FoldFirst(r.Changes, mostChanges) {
			for _, c := range h.Changes {
				v.Lines = append(v.Lines, change(c))
				v.changes++
			}
		}
	}
	v.More = state.MoreOf(v.changes, v.total, "changes")
	v.Waiting = waiting(r)
	return v
}

func change(c state.Change) string {
	what := c.Kind.Words()
	if c.OfPort() {
		what = port(c.Port) + " " + what
	}
	line := host(c.Address, c.Name) + ": " + strings.ReplaceAll(c.Kind.Sign(), "-", "−") + " " + what
	if detail := state.Inert(c.Detail(), 80); detail != "" {
		line += ", " + detail
	}
	return line + " (" + string(c.Kind.Severity()) + ")"
}

func disagreement(f state.Finding) string {
	line := host(f.Address, f.Name) + ": ! "
	if f.OfPort() {
		line += port(f.Port) + " "
	}
	line += f.Kind.Words() + " (" + string(f.Weight())
	if f.New {
		line += ", new"
	}
	return line + ")"
}

// waiting says whose the unapproved ports are, and how old the oldest.
func waiting(r state.Report) string {
	owners := r.WaitingByOwner()
	if len(owners) == 0 {
		return ""
	}
	all, oldest := 0, owners[0].Oldest
	var parts []string
	for i, o := range owners {
		all += o.All
		if o.Oldest.Before(oldest) {
			oldest = o.Oldest
		}
		if i < mostOwners {
			parts = append(parts, fmt.Sprintf("%d %s", o.All, cmp.Or(of(state.Inert(o.Owner, 40)), "without owner")))
		}
	}
	if more := len(owners) - len(parts); more > 0 {
		parts = append(parts, "and "+state.Count(more, "more owner", "more owners"))
	}
	age := state.Age(oldest, r.Run.StartedAt)
	if age != "new" {
		age = "oldest " + age
	}
	return fmt.Sprintf("%s approval, %s: %s", state.Count(all, "port awaits", "ports await"), age, strings.Join(parts, ", "))
}

func of(owner string) string {
	if owner == "" {
		return ""
	}
	return "of " + owner
}

// port spells a port as nmap does; there is a slash in it, and no host chose it.
func port(p state.Port) string {
	if _, err := state.ParsePort(p.String()); err != nil {
		return state.Inert(p.String(), 20)
	}
	return p.String()
}

// host names a host by its address and the first label of its name: a whole name could
// be one that chats make a link of, and whoever answers for the reverse zone chooses it.
func host(address netip.Addr, name string) string {
	text := "no address"
	if address.IsValid() {
		text = address.WithZone("").String()
	}
	if label, _, _ := strings.Cut(name, "."); label != "" {
		text += " (" + state.Inert(label, 40) + ")"
	}
	return text
}
