// Package load brings together what is to be scanned: it reads the YAML config
// strictly, and expands the targets of config and database, less what is
// excluded, into the addresses of a run. Every mistake is told with file, line
// and remedy, all of them at once.
package load

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/state"
)

// Config is ownmap.yaml. Make it with Read, Parse or Default: a Config that one
// of them returned without an error is whole, with every default filled in.
type Config struct {
	Database Database           `yaml:"database"`
	StateDir string             `yaml:"state_dir"` // absolute; empty: see StateDir
	Targets  []Target           `yaml:"targets"`
	Exclude  []state.Spec       `yaml:"exclude"`  // never scanned, whatever names them
	Profiles map[string]Profile `yaml:"profiles"` // the built-in ones among them
	Scan     Scan               `yaml:"scan"`
	SSH      SSH                `yaml:"ssh"`
	Reports  Reports            `yaml:"reports"`
	Archive  Archive            `yaml:"archive"`
	Backup   Backup             `yaml:"backup"`

	Retention Retention `yaml:"retention"`

	Rules []state.Rule `yaml:"rules"` // that approve ports, beside those of RulesFile

	RulesFile string             `yaml:"rules_file"` // absolute; a file with nothing but rules
	Mail      Mail               `yaml:"mail"`
	Metrics   Metrics            `yaml:"metrics"`
	Channels  map[string]Channel `yaml:"channels"`
	Routes    []Route            `yaml:"routes"`
	Remind    []string           `yaml:"remind,flow"` // RemindEveryRun, RemindNever, or ages like 3d, rising
	Schedule  string             `yaml:"schedule"`    // five fields of cron, by the clock of Timetable; empty: nothing begins by itself
	Windows   []QuietTime        `yaml:"windows"`
	Watch     Watch              `yaml:"watch"`
	Web       Web                `yaml:"web"`
	Auth      Auth               `yaml:"auth"`

	ApprovalLinks string `yaml:"approval_links"` // a state.LinkMode

	fileRules []state.Rule

	source   string
	warnings []string
	lines    map[string]int // of the keys of the file, by their paths
	set      set            // on the web page
}

// Database says where the state is kept.
type Database struct {
	URL     state.Secret `yaml:"url"`      // empty: a private PostgreSQL in the state directory
	URLFile string       `yaml:"url_file"` // absolute; the file that URL was read from
}

// Target is one entry under targets.
type Target struct {
	Hosts   []state.Spec `yaml:"hosts"`
	Exclude []state.Spec `yaml:"exclude,omitempty"`
	Tags    []string     `yaml:"tags,omitempty"` // sorted
	Owner   string       `yaml:"owner,omitempty"`
	Profile string       `yaml:"profile,omitempty"` // empty: state.DefaultProfile
	Vantage []string     `yaml:"vantage,omitempty"` // where it is scanned from, sorted; empty: state.DefaultVantage

	// SSH is how its hosts are looked inside; nil: as SSH of the Config says.
	SSH *TargetSSH `yaml:"ssh,omitempty"`

	where []string // one for each of Hosts, "ownmap.yaml:14"
}

// Scan holds what is common to all scans.
type Scan struct {
	Rate           int      `yaml:"rate"`         // packets a second over all processes
	MaxParallel    int      `yaml:"max_parallel"` // nmap processes at once; 0: one a core
	HostTimeout    Duration `yaml:"host_timeout"` // patience with one host
	ReverseDNS     bool     `yaml:"reverse_dns"`  // ask DNS for the names of addresses
	MaxAddresses   int      `yaml:"max_addresses"`
	ResolveTimeout Duration `yaml:"resolve_timeout"` // patience with one DNS name
	ConfirmTries   int      `yaml:"confirm_tries"`   // how often a seeming change is asked again
	StaleAfter     int      `yaml:"stale_after"`     // runs without an answer after which a host is an alert
	Deadline       Duration `yaml:"deadline"`        // of a run; 0: none
	TimeZone       string   `yaml:"time_zone"`       // of the windows of limits; empty: of the machine that scans
	Limits         []Limit  `yaml:"limits"`
}

