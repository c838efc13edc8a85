package load

import (
	"maps"
	"slices"
	"time"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/state"
)

// Route is one entry under routes: who is told of what.
type Route struct {
	Tags     []string       `yaml:"tags,omitempty"`   // sorted
	Owners   []string       `yaml:"owners,omitempty"` // sorted; "" is nobody's
	Hosts    []state.Spec   `yaml:"hosts,omitempty"`
	Vantages []string       `yaml:"vantages,omitempty"` // sorted
	Severity state.Severity `yaml:"severity,omitempty"` // at least
	Kinds    []string       `yaml:"kinds,omitempty"`    // sorted
	Channels []string       `yaml:"channels,omitempty"`
	GroupBy  []alert.Group  `yaml:"group_by,omitempty"`
	To       string         `yaml:"to,omitempty"` // ToOwner, or empty: the channels' recipients
	Nobody   bool           `yaml:"nobody,omitempty"`
	Continue bool           `yaml:"continue,omitempty"`

	line int
}

// ToOwner has mail of a route go to the owners of the hosts.
const ToOwner = "owner"

func (r Route) match() alert.Match {
	return alert.Match{Tags: r.Tags, Owners: r.Owners, Hosts: r.Hosts, Vantages: r.Vantages}
}

func (r Route) policy() alert.Route {
	return alert.Route{
		Match: r.match(), Severity: r.Severity, Kinds: r.Kinds, Channels: r.Channels, GroupBy: r.GroupBy,
		ToOwner: r.To == ToOwner, Nobody: r.Nobody, Continue: r.Continue,
	}
}

// QuietTime is one entry under windows: when less is said than else.
type QuietTime struct {
	Name  string       `yaml:"name"`
	When  string       `yaml:"when"` // cron or iCalendar
	For   Duration     `yaml:"for"`
	Quiet bool         `yaml:"quiet,omitempty"` // messages wait for its end; else it is maintenance of hosts
	Tags  []string     `yaml:"tags,omitempty"`
	Owner []string     `yaml:"owners,omitempty"`
	Hosts []state.Spec `yaml:"hosts,omitempty"`

	schedule alert.Schedule
}

// Watch says who is told of OwnMap's own trouble.
type Watch struct {
	Channels      []string     `yaml:"channels"`    // empty: those of the last route
	Late          Duration     `yaml:"late"`        // so long after the last run the next is late; 0: never
	Undelivered   Duration     `yaml:"undelivered"` // so long a message is tried before others are told; 0: never
	Wait          Duration     `yaml:"wait"`        // so long a run waits for channels that do not work
	Well          alert.Well   `yaml:"well"`
	Heartbeat     state.Secret `yaml:"heartbeat"` // an address that is called when a run starts, succeeds and fails
	HeartbeatFile string       `yaml:"heartbeat_file"`
	HeartbeatKind string       `yaml:"heartbeat_kind"` // HeartbeatChecks, or HeartbeatPlain

	line int
}

// The kinds of heartbeats.
const (
	HeartbeatChecks = "healthchecks" // /start and /fail are called too
	HeartbeatPlain  = "plain"        // only success is told
)

// The words for reminders.
const (
	RemindEveryRun = "every-run"
	RemindNever    = "never"
)

// Alerts is the policy of alerts, without channels if nobody is to be told.
func (c Config) Alerts() alert.Policy {
	p := alert.Policy{
		Channels: map[string]alert.Channel{}, Remind: c.remind(), Zone: c.Reports.Zone(),
		Watch: alert.Watch{Channels: c.Watch.Channels, Late: time.Duration(c.Watch.Late), Stuck: time.Duration(c.Watch.Undelivered), Well: c.Watch.Well},
	}
	for name, channel := range c.Channels {
		p.Channels[name] = alert.Channel{Recipients: channel.To, Owners: channel.Type == ChannelEmail, Fallback: channel.Fallback}
	}
	for _, r := range c.Routes {
		p.Routes = append(p.Routes, r.policy())
	}
	if len(p.Routes) == 0 && len(c.Channels) > 0 { // who names channels and no routes means all of them
		p.Routes = []alert.Route{{Channels: slices.Sorted(maps.Keys(c.Channels))}}
	}
	for _, w := range c.Windows {
		p.Windows = append(p.Windows, alert.Window{
			Name: w.Name, When: w.schedule, Quiet: w.Quiet, Match: alert.Match{Tags: w.Tags, Owners: w.Owner, Hosts: w.Hosts},
		})
	}
	return p
}

func (c Config) remind() alert.Remind {
	var r alert.Remind
	for _, word := range c.Remind {
		if word == RemindNever {
			r.Never = true
		} else if d, err := parseAge(word); err == nil {
			r.After = append(r.After, d)
		}
	}
	return r
}
