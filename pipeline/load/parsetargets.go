package load

import (
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

func (p *parser) targets(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		p.add(node.Line, "targets is %s: it takes a list, like \"- hosts: 10.20.0.0/24\"", kindOf(node))
		return
	}
	p.each(node, p.target)
}

func (p *parser) target(node *yaml.Node) {
	var t Target
	before := len(p.list)
	p.fields(node, "a target",
		key{"hosts", func(n *yaml.Node) { p.targetHosts(n, &t) }},
		key{"exclude", func(n *yaml.Node) { t.Exclude = p.exclusions(n) }},
		key{"tags", func(n *yaml.Node) { t.Tags = p.words(n, "tag") }},
		key{"owner", func(n *yaml.Node) { p.owner(n, &t.Owner) }},
		key{"profile", func(n *yaml.Node) {
			if name, ok := p.text(n, "profile"); ok {
				t.Profile = name
				p.used = append(p.used, namedProfile{name, n.Line})
			}
		}},
	)
	if len(t.Hosts) == 0 && len(p.list) == before {
		p.add(node.Line, "a target without hosts: name addresses, prefixes, ranges or DNS names under hosts")
	}
	p.config.Targets = append(p.config.Targets, t)
}

// targetHosts reads what to scan. A target may stand in the file once only: two
// owners of the same hosts would leave open whose they are.
func (p *parser) targetHosts(node *yaml.Node, t *Target) {
	p.each(node, func(n *yaml.Node) {
		spec, ok := p.spec(n, "hosts")
		if !ok {
			return
		}
		if err := spec.CheckCap(p.config.Scan.MaxAddresses); err != nil {
			p.addErr(n.Line, err)
			return
		}
		if line, twice := p.hosts[spec]; twice {
			p.add(n.Line, "target %s is already named at line %d: keep one of them", show(spec.String()), line)
			return
		}
		p.hosts[spec] = n.Line
		t.Hosts, t.where = append(t.Hosts, spec), append(t.where, fmt.Sprintf("%s:%d", p.file, n.Line))
	})
}

func (p *parser) exclusions(node *yaml.Node) []state.Spec {
	var specs []state.Spec
	p.each(node, func(n *yaml.Node) {
		spec, ok := p.spec(n, "exclude")
		if !ok {
			return
		}
		if err := CheckExclusion(spec); err != nil {
			p.addErr(n.Line, err)
			return
		}
		specs = append(specs, spec)
	})
	return specs
}

func (p *parser) spec(node *yaml.Node, what string) (state.Spec, bool) {
	text, ok := p.text(node, what)
	if !ok {
		return state.Spec{}, false
	}
	spec, err := state.ParseSpec(text)
	if err != nil {
		p.addErr(node.Line, err)
	}
	return spec, err == nil
}

func (p *parser) owner(node *yaml.Node, into *string) {
	const most = 254 // a mail address (RFC 5321 with erratum 1690)
	text, ok := p.text(node, "owner")
	if ok && (len(text) > most || text != state.Clean(text)) {
		p.add(node.Line, "owner %s: it takes a name or a mail address of at most %d bytes without control characters", show(text), most)
		return
	}
	*into = text
}

func (p *parser) profiles(node *yaml.Node) {
	for _, entry := range p.mapping(node, "profiles", "names of profiles") {
		if !regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`).MatchString(entry.name) {
			p.add(entry.line, "profile name %s: it takes lower-case letters, digits, dashes and underscores", show(entry.name))
			continue
		}
		p.config.Profiles[entry.name] = p.profile(entry)
	}
}

// profile reads a profile; what it leaves open is as in the built-in profile of
// the same name, else as in a new one.
func (p *parser) profile(entry pair) Profile {
	profile, ok := p.config.Profiles[entry.name]
	if !ok {
		profile = newProfile()
	}
	before, where := len(p.list), "profile "+entry.name
	p.fields(entry.value, where,
		key{"ports", func(n *yaml.Node) {
			p.ports(n, "ports of "+where, func(text string) (err error) {
				profile.Ports, err = parsePorts(text)
				return err
			})
		}},
		key{"udp", func(n *yaml.Node) {
			p.ports(n, "udp of "+where, func(text string) (err error) {
				profile.UDP, err = parseUDP(text)
				return err
			})
		}},
		key{"services", func(n *yaml.Node) { p.flag(n, "services of "+where, &profile.Services) }},
		key{"timing", func(n *yaml.Node) { p.whole(n, "timing of "+where, 0, 5, &profile.Timing) }},
	)
	if profile.Ports.Top == 0 && profile.Ports.Set.Len() == 0 && profile.UDP.Len() == 0 && len(p.list) == before {
		p.add(entry.line, "%s scans nothing: name ports or udp", where)
	}
	return profile
}

// ports reads a text or number, or a list of them, as one list of ports.
func (p *parser) ports(node *yaml.Node, what string, read func(string) error) {
	before := len(p.list)
	var parts []string
	p.each(node, func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || (n.ShortTag() != "!!str" && n.ShortTag() != "!!int") {
			p.add(n.Line, "%s is %s: it takes numbers and ranges, like [22, 8000-8099]", what, kindOf(n))
			return
		}
		parts = append(parts, n.Value)
	})
	if len(p.list) > before {
		return
	}
	if err := read(strings.Join(parts, ",")); err != nil {
		p.add(node.Line, "%s: %s", what, err)
	}
}
