package web

import (
	"net/url"
	"strings"

	"ownmap/pipeline/state"
)

// clash says what has changed between what a page showed and what is there now.
type clash struct {
	Was   string // what the page showed: "12 ports on 4 hosts"
	Now   string
	Known bool // it is known which ports they are
	Rows  []clashRow
	More  string
	shown string
}

// clashRow is a port that is not as the page showed it.
type clashRow struct {
	Sign, Class string
	What        string // "22/tcp on 10.20.0.7"
	Words       string
	Now         string // what is there now
}

// shownOf is what a page shows, for it to come back with the form.
func shownOf(rows []state.PortRow) string {
	texts := make([]string, len(rows))
	for i, r := range rows {
		texts[i] = pickText(r.Host, r.Port) + "~" + r.Seen()
	}
	return strings.Join(texts, " ")
}

func clashOf(form url.Values) *clash {
	c := &clash{shown: form.Get("shown")}
	ports, hosts := state.OneLine(form.Get("ports"), 12), state.OneLine(form.Get("hosts"), 12)
	c.Was = ports + " ports on " + hosts + " hosts"
	if ports == "1" {
		c.Was = "1 port"
	}
	return c
}

// compare finds what is not as it was shown.
func (c *clash) compare(rows []state.PortRow, now state.Preview) {
	c.Now = counted(now.Ports, "port", "ports") + " on " + counted(now.Hosts, "host", "hosts")
	if c.shown == "" || now.Ports > len(rows) {
		return
	}
	c.Known = true
	shown := make(map[string]string)
	var order []string
	for text := range strings.FieldsSeq(c.shown) {
		name, seen, _ := strings.Cut(text, "~")
		if _, err := parsePick(name); err == nil && len(order) < shownRows {
			shown[name] = seen
			order = append(order, name)
		}
	}
	still := make(map[string]bool)
	for _, r := range rows {
		name := pickText(r.Host, r.Port)
		still[name] = true
		what := r.String() + " on " + r.Host.Label()
		switch seen, was := shown[name]; {
		case !was:
			c.add(clashRow{"+", "came", what, "was not shown", r.Service.Summary()})
		case seen != r.Seen():
			c.add(clashRow{"~", "differs", what, "is another service or process than was shown", strings.TrimSpace(r.Service.Summary() + " " + r.Behind().String())})
		}
	}
	for _, name := range order {
		if !still[name] {
			pick, _ := parsePick(name) // it was parsed before
			c.add(clashRow{"−", "went", pick.Port.String() + " on " + pick.Address.String(), "is not open any more, or approved, or not selected", ""})
		}
	}
	c.More = state.MoreOf(min(len(c.Rows), confirmRows), len(c.Rows), "changes")
	c.Rows = c.Rows[:min(len(c.Rows), confirmRows)]
}

func (c *clash) add(row clashRow) { c.Rows = append(c.Rows, row) }

// ownersOf counts the ports of each owner: "web-team@example.org 3, nobody 1".
func ownersOf(rows []state.PortRow) string {
	counts := make(map[string]int)
	var order []string
	for _, r := range rows {
		if counts[r.Owner]++; counts[r.Owner] == 1 {
			order = append(order, r.Owner)
		}
	}
	texts := make([]string, len(order))
	for i, owner := range order {
		name := owner
		if name == "" {
			name = "nobody"
		}
		texts[i] = name + " " + number(counts[owner])
	}
	return strings.Join(texts, ", ")
}
