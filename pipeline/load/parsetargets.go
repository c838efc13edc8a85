package load

import (
	"fmt"
	"regexp"
	"slices"

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
		key{"vantage", func(n *yaml.Node) { t.Vantage = p.vantages(n) }},
		key{"hosts", func(n *yaml.Node) { p.targetHosts(n, &t) }},
		key{"exclude", func(n *yaml.Node) { t.Exclude = p.exclusions(n) }},
		key{"tags", func(n *yaml.Node) { t.Tags = p.tags(n) }},
		key{"ssh", func(n *yaml.Node) { t.SSH = p.targetSSH(n) }},
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

// targetHosts reads what to scan. A target may stand in the file once for each
// vantage: two owners of the same hosts would leave open whose they are.
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
		for _, vantage := range t.vantages() {
			if line, twice := p.hosts[mention{spec, vantage}]; twice {
				p.add(n.Line, "target %s is already named at line %d: keep one of them", show(spec.String()), line)
				return
			}
		}
		for _, vantage := range t.vantages() {
			p.hosts[mention{spec, vantage}] = n.Line
		}
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

// vantages reads where a target is scanned from, sorted and without repetition.
func (p *parser) vantages(node *yaml.Node) []string {
	var names []string
	p.each(node, func(n *yaml.Node) {
		if name, ok := p.text(n, "vantage"); !ok {
			return
		} else if err := CheckVantage(name); err != nil {
			p.addErr(n.Line, err)
		} else {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// CheckVantage returns an error if a text cannot be the name of a vantage.
func CheckVantage(name string) error { return checkName("vantage", name) }

// checkName says whether a text can name something that the user makes up.
func checkName(what, name string) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`).MatchString(name) {
		return fmt.Errorf("%s name %s: it takes lower-case letters, digits, dashes and underscores", what, show(name))
	}
	return nil
}

func (p *parser) owner(node *yaml.Node, into *string) {
	text, ok := p.text(node, "owner")
	if !ok {
		return
	}
	if err := checkOwner(text); err != nil {
		p.addErr(node.Line, err)
		return
	}
	*into = text
}
