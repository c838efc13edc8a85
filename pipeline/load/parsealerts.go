package load

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/state"
)

func (p *parser) routes(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		p.add(node.Line, "routes is %s: it takes a list, like \"- {tags: [dmz], channels: [ops-mail]}\"", kindOf(node))
		return
	}
	p.each(node, p.route)
	p.checkRoutes(node.Line)
}

func (p *parser) route(node *yaml.Node) {
	r := Route{line: node.Line}
	before := len(p.list)
	p.fields(node, "a route",
		key{"tags", func(n *yaml.Node) { r.Tags = p.tags(n) }},
		key{"owners", func(n *yaml.Node) { r.Owners = p.owners(n) }},
		key{"hosts", func(n *yaml.Node) { r.Hosts = p.specs(n, "hosts") }},
		key{"vantages", func(n *yaml.Node) { r.Vantages = p.vantages(n) }},
		key{"severity", func(n *yaml.Node) {
			var word string
			p.choice(n, "severity", severities(), &word)
			r.Severity = state.Severity(word)
		}},
		key{"kinds", func(n *yaml.Node) { r.Kinds = p.kinds(n) }},
		key{"channels", func(n *yaml.Node) {
			p.each(n, func(n *yaml.Node) {
				if name, ok := p.text(n, "channels"); ok && p.knownChannel(n.Line, "channels", name) && !slices.Contains(r.Channels, name) {
					r.Channels = append(r.Channels, name)
				}
			})
		}},
		key{"group_by", func(n *yaml.Node) {
			p.each(n, func(n *yaml.Node) {
				var words []string
				for _, g := range alert.Groups() {
					words = append(words, string(g))
				}
				word := ""
				if p.choice(n, "group_by", words, &word); word != "" && !slices.Contains(r.GroupBy, alert.Group(word)) {
					r.GroupBy = append(r.GroupBy, alert.Group(word))
				}
			})
		}},
		key{"to", func(n *yaml.Node) { p.choice(n, "to", []string{ToOwner}, &r.To) }},
		key{"nobody", func(n *yaml.Node) { p.flag(n, "nobody", &r.Nobody) }},
		key{"continue", func(n *yaml.Node) { p.flag(n, "continue", &r.Continue) }},
	)
	switch {
	case len(p.list) > before:
	case len(r.Channels) == 0 && !r.Nobody:
		p.add(node.Line, "a route without channels: name some, or say nobody: true if really nobody is to be told")
	case len(r.Channels) > 0 && r.Nobody:
		p.add(node.Line, "a route to nobody names channels: remove one of the two")
	case r.To == ToOwner && !slices.ContainsFunc(r.Channels, func(name string) bool { return p.config.Channels[name].Type == ChannelEmail }):
		p.add(node.Line, "a route to owners needs a channel of the type %s", ChannelEmail)
	}
	p.config.Routes = append(p.config.Routes, r)
}

// checkRoutes holds that something becomes of every host: the last route takes all.
func (p *parser) checkRoutes(line int) {
	routes := p.config.Routes
	if len(routes) == 0 {
		return
	}
	for i, r := range routes {
		if r.policy().CatchAll() && !r.Continue && i < len(routes)-1 {
			p.add(routes[i+1].line, "this route is never reached: the one at line %d takes everything; put it last", r.line)
			return
		}
	}
	if !routes[len(routes)-1].policy().CatchAll() {
		p.add(line, "hosts that no route takes would be silence: end with a route that takes everything, like \"- {channels: [%s]}\"", p.anyChannel())
	}
}

func (p *parser) anyChannel() string {
	names := slices.Sorted(maps.Keys(p.config.Channels))
	if len(names) == 0 {
		return "ops-mail"
	}
	return names[0]
}

// knownChannel says whether there is a channel of that name.
func (p *parser) knownChannel(line int, what, name string) bool {
	if _, ok := p.config.Channels[name]; ok {
		return true
	}
	if len(p.config.Channels) == 0 {
		p.add(line, "%s: unknown channel %s: there are no channels yet, add some under channels", what, show(name))
		return false
	}
	p.add(line, "%s: unknown channel %s: %s", what, show(name), remedy(name, slices.Sorted(maps.Keys(p.config.Channels))))
	return false
}

func (p *parser) owners(node *yaml.Node) []string {
	var list []string
	p.each(node, func(n *yaml.Node) {
		var owner string
		if p.owner(n, &owner); !slices.Contains(list, owner) {
			list = append(list, owner)
		}
	})
	slices.Sort(list)
	return list
}

func (p *parser) specs(node *yaml.Node, what string) []state.Spec {
	var list []state.Spec
	p.each(node, func(n *yaml.Node) {
		if spec, ok := p.spec(n, what); ok {
			list = append(list, spec)
		}
	})
	return list
}

func (p *parser) kinds(node *yaml.Node) []string {
	known := []string{alert.Unapproved, alert.Void}
	for _, k := range state.Kinds() {
		known = append(known, string(k))
	}
	for _, k := range state.FindingKinds() {
		known = append(known, string(k))
	}
	var list []string
	p.each(node, func(n *yaml.Node) {
		word := ""
		if p.choice(n, "kinds", known, &word); word != "" {
			list = append(list, word)
		}
	})
	slices.Sort(list)
	return slices.Compact(list)
}

func severities() []string {
	var words []string
	for _, s := range state.Severities() {
		words = append(words, string(s))
	}
	return words
}

