package load

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

func (p *parser) profiles(node *yaml.Node) {
	for _, entry := range p.mapping(node, "profiles", "names of profiles") {
		if err := checkName("profile", entry.name); err != nil {
			p.addErr(entry.line, err)
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
		key{"version_intensity", func(n *yaml.Node) {
			p.whole(n, "version_intensity of "+where, 0, 9, &profile.VersionIntensity)
		}},
		key{"scripts", func(n *yaml.Node) { profile.Scripts = p.scripts(n, "scripts of "+where) }},
	)
	if len(profile.Scripts) > 0 && !profile.Services && len(p.list) == before {
		p.add(entry.line, "%s has scripts without service detection, which they run with: set services to true, or remove them", where)
	}
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

// scripts reads names of NSE scripts, sorted and without repetition.
func (p *parser) scripts(node *yaml.Node, what string) []string {
	var names []string
	p.each(node, func(n *yaml.Node) {
		name, ok := p.text(n, what)
		if !ok {
			return
		}
		if err := checkScript(name); err != nil {
			p.add(n.Line, "%s: %s", what, err)
			return
		}
		names = append(names, name)
	})
	slices.Sort(names)
	return slices.Compact(names)
}
