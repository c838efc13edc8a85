package text

import (
	"io"
	"strings"

	"ownmap/pipeline/state"
)

// Diff writes a comparison by host and port, in nmap's columns: "+" for what
// came, "-" for what went, "~" for what became different and "?" for what nobody
// looked at. The last line has the totals.
func Diff(w io.Writer, c state.Comparison, options Options) error {
	p := &page{options: options}
	p.text("Changes from "+c.A+" to "+c.B, "", bold)
	if len(c.Changes) > 0 {
		p.blank()
		p.diff(c.Changes)
	}
	p.unlooked(c)
	p.blank()
	p.text(totals(c), "", bold)
	return p.writeTo(w)
}

func (p *page) diff(changes []state.Change) {
	t := table{columns: []column{{}, {title: "PORT"}, {title: "STATE"}, {title: "SERVICE", floor: 12}, {title: "VERSION", floor: 20}}}
	for i, c := range changes {
		if i == 0 || c.Address != changes[i-1].Address || c.Vantage != changes[i-1].Vantage {
			about := ""
			if c.Vantage != "" && c.Vantage != state.DefaultVantage {
				about = "  seen from " + c.Vantage
			}
			t.heading(span{c.Label(), bold}, span{about, dim})
		}
		row := diffRow(c)
		cells := []span{{c.Kind.Sign(), signStyle(c.Kind)}}
		for _, text := range row {
			cells = append(cells, span{text, signStyle(c.Kind)})
		}
		t.add(cells...)
	}
	t.write(p)
}

// diffRow returns what stands under PORT, STATE, SERVICE and VERSION. What went
// shows what it was, as in a unified diff.
func diffRow(c state.Change) [4]string {
	was, now := c.Was, c.Now
	switch c.Kind {
	case state.HostNew, state.HostDown, state.HostBack, state.HostRenamed:
		return [4]string{"host", strings.TrimPrefix(string(c.Kind), "host-"), "", became(was.Name, now.Name)}
	case state.PortOpened, state.PortFound:
		return portRow(c.Port, string(now.State), now.Service)
	case state.PortClosed:
		return portRow(c.Port, string(was.State), was.Service)
	case state.PortUncertain:
		service := now.Service
		if now.State == "" {
			now.State, service = "not open", was.Service
		}
		return portRow(c.Port, became(string(was.State), string(now.State)), service)
	case state.ServiceChanged, state.ProductChanged, state.VersionChanged, state.ServiceIdentified:
		return [4]string{c.Port.String(), string(now.State), became(was.Service.String(), now.Service.String()), became(was.Service.Described(), now.Service.Described())}
	case state.ProcessChanged, state.ProcessUpdated, state.ListenerNew, state.ListenerGone, state.BindChanged:
		return [4]string{c.Port.String(), c.Kind.Words(), "", c.Detail()}
	}
	return portRow(c.Port, string(now.State), now.Service)
}

func portRow(port state.Port, word string, s state.Service) [4]string {
	return [4]string{port.String(), word, s.String(), s.Described()}
}

// became returns "was → now", or one of them where that says all.
func became(was, now string) string {
	switch {
	case was == now || was == "":
		return now
	case now == "":
		now = "unknown"
	}
	return was + " → " + now
}

// kinds is the plural of a kind: "ports opened", "processes changed".
func kinds(k state.Kind) string {
	noun, rest, _ := strings.Cut(k.Words(), " ")
	if strings.HasSuffix(noun, "s") {
		noun += "e"
	}
	return noun + "s " + rest
}

// unlooked adds what the comparison says nothing about.
func (p *page) unlooked(c state.Comparison) {
	var notes []string
	if n := c.Coverage.NotScanned; n > 0 {
		notes = append(notes, "not looked at: "+state.Count(n, "host", "hosts"))
	}
	if n := c.Coverage.Silent; n > 0 {
		notes = append(notes, "silent: "+state.Count(n, "host", "hosts"))
	}
	notes = append(notes, c.Notes...)
	if len(notes) > 0 {
		p.blank()
	}
	for _, note := range notes {
		p.text("? "+note, "", dim)
	}
}

// totals returns the counts of all kinds, the most severe first.
func totals(c state.Comparison) string {
	counts := make(map[state.Kind]int)
	for _, change := range c.Changes {
		counts[change.Kind]++
	}
	var parts []string
	for _, kind := range []state.Kind{
		state.PortOpened, state.ServiceChanged, state.ProductChanged, state.ProcessChanged, state.HostNew, state.HostDown, state.BindChanged,
		state.PortFound, state.PortClosed, state.HostBack, state.HostRenamed, state.ListenerNew,
		state.VersionChanged, state.ServiceIdentified, state.PortUncertain, state.ProcessUpdated, state.ListenerGone,
	} {
		if n := counts[kind]; n > 0 {
			parts = append(parts, state.Count(n, kind.Words(), kinds(kind)))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no changes")
	}
	if c.Unapproved != nil {
		parts = append(parts, unapprovedCount(*c.Unapproved))
	}
	return strings.Join(parts, ", ") + "; " + number(c.Coverage.Answered) + " of " + state.Count(c.Coverage.Hosts, "host", "hosts") + " answered"
}