func (p *parser) quietTimes(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		p.add(node.Line, "windows is %s: it takes a list, like \"- {name: patches, when: '0 22 * * 6', for: 4h, tags: [prod]}\"", kindOf(node))
		return
	}
	p.each(node, func(n *yaml.Node) {
		if w, ok := p.quietTime(n); ok {
			p.config.Windows = append(p.config.Windows, w)
		}
	})
}

// quietTime reads one window.
func (p *parser) quietTime(node *yaml.Node) (w QuietTime, ok bool) {
	before := len(p.list)
	p.fields(node, "a window",
		key{"name", func(n *yaml.Node) { p.name(n, "name", &w.Name) }},
		key{"when", func(n *yaml.Node) { p.name(n, "when", &w.When) }},
		key{"for", func(n *yaml.Node) {
			p.duration(n, "for", Duration(time.Minute), Duration(31*24*time.Hour), &w.For)
		}},
		key{"quiet", func(n *yaml.Node) { p.flag(n, "quiet", &w.Quiet) }},
		key{"tags", func(n *yaml.Node) { w.Tags = p.tags(n) }},
		key{"owners", func(n *yaml.Node) { w.Owner = p.owners(n) }},
		key{"hosts", func(n *yaml.Node) { w.Hosts = p.specs(n, "hosts") }},
	)
	var err error
	switch {
	case len(p.list) > before:
	case w.Name == "" || w.When == "" || w.For == 0:
		p.add(node.Line, "a window takes name, when and for, like {name: patches, when: \"0 22 * * 6\", for: 4h}")
	case w.Quiet && len(w.Tags)+len(w.Owner)+len(w.Hosts) > 0:
		p.add(node.Line, "quiet hours are for all messages: remove tags, owners and hosts, or quiet")
	default:
		if w.schedule, err = alert.ParseSchedule(w.When, time.Duration(w.For)); err != nil {
			p.add(node.Line, "window %s: %s", show(w.Name), state.Clean(err.Error()))
		}
	}
	return w, len(p.list) == before
}

func (p *parser) watch(node *yaml.Node) {
	w := &p.config.Watch
	w.line = node.Line
	keys := append(p.secretKeys("heartbeat", "watch", &w.Heartbeat, &w.HeartbeatFile),
		key{"channels", func(n *yaml.Node) {
			p.each(n, func(n *yaml.Node) {
				if name, ok := p.text(n, "watch.channels"); ok && p.knownChannel(n.Line, "watch.channels", name) {
					w.Channels = append(w.Channels, name)
				}
			})
		}},
		key{"late", func(n *yaml.Node) { p.span(n, "watch.late", time.Hour, 366*24*time.Hour, &w.Late) }},
		key{"undelivered", func(n *yaml.Node) { p.span(n, "watch.undelivered", time.Minute, 31*24*time.Hour, &w.Undelivered) }},
		key{"wait", func(n *yaml.Node) { p.span(n, "watch.wait", time.Second, time.Hour, &w.Wait) }},
		key{"well", func(n *yaml.Node) {
			word := ""
			p.choice(n, "watch.well", []string{string(alert.WellNever), string(alert.WellWeekly), string(alert.WellAlways)}, &word)
			w.Well = alert.Well(word)
		}},
		key{"heartbeat_kind", func(n *yaml.Node) {
			p.choice(n, "watch.heartbeat_kind", []string{HeartbeatChecks, HeartbeatPlain}, &w.HeartbeatKind)
		}},
	)
	p.fields(node, "watch", keys...)
	if text := w.Heartbeat.Reveal(); text != "" {
		if u, err := url.Parse(text); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			p.add(node.Line, "watch.heartbeat: it takes an address like https://hc-ping.com/UUID")
		}
	}
}

// span reads a duration, or 0 or "never" for none.
func (p *parser) span(node *yaml.Node, what string, least, most time.Duration, into *Duration) {
	if node.Kind == yaml.ScalarNode && (node.Value == "0" || node.Value == "never") {
		*into = 0
		return
	}
	p.duration(node, what, Duration(least), Duration(most), into)
}

// remind reads when unapproved ports are told again.
func (p *parser) remind(node *yaml.Node) {
	var words []string
	last := time.Duration(0)
	p.each(node, func(n *yaml.Node) {
		word, ok := p.text(n, "remind")
		if !ok {
			return
		}
		if word == RemindEveryRun || word == RemindNever {
			if node.Kind == yaml.SequenceNode && len(node.Content) > 1 {
				p.add(n.Line, "remind: %s stands alone", word)
			}
			words = []string{word}
			return
		}
		age, err := parseAge(word)
		switch {
		case err != nil:
			p.add(n.Line, "remind: %s: it takes every-run, never, or ages like [1d, 3d, 7d, 14d]", err)
		case age <= last:
			p.add(n.Line, "remind: %s does not come after the age before it: write them rising", show(word))
		default:
			words, last = append(words, word), age
		}
	})
	if len(words) > 0 {
		p.config.Remind = words
	}
}

// parseAge reads "12h", "3d" or "2w".
func parseAge(text string) (time.Duration, error) {
	m := regexp.MustCompile(`^(\d{1,4})([hdw])$`).FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%s is no age", show(text))
	}
	n, _ := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
	if n == 0 {
		return 0, fmt.Errorf("%s is no age", show(strings.TrimSpace(text)))
	}
	return time.Duration(n) * unit, nil
}