// Archive says where the static archive of reports is written, and where people
// read it.
type Archive struct {
	Dir string `yaml:"dir"` // absolute; empty: archive/ in the state directory
	URL string `yaml:"url"` // empty: links in reports stay relative
	// Of how many runs, and of the runs of how many days, it has the pages; 0: of all.
	KeepRuns int `yaml:"keep_runs"`
	KeepDays int `yaml:"keep_days"`
}

// Duration is a time.Duration that is written as people do, "15m".
type Duration time.Duration

// MarshalText writes the duration without zero parts.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the duration without zero parts, "15m" rather than "15m0s".
func (d Duration) String() string {
	whole := time.Duration(d)
	switch {
	case whole%time.Hour == 0:
		return fmt.Sprintf("%dh", whole/time.Hour)
	case whole%time.Minute == 0:
		return fmt.Sprintf("%dm", whole/time.Minute)
	}
	return whole.String()
}

// builtIn is the source of a config that no file was read for.
const builtIn = "built-in defaults"

// Default returns the config of somebody who wrote none: it scans this machine
// over loopback and nothing else.
func Default() Config {
	c := defaults()
	c.source = builtIn
	target := Target{}
	for _, text := range []string{"127.0.0.1", "::1"} {
		var spec state.Spec
		if err := spec.UnmarshalText([]byte(text)); err == nil {
			target.Hosts, target.where = append(target.Hosts, spec), append(target.where, builtIn)
		}
	}
	c.Targets = []Target{target}
	return c
}

// defaults returns a config with the defaults of every key.
func defaults() Config {
	yes, no := true, false
	return Config{
		SSH: SSH{
			Look: LookNamed, Door: Door{Agent: &yes, UserConfig: &no, Sudo: &yes, Hash: &no},
			MaxParallel: 16, Timeout: Duration(30 * time.Second), HandshakeTimeout: Duration(10 * time.Second), ConfirmAfter: Duration(5 * time.Second),
		},
		Profiles: builtInProfiles(),
		Reports:  Reports{TimeZone: "UTC", Inventory: 2000},
		Backup:   Backup{Keep: defaultBackups, Verify: true},

		Retention: Retention{History: Forever, Messages: Forever},

		Mail:   Mail{Subject: SubjectConstant},
		Remind: []string{RemindEveryRun},
		Web:    Web{Listen: DefaultListen},

		ApprovalLinks: string(state.LinksOn),
		Watch: Watch{
			Late: Duration(26 * time.Hour), Undelivered: Duration(time.Hour), Wait: Duration(2 * time.Minute), Well: alert.WellNever, HeartbeatKind: HeartbeatChecks,
		},
		Scan: Scan{
			Rate: 5000, HostTimeout: Duration(15 * time.Minute),
			MaxAddresses: state.DefaultMaxAddresses, ResolveTimeout: Duration(5 * time.Second),
			ConfirmTries: 3, StaleAfter: 3, Deadline: Duration(8 * time.Hour),
		},
	}
}

// Source says where the config came from: the file's path, or "built-in
// defaults".
func (c Config) Source() string { return c.source }

// Warnings returns what is risky about the config but no mistake, one sentence
// each.
func (c Config) Warnings() []string { return slices.Clone(c.warnings) }

// StateTargets returns the targets in the words of the pipeline, one for each
// host that is named and each vantage, in the order of the file. The targets of
// one entry share its lists of exclusions and tags: they are for reading.
func (c Config) StateTargets() []state.Target {
	var targets []state.Target
	for _, t := range c.Targets {
		for i, spec := range t.Hosts {
			for _, vantage := range t.vantages() {
				targets = append(targets, state.Target{
					Spec: spec, Exclude: t.Exclude, Tags: t.Tags, Owner: t.Owner, Profile: t.Profile,
					Vantage: vantage, SSH: t.SSH.state(), Origin: state.OriginConfig, Where: t.where[i],
				})
			}
		}
	}
	return targets
}

func (t Target) vantages() []string {
	if len(t.Vantage) == 0 {
		return []string{state.DefaultVantage}
	}
	return t.Vantage
}

// CheckProfile returns an error if there is no profile of that name; the empty
// name stands for the default one.
func (c Config) CheckProfile(name string) error {
	if _, ok := c.Profiles[name]; ok || name == "" {
		return nil
	}
	return fmt.Errorf("unknown profile %s: %s", show(name), remedy(name, slices.Sorted(maps.Keys(c.Profiles))))
}
