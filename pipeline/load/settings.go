package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/state"
)

// webPage is the file of mistakes in what was set on the web page.
const webPage = "web page"

// set is what was set on the web page.
type set struct {
	settings map[string]state.Setting // in force, by label
	unused   []state.UnusedSetting
	reasons  map[string]string // of exclusions
}

// With returns the config with what was set on the web page. What the file sets wins: of
// profiles, windows and exclusions each by itself. What is no value (any more), as after
// an upgrade, is left out; the error then says what and why, and the config is whole all
// the same. Call it on a config that Read, Parse or Default returned.
func (c Config) With(stored []state.Setting) (Config, error) {
	p := &parser{faults: faults{file: webPage}, env: func(string) string { return "" }, config: c}
	p.config.Profiles = maps.Clone(c.Profiles)
	p.config.Windows, p.config.Exclude = slices.Clone(c.Windows), slices.Clone(c.Exclude)
	p.config.set = set{settings: map[string]state.Setting{}, reasons: map[string]string{}}
	for _, s := range stored {
		p.setting(s)
	}
	return p.config, p.err()
}

// setting takes one setting into the config, or says why it is not in force.
func (p *parser) setting(s state.Setting) {
	into := &p.config.set
	if where := p.config.lockedAt(s.Key, s.Name); where != "" {
		into.unused = append(into.unused, state.UnusedSetting{Setting: s, Why: []string{"set in " + where + ", which wins"}})
		return
	}
	before := len(p.list)
	if node, err := nodeOf(s.Value); err != nil {
		p.add(0, "%s: %s", s.Label(), err)
	} else {
		p.apply(s, node)
	}
	if len(p.list) == before {
		into.settings[s.Label()] = s
		return
	}
	into.unused = append(into.unused, state.UnusedSetting{Setting: s, Why: messages(p.list[before:]), Broken: true})
}

// apply reads the value of a setting. With a mistake in it the config stays as it is.
func (p *parser) apply(s state.Setting, node *yaml.Node) {
	before := len(p.list)
	good := func() bool { return len(p.list) == before }
	switch s.Key {
	case state.SettingProfile:
		if err := checkName("profile", s.Name); err != nil {
			p.addErr(0, err)
			return
		}
		if profile := p.profile(pair{name: s.Name, value: node}); good() {
			p.config.Profiles[s.Name] = profile
		}
	case state.SettingSchedule:
		p.schedule(node)
	case state.SettingRemind:
		was := p.config.Remind
		if p.remind(node); !good() {
			p.config.Remind = was
		}
	case state.SettingWindow:
		p.window(s.Name, node)
	case state.SettingExclude:
		p.exclusion(s.Name, node)
	default:
		p.add(0, "unknown setting %s: another version of OwnMap has made it", show(s.Label()))
	}
}

// window adds a window. Its name is that of the setting.
func (p *parser) window(name string, node *yaml.Node) {
	if node.Kind == yaml.MappingNode {
		named := *node
		named.Content = append([]*yaml.Node{scalar("name"), scalar(name)}, node.Content...)
		node = &named
	}
	if w, ok := p.quietTime(node); ok {
		p.config.Windows = append(p.config.Windows, w)
	}
}

// exclusion adds an exclusion.
func (p *parser) exclusion(text string, node *yaml.Node) {
	before := len(p.list)
	reason := ""
	specs := p.exclusions(scalar(text))
	p.fields(node, "an exclusion", key{"reason", func(n *yaml.Node) { p.name(n, "reason", &reason) }})
	if len(p.list) == before {
		p.config.Exclude, p.config.set.reasons[text] = append(p.config.Exclude, specs...), reason
	}
}

// schedule reads when scans begin.
func (p *parser) schedule(node *yaml.Node) {
	text, ok := p.text(node, "schedule")
	if !ok || text == "" {
		return
	}
	t, err := alert.ParseTimetable(text, p.config.clock())
	if err != nil {
		p.add(node.Line, "schedule: %s", state.Clean(err.Error()))
		return
	}
	p.config.Schedule = t.String()
}

// lockedAt returns where the file sets a key, or the one of that name; empty if it does
// not.
func (c Config) lockedAt(key state.SettingKey, name string) string {
	path := string(key)
	switch key {
	case state.SettingProfile:
		path += "." + name
	case state.SettingWindow:
		i := slices.IndexFunc(c.Windows, func(w QuietTime) bool { return w.Name == name })
		return c.whereIs(element(key, i))
	case state.SettingExclude:
		i := slices.IndexFunc(c.Exclude, func(e state.Spec) bool { return e.String() == name })
		return c.whereIs(element(key, i))
	case state.SettingSchedule, state.SettingRemind:
	}
	return c.whereIs(path)
}

// notes says what of the settings of the web page a run goes without.
func (s set) notes() []string {
	var list []string
	for _, u := range s.unused {
		if u.Broken {
			list = append(list, fmt.Sprintf("%s of the web page is left out: %s.", u.Setting.Label(), strings.Join(u.Why, "; ")))
		}
	}
	return list
}

// element is the path of an element of a list.
func element(key state.SettingKey, i int) string { return fmt.Sprintf("%s.%d", key, i) }

// whereIs returns where the file has what a path leads to, "ownmap.yaml:14", or "" if it
// does not have it.
func (c Config) whereIs(path string) string {
	line, ok := c.lines[path]
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s:%d", c.source, line)
}

func messages(list Errors) []string {
	texts := make([]string, len(list))
	for i, mistake := range list {
		texts[i] = mistake.Msg
	}
	return texts
}
