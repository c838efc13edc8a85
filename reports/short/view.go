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
	mostSaid          = 5
	mostWaiting       = 10
	mostSubject       = 400 // characters
)

// view tells in the order of urgency: what the message says itself, alerts about the scan,
// then what somebody gets up for, then what changed. A reminder tells what has waited the
// longest, and never what changed: it is no news.
func (w *Writer) view(m state.Message) view {
	v := view{Title: "OwnMap", Verdict: sign(m) + " " + state.Inert(m.Subject(), mostSubject), nouns: "changes"}
	names := slices.DeleteFunc([]string{state.Inert(w.options.Organisation, 40), state.Inert(w.options.Network, 40), state.Inert(m.Group, 60)}, func(name string) bool { return name == "" })
	if len(names) > 0 {
		v.Title += " " + strings.Join(slices.Compact(names), ", ")
	}
	v.Notes = said(m.Notes)
	v.Lines = said(m.Lines)
	v.Link = state.WebLink(cmp.Or(m.Links.Run, m.Links.Review))
	if m.Report == nil {
		return v
	}
	r := *m.Report
	v.Run = r.Run.ID
	v.Approve = toApprove(m.Links, r)
	if m.Kind == state.MessageTrouble && m.Title != "" {
		v.Lines = append(v.Lines, "The run so far: "+r.Verdict())
	}
	for _, a := range r.Run.Alerts[:min(mostAlerts, len(r.Run.Alerts))] {
		v.Lines = append(v.Lines, "Alert: "+state.Inert(a.Text, 200))
	}
	told, _ := r.Disagreements() // the worst come first
	for _, f := range told[:min(mostDisagreements, r.Grave())] {
		v.Lines = append(v.Lines, disagreement(f))
	}
	switch {
	case m.Kind == state.MessageReminder: // the subject says whose they are
		v.longest(r)
		if v.Link = state.WebLink(cmp.Or(m.Links.Review, m.Links.Run)); v.Approve == v.Link {
			v.Approve = ""
		}
		return v
	case m.Kind != state.MessageBaseline && !r.Run.Baseline: // of which nobody needs an alarm for each port
		v.total = len(r.Changes)
		for _, h := range state.FoldFirst(r.Changes, mostChanges) {
			for _, c := range h.Changes {
				v.Lines = append(v.Lines, change(c))
				v.changes++
			}
		}
	}
	if v.Approve == v.Link {
		v.Approve = ""
	}
	v.More = state.MoreOf(v.changes, v.total, v.nouns)
	v.Waiting = waiting(r)
	return v
}

// toApprove returns where what awaits approval can be approved: the one port if it is only
// one, else the page that has all of them.
func toApprove(to state.MessageLinks, r state.Report) string {
	if at, only := r.SoleAwaiting(); only {
		if link := to.ToApprove(at.Host, at.Port); link != "" {
			return link
		}
	}
	if _, unapproved := r.OpenPorts(); unapproved == 0 {
		return ""
	}
	return state.WebLink(to.Review)
}

// sign stands before the subject, which says the same in words.
func sign(m state.Message) string {
	switch {
	case m.Kind == state.MessageTrouble:
		return "!"
	case m.Kind == state.MessageReminder:
		return state.MoodWaiting.Glyph()
	case m.Report != nil:
		return m.Report.Mood().Glyph()
	}
	return "·"
}

// said returns what a message says itself.
func said(texts []string) (lines []string) {
	for _, text := range texts[:min(mostSaid, len(texts))] {
		if text = state.Inert(text, 200); text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}

// longest adds the ports that have waited the longest.
func (v *view) longest(r state.Report) {
	_, v.total = r.OpenPorts()
	v.nouns = "ports"
	for _, h := range r.LongestWaiting(mostWaiting) {
		for i := range h.Ports {
			p := &h.Ports[i]
			line := host(h.Address, h.Name()) + ": ◇ " + port(p.Port)
			if detail := state.Inert(p.Service.Summary(), 80); detail != "" {
				line += ", " + detail
			}
			v.Lines = append(v.Lines, line+" (since "+p.FirstSeen.Format("2006-01-02")+")")
			v.changes++
		}
	}
	v.More = state.MoreOf(v.changes, v.total, v.nouns)
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
