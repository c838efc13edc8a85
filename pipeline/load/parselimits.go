package load

import (
	"fmt"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// limits reads scan.limits: who asks for politeness, and for which.
func (p *parser) limits(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		p.add(node.Line, "scan.limits is %s: it takes a list, like \"- {network: 10.20.9.0/28, max_rate: 100}\"", kindOf(node))
		return
	}
	p.each(node, p.limit)
}

func (p *parser) limit(node *yaml.Node) {
	l := Limit{where: fmt.Sprintf("%s:%d", p.file, node.Line)}
	before := len(p.list)
	p.fields(node, "a limit",
		key{"network", func(n *yaml.Node) { l.Network = p.networks(n) }},
		key{"tag", func(n *yaml.Node) { l.Tag = p.tags(n) }},
		key{"max_rate", func(n *yaml.Node) { p.whole(n, "max_rate", 1, 1_000_000, &l.MaxRate) }},
		key{"fragile", func(n *yaml.Node) { p.flag(n, "fragile", &l.Fragile) }},
		key{"windows", func(n *yaml.Node) { l.Windows = p.windows(n) }},
	)
	if len(p.list) > before {
		return
	}
	switch {
	case len(l.Network) == 0 && len(l.Tag) == 0:
		p.add(node.Line, "a limit for nobody: name the hosts by network or by tag")
	case len(l.Network) > 0 && len(l.Tag) > 0:
		p.add(node.Line, "a limit with both network and tag: make two of it, the tightest of all that match a host counts")
	case l.MaxRate == 0 && !l.Fragile && len(l.Windows) == 0:
		p.add(node.Line, "a limit that limits nothing: set max_rate, fragile or windows")
	}
	p.config.Scan.Limits = append(p.config.Scan.Limits, l)
}

// networks reads whom a limit is for. A name is refused: what it stands for
// tonight may be another host than the one that has to be spared.
func (p *parser) networks(node *yaml.Node) []state.Spec {
	var specs []state.Spec
	p.each(node, func(n *yaml.Node) {
		spec, ok := p.spec(n, "network")
		switch {
		case !ok:
		case spec.Kind() == state.SpecName:
			p.add(n.Line, "network %s is a DNS name: write its addresses, or give its target a tag and limit that", show(spec.String()))
		default:
			specs = append(specs, spec)
		}
	})
	return specs
}

func (p *parser) windows(node *yaml.Node) []Window {
	var windows []Window
	p.each(node, func(n *yaml.Node) {
		text, ok := p.text(n, "windows")
		if !ok {
			return
		}
		w, err := parseWindow(text)
		if err != nil {
			p.addErr(n.Line, err)
			return
		}
		if !slices.ContainsFunc(windows, func(other Window) bool { return other.String() == w.String() }) {
			windows = append(windows, w)
		}
	})
	return windows
}

// timeZone reads a name of the IANA time zone database.
func (p *parser) timeZone(node *yaml.Node, what string, into *string) {
	text, ok := p.text(node, what)
	if !ok || text == "" {
		return
	}
	if _, err := time.LoadLocation(text); err != nil || text == time.Local.String() {
		p.add(node.Line, "%s: unknown time zone %s, write it like Europe/Berlin or UTC", what, show(text))
		return
	}
	*into = text
}

// deadline reads how long a run may take; 0 is as long as it likes.
func (p *parser) deadline(node *yaml.Node, into *Duration) {
	const least, most = Duration(time.Minute), Duration(7 * 24 * time.Hour)
	if d, err := time.ParseDuration(node.Value); node.Kind == yaml.ScalarNode && err == nil && d == 0 {
		*into = 0
		return
	}
	before := len(p.list)
	p.duration(node, "scan.deadline", least, most, into)
	if len(p.list) > before {
		p.list[before].Msg += ", or 0 for none"
	}
}
