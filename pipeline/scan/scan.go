// Package scan looks at hosts from outside. It is the only room that speaks
// nmap: it splits a plan into shards, runs few nmap processes for each at a rate
// that the link carries, reads their XML as it comes and says for every host what
// was seen and what was looked at.
package scan

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"ownmap/pipeline/state"
)

// ErrNoNmap says that there is no nmap to scan with.
var ErrNoNmap = errors.New("nmap is not installed (apt-get install nmap, or your system's equivalent)")

// Defaults of Options.
const (
	DefaultRate        = 5000             // packets a second: polite on any network
	DefaultHostTimeout = 15 * time.Minute // patience with one host
	DefaultStall       = 5 * time.Minute  // nmap prints its progress every two seconds

	DefaultConfirmTries = 3               // of three packets one arrives, at any loss that a network is used with
	DefaultConfirmPause = 2 * time.Second // longer than a burst of loss
)

// Options say how to scan. The zero value is usable: it takes nmap from PATH and
// the defaults above.
type Options struct {
	Binary      string        // path of nmap; empty: found in PATH
	Rate        int           // packets a second over all that this process sends, never exceeded; service detection is not counted
	Start       int           // packets a second to begin with, as learned before (state.Pace.Next); 0: 5,000, or Rate if that is less
	Knee        int           // up to there the rate doubles (state.Pace.Knee); 0: up to Rate
	MaxParallel int           // nmap processes of one shard at once; 0: one a core
	HostTimeout time.Duration // patience with a host, on top of the time that the rate itself costs
	Stall       time.Duration // how long nmap may print nothing before it counts as hung
	// Candidate changes are asked again in ConfirmTries tries with ConfirmPause
	// between them.
	ConfirmTries int
	ConfirmPause time.Duration // negative: none
	ReverseDNS   bool          // ask DNS for the names of addresses
	Dir          string        // for lists of targets, made with mode 0700; empty: a new temporary one each time
	Log          *slog.Logger  // nil: nothing is logged
}

// Scanner scans shards with nmap. Make it with New. It may scan several at once,
// from several goroutines: they share its rate.
type Scanner struct {
	options    Options
	privileged bool // raw sockets can be had
	outputCap  int64
	common     *budget
	now        func() time.Time // for scan windows
	tarpit     time.Duration    // patience of service detection with a host

	mu      sync.Mutex
	top     map[int]state.PortSet // nmap's N most common TCP ports
	budgets map[string]*budget    // of hosts that ask for a rate of their own
}

// New returns a scanner. Whether nmap is there shows when it is used.
func New(options Options) *Scanner {
	if options.Binary == "" {
		options.Binary, _ = exec.LookPath("nmap")
	}
	if options.Rate <= 0 {
		options.Rate = DefaultRate
	}
	if options.MaxParallel <= 0 {
		options.MaxParallel = runtime.NumCPU()
	}
	if options.HostTimeout <= 0 {
		options.HostTimeout = DefaultHostTimeout
	}
	if options.Stall <= 0 {
		options.Stall = DefaultStall
	}
	if options.ConfirmTries <= 0 {
		options.ConfirmTries = DefaultConfirmTries
	}
	if options.ConfirmPause == 0 {
		options.ConfirmPause = DefaultConfirmPause
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	s := &Scanner{
		options: options, privileged: rawSockets(), outputCap: maxShardOutput, now: time.Now, tarpit: servicePatience,
		common: newBudget(options.Rate, nil), top: map[int]state.PortSet{}, budgets: map[string]*budget{},
	}
	s.common.start(options.Start, options.Knee)
	return s
}

// Scan scans one shard of any kind of work; a shard that names none looks at
// ports. watch, if any, is told the share of the shard that is done, from 0 to 1
// and never backwards, how many of its hosts are done, and how many open ports
// were found. What could not be scanned is part of the result. An error means
// that nothing can be scanned at all: nmap does not start, the list of addresses
// cannot be written, or ctx ended; then every nmap is dead when Scan returns.
func (s *Scanner) Scan(ctx context.Context, shard state.Shard, watch func(fraction float64, hosts, open int)) (state.ShardResult, error) {
	if watch == nil {
		watch = func(float64, int, int) {}
	}
	if err := ctx.Err(); err != nil {
		return state.ShardResult{}, err
	}
	result, err := s.work(ctx, shard, watch)
	if err != nil {
		return state.ShardResult{}, err
	}
	for _, note := range result.Notes {
		s.options.Log.WarnContext(ctx, "scan note", "run", shard.RunID, "shard", shard.No, "note", note)
	}
	return result, nil
}

func (s *Scanner) work(ctx context.Context, shard state.Shard, watch func(fraction float64, hosts, open int)) (state.ShardResult, error) {
	switch shard.Work {
	case state.WorkConfirm:
		return s.scanConfirm(ctx, shard, watch)
	case state.WorkServices:
		return s.scanServices(ctx, shard, watch)
	case state.WorkPorts, state.WorkInside: // the latter has no shards
	}
	return s.scanPorts(ctx, shard, watch)
}

// budgetOf returns the budget of hosts with these limits: a part of the common
// one that all shards with the same limits share, or the common one.
func (s *Scanner) budgetOf(limits state.Limits) *budget {
	if limits.MaxRate <= 0 {
		return s.common
	}
	key := limits.String()
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.budgets[key]
	if !ok {
		b = newBudget(min(limits.MaxRate, s.options.Rate), s.common)
		s.budgets[key] = b
	}
	return b
}
