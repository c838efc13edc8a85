// Package scan looks at hosts from outside. It is the only room that speaks
// nmap: it splits a plan into shards, runs one nmap process for each, reads its
// XML as it comes and says for every host what was seen and what was looked at.
package scan

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/state"
)

// ErrNoNmap says that there is no nmap to scan with.
var ErrNoNmap = errors.New("nmap is not installed (apt-get install nmap, or your system's equivalent)")

// Defaults of Options.
const (
	DefaultRate        = 5000             // packets a second: polite on any network
	DefaultHostTimeout = 15 * time.Minute // patience with one host
	DefaultStall       = 5 * time.Minute  // nmap prints its progress every two seconds
)

// Options say how to scan. The zero value is usable: it takes nmap from PATH and
// the defaults above.
type Options struct {
	Binary      string        // path of nmap; empty: found in PATH
	Rate        int           // packets a second over all processes; service detection is not counted
	MaxParallel int           // nmap processes at once; 0: one a core
	HostTimeout time.Duration // patience with a host, on top of the time that the rate itself costs
	Stall       time.Duration // how long nmap may print nothing before it counts as hung
	ReverseDNS  bool          // ask DNS for the names of addresses
	Dir         string        // for lists of targets, made with mode 0700; empty: a new temporary one each time
	Log         *slog.Logger  // nil: nothing is logged
	Progress    Progress      // nil: nobody watches
}

// Scanner implements pipeline.Scanner with nmap. Make it with New.
type Scanner struct {
	options    Options
	privileged bool // raw sockets can be had
	outputCap  int64

	mu  sync.Mutex
	top map[int]state.PortSet // nmap's N most common TCP ports
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
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Scanner{options: options, privileged: rawSockets(), outputCap: maxShardOutput, top: map[int]state.PortSet{}}
}

// Scan scans the shards, up to MaxParallel at once, and hands each result to
// keep as it ends, never two at once. What could not be scanned is part of a
// result. An error means that nothing more can be scanned: nmap does not start,
// the list of targets cannot be written, keep failed, or ctx ended; then every
// nmap is dead when Scan returns, and the shards that were not kept are pending.
func (s *Scanner) Scan(ctx context.Context, shards []state.Shard, keep func(state.ShardResult) error) error {
	if len(shards) == 0 {
		return nil
	}
	asked, err := s.ask(ctx, shards)
	if err != nil {
		return err
	}
	parallel := min(s.options.MaxParallel, len(shards))
	track := newTracker(s.options.Progress, shards)
	defer track.done()

	var keeping sync.Mutex
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, shard := range shards {
		group.Go(func() error {
			result, err := s.scanShard(inner, job{shard: shard, asked: asked[i], rate: max(1, s.options.Rate/parallel)}, track.shard(shard))
			if err != nil {
				return err
			}
			keeping.Lock()
			defer keeping.Unlock()
			if err := inner.Err(); err != nil {
				return err
			}
			return keep(result)
		})
	}
	err = group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// ask resolves which ports each shard asks for.
func (s *Scanner) ask(ctx context.Context, shards []state.Shard) ([]ports, error) {
	asked := make([]ports, len(shards))
	for i, shard := range shards {
		var err error
		if asked[i], err = s.portsOf(ctx, shard.Profile); err != nil {
			return nil, err
		}
	}
	return asked, nil
}
