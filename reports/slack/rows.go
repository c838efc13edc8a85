package slack

import (
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// The longest texts of a row, in characters.
const (
	longHost   = 90
	longDetail = 140
	longOwner  = 60
)

// ofCount is kept for the line that says how many of a list are shown, in bytes of JSON.
const ofCount = 250

// The most rows that a list is made of; how many of them are shown is a matter of room.
const (
	mostChanges = 200
	mostLongest = 30
	mostOwners  = 10
	mostGaps    = 20
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

func each[T any](items []T, row func(T) line) []line {
	rows := make([]line, len(items))
	for i, item := range items {
		rows[i] = row(item)
	}
	return rows
}

// says returns texts in which words of OwnMap's and of others are mixed.
func says(texts []string, limit int) []line {
	var rows []line
	for _, text := range texts {
		if text = state.Inert(text, limit); text != "" {
			rows = append(rows, line{words(text)})
		}
	}
	return rows
}

// of puts a detail behind what it belongs to.
func (l line) of(detail string) line {
	if p := quoted(detail, longDetail); p.text != "" {
		return append(l, words(" "), p)
	}
	return l
}

// changes adds what changed, by host, and says how many changes are shown.
func (p *page) changes(m state.Message, r state.Report) {
	if len(r.Changes) == 0 {
		return
	}
	hosts := state.FoldFirst(r.Changes, mostChanges)
	await := r.Awaiting(func(yield func(int64) bool) {
		for i := range hosts {
			if !yield(hosts[i].HostID) {
				return
			}
		}
	})
	rows := func(to state.MessageLinks) (rows []line) {
		for _, h := range hosts {
			for i, c := range h.Changes {
				var row line
				if i == 0 {
					row = line{quoted(h.Label, longHost), words("\n")}
				}
				row = append(row, change(c)...)
				if slices.Contains(await[c.HostID], c.Port) {
					row = row.approve("approve", to.ToApprove(c.HostID, c.Port))
				}
				rows = append(rows, row)
			}
		}
		return rows
	}
	shown := p.linked("What changed: "+state.CountSeverities(r.Changes), m.Links, rows, p.left-ofCount)
	if more := state.MoreOf(shown, len(r.Changes), "changes"); more != "" {
		p.rows("", []line{{words(more)}}, ofCount)
	}
}

// approve puts a link to approve behind what it approves, if there is one.
func (l line) approve(text, link string) line {
	if link == "" || jsonSize(link) > longLink {
		return l
	}
	return append(l, words("  "), piece{text: text, link: link, bold: true})
}

// linked is rows with links to approve, if all of them fit: what is to be known goes before
// what is handy, and the page to which the message leads has all of them.
func (p *page) linked(heading string, to state.MessageLinks, rows func(state.MessageLinks) []line, share int) (shown int) {
	if to.Approve != nil {
		handy, try := rows(to), *p
		try.blocks = slices.Clone(p.blocks)
		if try.rows(heading, handy, share) == len(handy) {
			*p = try
			return len(handy)
		}
	}
	return p.rows(heading, rows(state.MessageLinks{}), share)
}

func change(c state.Change) line {
	what := strings.ReplaceAll(c.Kind.Sign(), "-", "−") + " "
	if c.OfPort() {
		what += portName(c.Port) + " "
	}
	return line{words(what + c.Kind.Words() + " (" + string(c.Kind.Severity()) + ")")}.of(c.Detail())
}

// portName spells a port as nmap does; an unknown protocol could be any text.
func portName(p state.Port) string {
	if _, err := state.ParsePort(p.String()); err != nil {
		return state.Inert(p.String(), 20)
	}
	return p.String()
}

func disagreement(f state.Finding) line {
	row := line{words("! "), quoted(f.Label(), longHost), words(" ")}
	if f.OfPort() {
		row = append(row, words(portName(f.Port)+" "))
	}
	weight := string(f.Weight())
	if f.New {
		weight += ", new"
	}
	row = append(row, words(f.Kind.Words()))
	if f.Detail != "" {
		row = row.of(f.Detail)
	} else {
		row = append(row, words(": "+f.Kind.Meaning()))
	}
	return append(row, words(" ("+weight+")"))
}

func voided(a state.Approval) line {
	row := line{quoted(a.Address.String(), longHost), words(" " + portName(a.Port) + ", approved " + strings.TrimSuffix(a.ByAuthor(), a.By)), quoted(a.By, longOwner)}
	switch a.EndReason {
	case state.EndedExpired:
		return append(row, words(": its time is over"))
	case state.EndedDrifted:
		return append(row, words(": something else listens there now"))
	case state.EndedRule:
		return append(row, words(": the rule is gone, or does not match any more"))
	case state.EndedRevoked, state.EndedSuperseded:
	}
	return append(row, words(": "+state.Inert(string(a.EndReason), 30)))
}

// waiting adds whose the unapproved ports are, and how long they have been seen.
func (p *page) waiting(r state.Report) {
	owners := r.WaitingByOwner()
	var rows []line
	for _, w := range owners[:min(mostOwners, len(owners))] {
		row := line{words(state.Count(w.All, "port", "ports"))}
		if owner := quoted(w.Owner, longOwner); owner.text != "" {
			row = append(row, words(" of "), owner)
		} else {
			row = append(row, words(" without owner"))
		}
		age := state.Age(w.Oldest, r.Run.StartedAt)
		if age != "new" {
			age = "oldest " + age
		}
		rows = append(rows, append(row, words(", "+age)))
	}
	_, all := r.OpenPorts()
	shown := p.rows(state.Count(all, "port awaits", "ports await")+" approval", rows, shareWaiting-ofCount)
	if more := state.MoreOf(shown, len(owners), "owners"); more != "" {
		p.rows("", []line{{words(more)}}, ofCount)
	}
}

// longest adds the ports that have waited the longest.
func (p *page) longest(m state.Message, r state.Report) {
	_, all := r.OpenPorts()
	hosts := r.LongestWaiting(mostLongest)
	await := r.Awaiting(func(yield func(int64) bool) {
		for i := range hosts {
			if !yield(hosts[i].ID) {
				return
			}
		}
	})
	rows := func(to state.MessageLinks) (rows []line) {
		for _, h := range hosts {
			for i := range h.Ports {
				port := &h.Ports[i]
				var row line
				if i == 0 {
					row = line{quoted(h.Label(), longHost)}
					if all := await[h.ID]; len(all) > 1 {
						row = row.approve("approve all "+strconv.Itoa(len(all)), to.ToApprove(h.ID, all...))
					}
					row = append(row, words("\n"))
				}
				row = append(row, words("◇ "+portName(port.Port))).of(port.Service.Summary())
				row = append(row, words(", since "+port.FirstSeen.Format("2006-01-02")))
				rows = append(rows, row.approve("approve", to.ToApprove(h.ID, port.Port)))
			}
		}
		return rows
	}
	shown := p.linked("Waiting the longest", m.Links, rows, shareLongest-ofCount)
	if more := state.MoreOf(shown, all, "ports"); more != "" {
		p.rows("", []line{{words(more)}}, ofCount)
	}
}

// gaps returns what was not looked at, from outside and from inside.
func gaps(r state.Report) []line {
	var rows []line
	for _, g := range r.Gaps {
		row := line{words("◐ "), quoted(g.Label, longHost), words(" " + strings.ReplaceAll(string(g.Status), "_", " ")), words(" (" + string(g.Protocol) + ")")}
		row = row.of(g.Reason)
		if g.Since != nil {
			row = append(row, words(", known as of "+g.Since.Format("2006-01-02")))
		}
		rows = append(rows, row)
	}
	if inside := state.Inert(r.InsideWords(), 300); inside != "" && len(r.InsideGaps) > 0 {
		rows = append(rows, line{words(inside)})
	}
	return rows
}
