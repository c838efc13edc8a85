package main

import (
	"context"
	"fmt"
	"time"

	"ownmap/pipeline/lab/netlab"
)

// links are the cells whose link is the point. A cap far above what it carries must not cost a finding, and a cap
// far below must hold.
func links() []cell {
	const ms = time.Millisecond
	narrow := netlab.Wire{RTT: 5 * ms, Rate: 10_000}
	dropped := narrow
	dropped.Drop = true
	wide := netlab.Wire{RTT: 5 * ms, Rate: 40_000}
	return []cell{
		{name: "cliff-refused", hosts: 256, wire: narrow, rate: 1_000_000},
		{name: "cliff-dropped", hosts: 256, wire: dropped, rate: 1_000_000},
		{name: "throttled", hosts: 256, wire: wide, rate: 40_000, throttle: true},
		{name: "rate-500", hosts: 16, wire: netlab.Wire{RTT: 5 * ms}, services: true, rate: 500, changes: 4, peak: 500},
	}
}

// carries is what the report has to name as what the link carried; 0: nothing.
func (c cell) carries() int {
	if c.throttle {
		return 0 // it was two links
	}
	return c.wire.Rate
}

// keepsRate says whether the rate was not exceeded: by all packets of OwnMap, its nmaps and their connections over
// the whole run; and in any ten seconds, without the resets by which the system answers a SYN-ACK
// that nmap's own packet brought, one for each open port. Within one second it may be more: nmap makes up for time
// that a busy machine kept it waiting.
func (r row) keepsRate() bool {
	return r.peakLimit == 0 || r.fastest <= r.peakLimit && r.steady <= r.peakLimit
}

// namesTheLink says whether the report told about what the link carried: half of it at least, and a quarter more at
// most. That much less than nmap's own repeats make up for does not show.
func (r row) namesTheLink() bool {
	return r.carried == 0 || 2*r.told >= r.carried && 4*r.told <= 5*r.carried
}

// worse is which of two figures is further from the truth; 0 is none yet.
func worse(truth, a, b int) int {
	if a == 0 || max(truth-b, b-truth) > max(truth-a, a-truth) {
		return b
	}
	return a
}

// midway throttles the link to a tenth once a run has sent half of its probes, if the cell asks for that. stop ends
// it when the run has ended, gives the link back, and fails if there was no throttled half.
func (b *bench) midway(ctx context.Context, c cell, l *netlab.Lab) (stop func() error) {
	if !c.throttle {
		return func() error { return nil }
	}
	half := l.Packets().Received + int64(c.hosts*c.common()/2)
	ctx, cancel := context.WithCancel(ctx)
	throttled := make(chan bool)
	go func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for l.Packets().Received < half {
			select {
			case <-ctx.Done():
				throttled <- false
				return
			case <-ticker.C:
			}
		}
		l.Throttle(c.wire.Rate / 10)
		throttled <- true
	}()
	return func() error {
		cancel()
		was := <-throttled
		l.Throttle(c.wire.Rate)
		if !was {
			return fmt.Errorf("the run ended before it had sent %d packets: nothing was throttled", c.hosts*c.common()/2)
		}
		return nil
	}
}
