package email

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// mostOwners is how many owners the table has lines for.
const mostOwners = 12

// unapproved is what awaits approval: how much, since when and whose, then port by
// port, what waits longest first. A baseline is told as one number: nobody needs an
// alarm for each port on the first day.
func (s *sections) unapproved(waiting []state.Waiting) *section {
	part := &section{Title: titleUnapproved, nouns: "unapproved ports", share: 30}
	for _, w := range waiting {
		part.total += w.All
	}
	if part.total == 0 {
		part.Lead = []string{"Every open port is approved."}
		return part
	}
	for _, w := range waiting[:min(mostOwners, len(waiting))] {
		part.Owners = append(part.Owners, ownerRow{cmp.Or(say(w.Owner, longOwner), "no owner"), w.All, ages(w), w.Oldest.Format(time.DateOnly)})
	}
	if more := state.MoreOf(len(part.Owners), len(waiting), "owners"); more != "" {
		part.Tail = append(part.Tail, more)
	}
	if s.report.Run.Baseline {
		part.Lead = []string{state.Count(part.total, "port awaits", "ports await") + " approval: on the first run all that is open is unapproved."}
		if s.review == "" {
			part.Tail = append(part.Tail, "List them: ownmap ports --unapproved", "Approve all that is right as it is: ownmap approve --all --reason WHY")
		}
		part.total = 0
		return part
	}
	for _, h := range s.waiting {
		part.all = append(part.all, s.waitingHost(h))
	}
	return part
}

// ages says how many of an owner's ports have been seen for how long.
func ages(w state.Waiting) string {
	var parts []string
	for _, part := range []struct {
		n     int
		words string
	}{{w.New, "new"}, {w.Week, "up to 7 days"}, {w.Month, "up to 30 days"}, {w.Older, "over 30 days"}} {
		if part.n > 0 {
			parts = append(parts, strconv.Itoa(part.n)+" "+part.words)
		}
	}
	return strings.Join(parts, ", ")
}

func (s *sections) waitingHost(h state.HostReport) group {
	g := group{Host: say(h.Label(), longLabel), Link: s.hostLink(h.ID), About: cmp.Or(say(h.Owner, longOwner), "no owner")}
	waits := s.unapprovedOf(h.ID)
	if g.Waits = len(waits); g.Waits > 1 {
		g.Approve = s.to.ToApprove(h.ID, waits...)
	}
	linked := g.Approve != ""
	for _, p := range h.Ports {
		r := row{Sign: "◇", Class: "waits", Name: say(p.String(), 20), Words: say(p.Service.Summary(), longWords), Approve: s.to.ToApprove(h.ID, p.Port)}
		r.Tag = "since " + p.FirstSeen.Format(time.DateOnly) + ", " + state.Age(p.FirstSeen, s.report.Run.StartedAt)
		if p.StaleSince != nil {
			r.Detail = "not looked at since " + p.StaleSince.Format(time.DateOnly)
		}
		if process := p.Behind().String(); process != "" {
			r.Detail = say(strings.TrimPrefix(r.Detail+", "+process, ", "), longDetail)
		}
		linked = linked || r.Approve != ""
		g.Rows = append(g.Rows, r)
	}
	if !linked && h.Address.IsValid() {
		g.address = h.Address.WithZone("").String() // a zone is a text that may hold anything
	}
	return g
}

// longestCommand is how long a command gets, in bytes.
const longestCommand = 150

// command is what to type to approve the rows of a group; empty where they have links.
// Only an address and ports are in it, never a text that a host could have chosen: it
// is to be pasted into a shell.
func (g group) command() string {
	if g.address == "" {
		return ""
	}
	text := "ownmap approve " + g.address
	for _, r := range g.Rows {
		if _, err := state.ParsePort(r.Name); err == nil && len(text) < longestCommand-30 {
			text += " " + r.Name
		}
	}
	return text + " --reason WHY"
}
