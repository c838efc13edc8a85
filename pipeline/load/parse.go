package load

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// parser reads one config file and gathers its mistakes.
type parser struct {
	faults
	env     func(string) string
	config  Config
	secret  int // line of a password that stands in the file itself; 0: none does
	urlFile int // line of database.url_file

	rulesLine int // of rules_file
	files     []secretFile
	used      []namedProfile
	hosts     map[mention]int // line of each target
}

// mention is what a target may name once only: hosts as seen from a vantage.
type mention struct {
	spec    state.Spec
	vantage string
}

// namedProfile is a place that names a profile.
type namedProfile struct {
	name string
	line int
}

// Parse reads a config. file is its path, for mistakes and for relative paths
// in it; env looks up the ${NAME} in database.url. Mistakes are Errors. The file
// that database.url_file names is not read: Read does that.
func Parse(file string, text []byte, env func(string) string) (Config, error) {
	p := parse(file, text, env)
	if err := p.err(); err != nil {
		return Config{source: file}, err
	}
	return p.config, nil
}

func newParser(file string, env func(string) string) *parser {
	p := &parser{faults: faults{file: file}, env: env, config: defaults(), hosts: map[mention]int{}}
	p.config.source = file
	return p
}

// place are the keys that say where the state is.
func (p *parser) place() []key {
	return []key{
		{"database", p.database},
		{"state_dir", func(n *yaml.Node) { p.path(n, "state_dir", &p.config.StateDir) }},
	}
}

func parse(file string, text []byte, env func(string) string) *parser {
	p := newParser(file, env)
	root := p.document(text)
	if root == nil {
		return p
	}
	p.fields(root, "the config", append(p.place(),
		key{"scan", p.scan},
		key{"ssh", p.ssh},
		key{"profiles", p.profiles},
		key{"exclude", func(n *yaml.Node) { p.config.Exclude = p.exclusions(n) }},
		key{"targets", p.targets},
		key{"reports", p.reports},
		key{"archive", p.archive},
		key{"backup", p.backup},
		key{"retention", p.retention},
		key{"rules", func(n *yaml.Node) { p.config.Rules = p.rules(n) }},
		key{"rules_file", func(n *yaml.Node) { p.path(n, "rules_file", &p.config.RulesFile); p.rulesLine = n.Line }},
		key{"mail", p.mail},
		key{"metrics", p.metrics},
		key{"channels", p.channels},
		key{"routes", p.routes},
		key{"remind", p.remind},
		key{"schedule", p.schedule},
		key{"windows", p.quietTimes},
		key{"watch", p.watch},
		key{"web", p.web},
		key{"auth", p.auth},
		key{"approval_links", p.approvalLinks},
	)...)
	p.config.lines = linesOf(root, "", map[string]int{})
	if p.config.Schedule == "" {
		delete(p.config.lines, string(state.SettingSchedule)) // an empty one leaves it to the web page
	}
	p.checkChannels()
	for _, use := range p.used {
		if err := p.config.CheckProfile(use.name); err != nil {
			p.addErr(use.line, err)
		}
	}
	return p
}

func (p *parser) database(node *yaml.Node) {
	db := &p.config.Database
	p.fields(node, "database",
		key{"url", p.databaseURL},
		key{"url_file", func(n *yaml.Node) {
			p.path(n, "database.url_file", &db.URLFile)
			p.urlFile = n.Line
		}},
	)
	if db.URLFile != "" && db.URL.Reveal() != "" {
		p.add(p.urlFile, "database.url and database.url_file are both set: keep one of them")
	}
}

func (p *parser) databaseURL(node *yaml.Node) {
	text, ok := p.text(node, "database.url")
	if !ok || text == "" {
		return
	}
	if hasPassword(variables().ReplaceAllString(text, "")) {
		p.secret = node.Line
	}
	expanded, err := expand(text, p.env)
	if err == nil {
		err = checkDatabaseURL(expanded)
	}
	if err != nil {
		p.add(node.Line, "database.url: %s", err)
		return
	}
	p.config.Database.URL = state.NewSecret(expanded)
}

// variables matches every ${NAME}.
func variables() *regexp.Regexp { return regexp.MustCompile(`\$\{[^}]*\}`) }

