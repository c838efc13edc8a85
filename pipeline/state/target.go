package state

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Origin says where a target was written down.
type Origin string

// The origins of a target.
const (
	OriginConfig Origin = "config" // ownmap.yaml; read-only elsewhere
	OriginCLI    Origin = "cli"    // `ownmap targets add`
	OriginWeb    Origin = "web"    // the web page
)

// Target is what a user asks to scan: a spec with what belongs to it. A target
// in the database never changes: another tag or owner ends it and begins a new
// one, so that a past report can still name them.
type Target struct {
	ID        int64
	Spec      Spec     // address, prefix, range or DNS name
	Exclude   []Spec   // left out, whatever else names them
	Tags      []string // sorted
	Owner     string   // who answers for these hosts, often a mail address
	Profile   string   // empty: the default profile
	Vantage   string   // empty: DefaultVantage
	Origin    Origin
	SSH       TargetSSH // of a target from elsewhere than the config, which has more to say
	Where     string    // "ownmap.yaml:14" for a target from the config
	CreatedAt time.Time
}

// TargetSSH is what a target that is not of the config says of looking inside its hosts.
// Keys, files and jump hosts come from the config alone.
type TargetSSH struct {
	Look LookWord `json:"look,omitempty"`
	User string   `json:"user,omitempty"` // empty: as the config says
	Port uint16   `json:"port,omitempty"` // 0: as the config says
}

// LookWord says whether the hosts of a target are looked inside.
type LookWord string

// What a target can say of looking inside.
const (
	LookAsConfig LookWord = ""
	LookOn       LookWord = "on"
	LookOff      LookWord = "off"
)

// String says it as people read it, "on, user audit, port 2222".
func (t TargetSSH) String() string {
	var parts []string
	if t.Look != LookAsConfig {
		parts = append(parts, string(t.Look))
	}
	if t.User != "" {
		parts = append(parts, "user "+t.User)
	}
	if t.Port != 0 {
		parts = append(parts, "port "+strconv.Itoa(int(t.Port)))
	}
	if len(parts) == 0 {
		return "as the config says"
	}
	return strings.Join(parts, ", ")
}

// TargetRow is a target with what is known of its hosts.
type TargetRow struct {
	Target

	Hosts    int    // known ones that it owns: another target may be more specific
	Up       int    // of them, that answered when they were last asked
	Excluded string // what leaves all of it out; empty: nothing does
	Shadowed bool   // the config has the same, and what it says of it counts
}

// TargetImport is a target of a file that somebody imports.
type TargetImport struct {
	Target

	Was     *Target // that it takes the place of; nil: it is new
	Implied bool    // the file names no vantage
}

// Same says whether the import changes nothing.
func (t TargetImport) Same() bool {
	return t.Was != nil && t.Owner == t.Was.Owner && t.Profile == t.Was.Profile && t.SSH == t.Was.SSH &&
		slices.Equal(t.Tags, t.Was.Tags) && slices.Equal(t.Exclude, t.Was.Exclude)
}

// Line is where in the file the target stands.
func (t TargetImport) Line() string { return t.Where[strings.LastIndex(t.Where, ":")+1:] }

// TopPorts is the number of most common TCP ports that a profile scans unless
// it says otherwise, as nmap does.
const TopPorts = 1000

// DefaultProfile is the profile of a target that names none.
const DefaultProfile = "standard"

// Profile says how hosts are scanned. It is typed through and through: nothing
// in it ever becomes a free argument of nmap.
type Profile struct {
	Name     string  `json:"name"`
	Top      int     `json:"top,omitempty"` // the N most common TCP ports; 0: Ports
	Ports    PortSet `json:"ports"`         // TCP ports
	UDP      PortSet `json:"udp"`           // UDP ports, none by default
	Services bool    `json:"services"`      // service detection (nmap -sV)
	Timing   int     `json:"timing"`        // nmap's timing template, 0 to 5
	// Intensity is how many probes service detection may try on a port, 0 to 9
	// (nmap(1), --version-intensity).
	Intensity int      `json:"intensity"`
	Scripts   []string `json:"scripts,omitempty"` // NSE scripts, by name from load's list
}

// PlannedHost is an address to be scanned in a run, with the target that asked
// for it.
type PlannedHost struct {
	Address  netip.Addr
	Name     string // the DNS name of the target, or empty
	Target   Target // the most specific target that covers the address
	Profile  string
	Vantage  string
	Discover bool // ask whether it is there first; false: scan it straight (-Pn)
	Listed   bool // named by itself (address or name) or known: silence is told
	Limits   Limits
	Login    *Login // how to look inside; nil: not at all
}

// KnownHost is a host of an earlier run, with the target that it came from.
type KnownHost struct {
	Address netip.Addr
	Vantage string
	Spec    string // of the target, canonical
}

// UnresolvedTarget is a DNS name that gave no address in this run. Its hosts of
// earlier runs keep their state and are told as not scanned.
type UnresolvedTarget struct {
	Target Target
	Known  []KnownHost
	Err    string // cleaned
}

// Plan is everything that a run is going to look at.
type Plan struct {
	Hosts      []PlannedHost // sorted by vantage and address, no address twice per vantage
	Unresolved []UnresolvedTarget
	Profiles   map[string]Profile
	Notes      []string // for the run's report: what of the settings is not in force
}

// Scanner says what looked and with which rights.
type Scanner struct {
	Version    string `json:"version"`    // nmap's version, "7.93"
	Privileged bool   `json:"privileged"` // raw sockets: SYN scan instead of connect scan
}

// String says it as reports do, "nmap 7.93 (SYN scan)"; it is empty when nothing
// was scanned.
func (s Scanner) String() string {
	switch {
	case s.Version == "":
		return ""
	case s.Privileged:
		return "nmap " + s.Version + " (SYN scan)"
	}
	return "nmap " + s.Version + " (connect scan)"
}
