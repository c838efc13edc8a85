package state

import (
	"net/netip"
	"time"
)

// Work says what a shard is about. A run does the kinds of work in this order.
type Work string

// The kinds of work.
const (
	WorkPorts    Work = "ports"    // look at the ports of the profile
	WorkConfirm  Work = "confirm"  // ask again where something seems to have changed
	WorkServices Work = "services" // name what listens (nmap -sV)
	WorkInside   Work = "inside"   // look inside hosts over SSH: by the run itself, without shards
)

// Shard is the unit of scan work: hosts of one vantage, one profile, one address
// family and the same limits that are scanned together.
type Shard struct {
	RunID    int64
	No       int
	Work     Work
	Of       int // confirm and services: the ports shard that held these hosts
	Vantage  string
	Profile  Profile
	Discover bool
	IPv6     bool
	Limits   Limits
	Slow     bool // services: ports that said nothing by themselves, which nmap asks long
	Hosts    []ShardHost
	// NotBy is the worker whose word is asked again: another one takes the shard if
	// there is one. The book fills it in.
	NotBy string
}

// ShardHost is an address of a shard.
type ShardHost struct {
	Address netip.Addr `json:"address"`
	Name    string     `json:"name,omitempty"`
	Target  int64      `json:"target"`
	Listed  bool       `json:"listed,omitempty"`
	Ask     []Port     `json:"ask,omitempty"` // confirm and services: these ports and no others
	Not     []Port     `json:"not,omitempty"` // services: open ports that another shard asks, to be left alone
	// What the state knows of the host. The book fills these in for the worker; they
	// are no part of the plan.
	New   bool         `json:"-"` // never answered: its first state is the union of two looks
	Up    bool         `json:"-"` // answered when it was last looked at
	Known []PortStatus `json:"-"` // open and open|filtered, in Port order
}

// Ask is a port that a later step of a run looks at again.
type Ask struct {
	Vantage string
	Address netip.Addr
	Port    Port // the zero Port asks whether the host is there
	Slow    bool // services: it says nothing by itself
}

// ShardResult is what one shard brought: every host of the shard that answered
// or is listed, each with its coverage.
type ShardResult struct {
	Shard   Shard
	Hosts   []Host
	Scanner Scanner
	Pace    Pace
	Notes   []string // what a reader should know, such as "nmap was killed"
	// PortNames are what nmap's table calls the ports that it listed one by one
	// though they are not open, cleaned.
	PortNames map[Port]string
}

// Pace is how fast a link let itself be scanned, in packets a second.
type Pace struct {
	Rate     int `json:"rate"`     // the fastest that lost nothing, after all that lost something
	Next     int `json:"next"`     // what to begin with the next time
	Knee     int `json:"knee"`     // up to there it may double then, for no loss was met below; 0: none was met at all
	Repeated int `json:"repeated"` // slices that were thrown away and scanned again, slower
}

// Add joins the pace of another shard of the same run.
func (p Pace) Add(q Pace) Pace {
	sum := Pace{Rate: max(p.Rate, q.Rate), Next: q.Next, Knee: q.Knee, Repeated: p.Repeated + q.Repeated}
	if q.Next == 0 {
		sum.Next, sum.Knee = p.Next, p.Knee
	}
	return sum
}

// ScanProgress is how far a run has come, for whoever watches it.
type ScanProgress struct {
	RunID       int64     `json:"run"`
	Work        Work      `json:"work"`
	Shards      int       `json:"shards"` // of all work so far
	ShardsDone  int       `json:"shards_done"`
	Hosts       int       `json:"hosts"` // of the shards of this work
	HostsDone   int       `json:"hosts_done"`
	Fraction    float64   `json:"fraction"` // of this work, from 0 to 1
	Open        int       `json:"open"`     // open ports found so far
	Workers     []string  `json:"workers"`  // that are at it
	StartedAt   time.Time `json:"started_at"`
	CancelledBy string    `json:"cancelled_by,omitempty"`
}
