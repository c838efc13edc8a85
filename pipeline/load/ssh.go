package load

import (
	"cmp"
	"maps"
	"slices"

	"ownmap/pipeline/state"
)

// SSH says which hosts are looked inside, and how.
type SSH struct {
	Look             string           `yaml:"look"` // one of the words below
	Door             `yaml:",inline"` // the defaults of all hosts
	MaxParallel      int              `yaml:"max_parallel"`      // hosts at once
	Timeout          Duration         `yaml:"timeout"`           // patience with one host
	HandshakeTimeout Duration         `yaml:"handshake_timeout"` // patience with one login
	ConfirmAfter     Duration         `yaml:"confirm_after"`     // before a host is looked inside once more
	Tags             map[string]Door  `yaml:"tags,omitempty"`    // for the hosts of targets with a tag
}

// Which hosts are looked inside.
const (
	LookOff   = "off"   // none
	LookNamed = "named" // those of targets with ssh of their own or with one of the tags
	LookAll   = "all"   // every host
)

// Door is how to get inside a host. What is not set is left to the next one: of the
// target, of its tags, of all hosts.
type Door struct {
	User       string   `yaml:"user,omitempty"`
	Port       int      `yaml:"port,omitempty"`
	KeyFile    []string `yaml:"key_file,omitempty"` // absolute
	Agent      *bool    `yaml:"agent,omitempty"`
	KnownHosts []string `yaml:"known_hosts,omitempty"` // absolute
	UserConfig *bool    `yaml:"user_config,omitempty"`
	Jump       []string `yaml:"jump,omitempty"` // [user@]host[:port]
	Sudo       *bool    `yaml:"sudo,omitempty"`
	Hash       *bool    `yaml:"hash,omitempty"`
}

// TargetSSH is what a target says of looking inside its hosts.
type TargetSSH struct {
	Off  bool // never
	Door Door

	unasked bool // says how, and not whether
}

// state returns what of it a target of any origin may say.
func (t *TargetSSH) state() state.TargetSSH {
	switch {
	case t == nil:
		return state.TargetSSH{}
	case t.Off:
		return state.TargetSSH{Look: state.LookOff}
	}
	return state.TargetSSH{Look: state.LookOn, User: t.Door.User, Port: uint16(t.Door.Port)}
}

// MarshalYAML writes what the config may have said: false, true, or the keys.
func (t TargetSSH) MarshalYAML() (any, error) {
	switch {
	case t.Off:
		return false, nil
	case t.Door.isZero():
		return true, nil
	}
	return t.Door, nil
}

func (d Door) isZero() bool {
	return d.User == "" && d.Port == 0 && d.KeyFile == nil && d.Agent == nil && d.KnownHosts == nil &&
		d.UserConfig == nil && d.Jump == nil && d.Sudo == nil && d.Hash == nil
}

// or fills in what is not set.
func (d Door) or(next Door) Door {
	return Door{
		User: cmp.Or(d.User, next.User), Port: cmp.Or(d.Port, next.Port),
		KeyFile: firstList(d.KeyFile, next.KeyFile), KnownHosts: firstList(d.KnownHosts, next.KnownHosts), Jump: firstList(d.Jump, next.Jump),
		Agent: cmp.Or(d.Agent, next.Agent), UserConfig: cmp.Or(d.UserConfig, next.UserConfig),
		Sudo: cmp.Or(d.Sudo, next.Sudo), Hash: cmp.Or(d.Hash, next.Hash),
	}
}

func firstList(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}

func (d Door) login() state.Login {
	is := func(flag *bool) bool { return flag != nil && *flag }
	return state.Login{
		User: d.User, Port: uint16(d.Port), KeyFiles: d.KeyFile, Agent: is(d.Agent), KnownHosts: d.KnownHosts,
		UserConfig: is(d.UserConfig), Jump: d.Jump, Sudo: is(d.Sudo), Hash: is(d.Hash),
	}
}

// doors finds the way into hosts.
type doors struct {
	ssh SSH
	of  map[mention]*TargetSSH // what targets of the config say
}

func newDoors(c Config) doors {
	d := doors{ssh: c.SSH, of: map[mention]*TargetSSH{}}
	for _, t := range c.Targets {
		for _, spec := range t.Hosts {
			for _, vantage := range t.vantages() {
				d.of[mention{spec, vantage}] = t.SSH
			}
		}
	}
	return d
}

// typed is what a target says that is not of the config. Only one that says so has its
// hosts looked inside where the config does not.
func typed(t state.TargetSSH) *TargetSSH {
	if t == (state.TargetSSH{}) {
		return nil
	}
	return &TargetSSH{Off: t.Look == state.LookOff, Door: Door{User: t.User, Port: int(t.Port)}, unasked: t.Look == state.LookAsConfig}
}

// login returns how to look inside a host of a target, or nil if nobody is to.
func (d doors) login(h state.PlannedHost) *state.Login {
	own := d.of[mention{h.Target.Spec, vantageOr(h.Target.Vantage)}]
	if own == nil && h.Target.Origin != state.OriginConfig {
		own = typed(h.Target.SSH)
	}
	door, named := Door{}, own != nil && !own.unasked
	if own != nil {
		door = own.Door
	}
	for _, tag := range slices.Sorted(maps.Keys(d.ssh.Tags)) {
		if slices.Contains(h.Target.Tags, tag) {
			door, named = door.or(d.ssh.Tags[tag]), true
		}
	}
	if d.ssh.Look == LookOff || d.ssh.Look == LookNamed && !named || own != nil && own.Off {
		return nil
	}
	login := door.or(d.ssh.Door).login()
	login.Address, login.Name = h.Address, h.Name
	return &login
}