// expand replaces every ${NAME} by the environment's value, which must be there:
// an empty address would silently mean the private database.
func expand(text string, env func(string) string) (string, error) {
	var missing []string
	expanded := variables().ReplaceAllStringFunc(text, func(variable string) string {
		value := env(variable[2 : len(variable)-1])
		if value == "" {
			missing = append(missing, show(variable[2:len(variable)-1]))
		}
		return value
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("the environment has no %s: set it, or remove ${...} from the config", strings.Join(missing, ", "))
	}
	return expanded, nil
}

func (p *parser) scan(node *yaml.Node) {
	s := &p.config.Scan
	p.fields(node, "scan",
		key{"rate", func(n *yaml.Node) { p.whole(n, "scan.rate", 1, 1_000_000, &s.Rate) }},
		key{"max_parallel", func(n *yaml.Node) { p.whole(n, "scan.max_parallel", 0, 256, &s.MaxParallel) }},
		key{"host_timeout", func(n *yaml.Node) {
			p.duration(n, "scan.host_timeout", Duration(time.Second), Duration(24*time.Hour), &s.HostTimeout)
		}},
		key{"reverse_dns", func(n *yaml.Node) { p.flag(n, "scan.reverse_dns", &s.ReverseDNS) }},
		key{"max_addresses", func(n *yaml.Node) { p.whole(n, "scan.max_addresses", 1, 1<<24, &s.MaxAddresses) }},
		key{"resolve_timeout", func(n *yaml.Node) {
			p.duration(n, "scan.resolve_timeout", Duration(100*time.Millisecond), Duration(5*time.Minute), &s.ResolveTimeout)
		}},
		key{"confirm_tries", func(n *yaml.Node) { p.whole(n, "scan.confirm_tries", 1, 10, &s.ConfirmTries) }},
		key{"stale_after", func(n *yaml.Node) { p.whole(n, "scan.stale_after", 1, 1000, &s.StaleAfter) }},
		key{"deadline", func(n *yaml.Node) { p.deadline(n, &s.Deadline) }},
		key{"time_zone", func(n *yaml.Node) { p.timeZone(n, "scan.time_zone", &s.TimeZone) }},
		key{"limits", p.limits},
	)
}

func (p *parser) archive(node *yaml.Node) {
	a := &p.config.Archive
	p.fields(node, "archive",
		key{"dir", func(n *yaml.Node) { p.path(n, "archive.dir", &a.Dir) }},
		key{"url", func(n *yaml.Node) {
			text, ok := p.text(n, "archive.url")
			if !ok || text == "" {
				return
			}
			u, err := url.Parse(text)
			if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
				p.add(n.Line, "archive.url: it takes the address of the archive in a browser, like https://ownmap.example.org/archive/, without user, query or fragment")
				return
			}
			a.URL = text
		}},
		key{"keep_runs", func(n *yaml.Node) { p.whole(n, "archive.keep_runs", 0, 1_000_000, &a.KeepRuns) }},
		key{"keep_days", func(n *yaml.Node) { p.whole(n, "archive.keep_days", 0, 36_500, &a.KeepDays) }},
	)
}

// path reads a path; a relative one begins at the config file.
func (p *parser) path(node *yaml.Node, what string, into *string) {
	text, ok := p.text(node, what)
	switch {
	case !ok || text == "":
		return
	case text[0] == '~' || strings.Contains(text, "$"):
		p.add(node.Line, "%s: ~ and $ are not expanded in %s, write the whole path", what, show(text))
		return
	case strings.ContainsFunc(text, unicode.IsControl):
		p.add(node.Line, "%s: control character in %s, remove it", what, show(text))
		return
	}
	if !filepath.IsAbs(text) {
		text = filepath.Join(filepath.Dir(p.file), text)
	}
	absolute, err := filepath.Abs(text)
	if err != nil {
		p.add(node.Line, "%s: %s, write an absolute path", what, err)
		return
	}
	*into = absolute
}

// tags reads a list of short words, or a single one, sorted and without
// repetition.
func (p *parser) tags(node *yaml.Node) []string {
	var tags []string
	p.each(node, func(n *yaml.Node) {
		text, ok := p.text(n, "tag")
		if !ok {
			return
		}
		if err := checkTag(text); err != nil {
			p.addErr(n.Line, err)
			return
		}
		tags = append(tags, text)
	})
	slices.Sort(tags)
	return slices.Compact(tags)
}
