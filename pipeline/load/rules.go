package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// StateRules returns the rules that approve ports, those of the config before those of the file that
// it names: of two that match a port the first one approves.
func (c Config) StateRules() []state.Rule { return slices.Concat(c.Rules, c.fileRules) }

// rules reads a list of rules.
func (p *parser) rules(node *yaml.Node) []state.Rule {
	if node.Kind != yaml.SequenceNode {
		p.add(node.Line, "rules is %s: it takes a list, like \"- {approve: [22/tcp], tags: [prod], reason: bastion policy}\"", kindOf(node))
		return nil
	}
	var rules []state.Rule
	seen := make(map[string]string)
	for _, element := range node.Content {
		rule, ok := p.rule(follow(element))
		if !ok {
			continue
		}
		if where, twice := seen[rule.ID()]; twice {
			p.add(element.Line, "the rule says the same as the one at %s: keep one of them", where)
			continue
		}
		seen[rule.ID()] = rule.Where
		rules = append(rules, rule)
	}
	return rules
}

func (p *parser) rule(node *yaml.Node) (state.Rule, bool) {
	rule := state.Rule{Where: fmt.Sprintf("%s:%d", filepath.Base(p.file), node.Line)}
	before := len(p.list)
	line := func(what string, into *string) key {
		return key{what, func(n *yaml.Node) {
			if text, ok := p.text(n, what); ok {
				if len(text) > 512 || text != state.Clean(text) {
					p.add(n.Line, "%s %s: it takes a line of at most 512 bytes without control characters", what, show(text))
				}
				*into = text
			}
		}}
	}
	p.fields(node, "a rule",
		key{"approve", func(n *yaml.Node) { rule.Approve = p.rulePorts(n) }},
		key{"hosts", func(n *yaml.Node) {
			p.each(n, func(n *yaml.Node) {
				if spec, ok := p.spec(n, "hosts"); ok {
					rule.Hosts = append(rule.Hosts, spec)
				}
			})
			if len(rule.Hosts) == 0 {
				p.add(n.Line, "hosts of a rule is empty: name some, or leave it out to mean all hosts")
			}
		}},
		key{"tags", func(n *yaml.Node) {
			if rule.Tags = p.tags(n); len(rule.Tags) == 0 {
				p.add(n.Line, "tags of a rule is empty: name some, or leave it out to mean all hosts")
			}
		}},
		line("service", &rule.Service), line("product", &rule.Product), line("process", &rule.Process), line("reason", &rule.Reason), line("by", &rule.By),
		key{"until", func(n *yaml.Node) { rule.Until = p.ruleEnd(n) }},
	)
	if len(rule.Approve) == 0 && len(p.list) == before {
		p.add(node.Line, "a rule without ports: name some under approve, like 22/tcp")
	}
	return rule, len(p.list) == before
}

// rulePorts reads ports; a bare number is TCP.
func (p *parser) rulePorts(node *yaml.Node) []state.RulePorts {
	var list []state.RulePorts
	p.each(node, func(n *yaml.Node) {
		text := n.Value
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
			var ok bool
			if text, ok = p.text(n, "approve"); !ok {
				return
			}
		}
		ports, err := state.ParseRulePorts(text)
		if err != nil {
			p.add(n.Line, "approve: %s; write ports like 22/tcp or 8000-8010/tcp", err)
			return
		}
		list = append(list, ports)
	})
	return list
}

// ruleEnd reads a date, which is good to its end in the zone of reports, or a time.
func (p *parser) ruleEnd(node *yaml.Node) *time.Time {
	if node.Kind == yaml.ScalarNode {
		if at, err := time.Parse(time.RFC3339, node.Value); err == nil {
			at = at.UTC()
			return &at
		}
		if day, err := time.ParseInLocation(time.DateOnly, node.Value, p.config.Reports.Zone()); err == nil {
			end := day.AddDate(0, 0, 1).UTC()
			return &end
		}
	}
	p.add(node.Line, "until is %s: it takes a date like 2027-06-30, or a time like 2027-06-30T12:00:00Z", valueOf(node))
	return nil
}

// readRules reads the file of rules that the config names. Its mistakes are told with its
// own name.
func (p *parser) readRules() {
	path := p.config.RulesFile
	if path == "" {
		return
	}
	text, mode, err := readFile(path, maxConfig)
	if err != nil {
		p.add(p.rulesLine, "rules_file: %s; correct the path, or the rights of the file", err)
		return
	}
	if mode&0o022 != 0 {
		p.warn("%s can be written by others than its owner, who decide then what is approved: chmod go-w %s", path, path)
	}
	own := &parser{faults: faults{file: path}, config: p.config}
	if root := own.rulesDocument(text); root != nil {
		own.fields(root, "the file of rules", key{"rules", func(n *yaml.Node) { p.config.fileRules = own.rules(n) }})
	}
	p.list = append(p.list, own.list...)
}

// rulesDocument returns the one document of a file of rules. Without any rule it may be empty.
func (p *parser) rulesDocument(text []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		p.syntax(text, err)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		p.add(second.Line, "a second document begins here: remove the --- line")
	}
	if root := first.Content[0]; !missing(root) {
		return root
	}
	return nil
}
