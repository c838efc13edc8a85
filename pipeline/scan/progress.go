package scan

import (
	"strings"
	"sync"

	"ownmap/pipeline/state"
)

// Progress watches a scan. Its methods are called one at a time.
type Progress interface {
	// Start says how many addresses are going to be looked at.
	Start(hosts int)
	// Update says how many addresses are done, how many open ports were found on
	// them, and how much of the work is done, from 0 to 1. nmap tells of a host only
	// when its whole shard ends, so the fraction runs ahead of the hosts.
	Update(hosts, open int, fraction float64)
	// Done ends it.
	Done()
}

// tracker adds up the progress of shards that run side by side.
type tracker struct {
	mu          sync.Mutex
	sink        Progress
	total       int
	hosts, open int
	work        float64 // in hosts
}

func newTracker(sink Progress, shards []state.Shard) *tracker {
	t := &tracker{sink: sink}
	for _, s := range shards {
		t.total += len(s.Hosts)
	}
	if sink != nil {
		sink.Start(t.total)
	}
	return t
}

func (t *tracker) add(hosts, open int, work float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hosts, t.open, t.work = t.hosts+hosts, t.open+open, t.work+work
	if t.sink != nil && t.total > 0 {
		t.sink.Update(t.hosts, t.open, min(1, t.work/float64(t.total)))
	}
}

func (t *tracker) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sink != nil {
		t.sink.Done()
	}
}

// shard returns the part of the tracker that one shard moves.
func (t *tracker) shard(s state.Shard) *shardTracker {
	return &shardTracker{all: t, hosts: len(s.Hosts), services: s.Profile.Services}
}

type shardTracker struct {
	all      *tracker
	hosts    int
	seen     int
	services bool
	fraction float64
}

// Shares of a shard's time, roughly: only the bar depends on them.
const (
	pingShare    = 0.05
	serviceShare = 0.5 // with service detection
)

// task moves the shard to where one of nmap's tasks has come.
func (t *shardTracker) task(name string, fraction float64) {
	end := 1.0
	if t.services {
		end -= serviceShare
	}
	switch {
	case strings.Contains(name, "Ping Scan"):
		t.reach(fraction * pingShare)
	case name == "Service scan":
		t.reach(end + fraction*(1-end))
	case strings.HasSuffix(name, "Scan"):
		t.reach(pingShare + fraction*(end-pingShare))
	}
}

// host counts a host that nmap told of.
func (t *shardTracker) host(h state.Host) {
	open := 0
	for _, p := range h.Ports {
		if p.State == state.Open {
			open++
		}
	}
	t.seen++
	t.all.add(1, open, 0)
}

// done counts the shard as a whole.
func (t *shardTracker) done() {
	t.reach(1)
	t.all.add(t.hosts-t.seen, 0, 0)
}

// reach never goes back.
func (t *shardTracker) reach(fraction float64) {
	if fraction <= t.fraction || fraction > 1 {
		return
	}
	step := fraction - t.fraction
	t.fraction = fraction
	t.all.add(0, 0, step*float64(t.hosts))
}
