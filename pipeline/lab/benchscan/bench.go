package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ownmap/pipeline/lab/netlab"
)

// bench measures cells.
type bench struct {
	program    string
	dir        string
	rate       int
	repeats    int
	nightsEach int
	saved      string // file of the slow rivals' figures; empty: none
	only       string // "ownmap" or "others": measure nothing else
	verbose    bool   // print what OwnMap says
	log        io.Writer

	mu  sync.Mutex
	top map[int][]uint16 // the most common ports, by how many
}

// say tells how far the benchmark is.
func (b *bench) say(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.log, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}

// sample is one measurement.
type sample struct {
	took    time.Duration
	cpu     time.Duration
	memory  memory
	packets netlab.Packets
	pace    int                       // packets a second that the link carried, as OwnMap's report says
	seen    map[netip.AddrPort]string // open ports and the product named
	changes []netip.AddrPort          // that were told
	words   []string                  // for them
	// findings are about whole hosts, as OwnMap told them.
	findings []string
}

// row is a line of the table: repeated measurements of one tool in one cell.
type row struct {
	cell, tool       string
	absent           string // why there are no figures
	repeats          int
	took             time.Duration // median
	ratio, limit     float64       // 0: none
	missed, invented int           // ports, the worst of all repeats
	named            int           // services, the least of all repeats
	wantNamed        int
	untold, falsely  int // changes, the worst of all repeats
	packets, peak    int64
	cpu              time.Duration
	nmaps, own       int // MB
	memoryLimit      int // of nmaps, MB
	ownLimit         int // of own
	overrun          int64
	steady           int64  // packets a second in the busiest ten seconds, without the resets of the scanner's system
	peakSent         int64  // in the busiest second
	fastest          int64  // over the whole of the fastest repeat, resets too
	peakLimit        int64  // of steady and fastest
	carried, told    int    // packets a second: what the link carried, and the report says
	crowded          int64  // packets that the link dropped because they came too fast, the most of all repeats
	remark           string // for the reader of the table
	doubt            string // why it proves nothing; empty: it does
	judged           bool   // OwnMap's own rows have to tell the truth
}

// good says whether a row keeps what was promised.
func (r row) good() bool {
	if !r.judged || r.absent != "" {
		return true
	}
	return r.doubt == "" && r.missed == 0 && r.invented == 0 && r.untold == 0 && r.falsely == 0 && r.named >= r.wantNamed &&
		(r.limit == 0 || r.ratio == 0 || r.ratio <= r.limit) && (r.memoryLimit == 0 || r.nmaps <= r.memoryLimit) && (r.ownLimit == 0 || r.own < r.ownLimit) &&
		r.keepsRate() && r.namesTheLink()
}

// measure measures cells: first what is slow, side by side, then everything else alone on the machine.
func (b *bench) measure(ctx context.Context, chosen []cell) (rows []row, err error) {
	if err := b.findPorts(ctx, chosen); err != nil {
		return nil, err
	}
	slow := map[string]row{}
	if b.only != "ownmap" {
		if slow, err = b.slow(ctx, chosen); err != nil {
			return nil, err
		}
	}
	for _, c := range chosen {
		more, fault := b.cell(ctx, c, slow)
		if rows = append(rows, more...); ctx.Err() != nil {
			return rows, ctx.Err()
		}
		if fault != nil { // the others go on
			err = errors.Join(err, fmt.Errorf("%s: %w", c.name, fault))
		}
	}
	return rows, err
}

// cell measures one cell. slow are the rivals that were measured before.
func (b *bench) cell(ctx context.Context, c cell, slow map[string]row) (rows []row, err error) {
	if c.alone != nil {
		return c.alone(b, ctx, c)
	}
	rival, known := slow[c.key()]
	if b.only != "ownmap" && !known && c.rival.name != "" {
		if rival, err = b.rival(ctx, c, b.repeats); err != nil {
			return nil, err
		}
	}
	if rival.tool != "" {
		rival.cell = c.name
		rows = append(rows, rival)
	}
	if b.only == "others" {
		return rows, nil
	}
	own, err := b.own(ctx, c)
	for _, r := range own {
		if rival.took > 0 {
			r.ratio = r.took.Seconds() / rival.took.Seconds()
		}
		r.wantNamed = min(rival.named, r.wantNamed)
		rows = append(rows, r)
	}
	return rows, err
}

// findPorts asks nmap which ports are the most common ones.
func (b *bench) findPorts(ctx context.Context, chosen []cell) (err error) {
	b.top = map[int][]uint16{}
	for _, c := range chosen {
		if n := c.common(); b.top[n] == nil {
			if b.top[n], err = netlab.TopPorts(ctx, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// key is equal for cells whose rival does the same work.
func (c cell) key() string { return c.rival.name + c.work() }

// slow measures the slow rivals once, all at the same time, each in a lab of its own: they wait most of the time.
func (b *bench) slow(ctx context.Context, chosen []cell) (map[string]row, error) {
	rows, err := load(b.saved)
	if err != nil {
		return nil, err
	}
	works := map[string]cell{}
	for _, c := range chosen {
		if _, known := rows[c.key()]; c.rival.slow && !known {
			works[c.key()] = c
		}
	}
	type outcome struct {
		key string
		row row
		err error
	}
	outcomes := make(chan outcome, len(works))
	for key, c := range works {
		go func() {
			r, err := b.rival(ctx, c, 1)
			outcomes <- outcome{key, r, err}
		}()
	}
	var failed error
	for range works {
		o := <-outcomes
		if failed = cmp.Or(failed, o.err); o.err == nil {
			rows[o.key] = o.row
			failed = cmp.Or(failed, save(b.saved, o.key, o.row))
		}
	}
	return rows, failed
}

// lab makes the network of a cell.
func (b *bench) lab(ctx context.Context, c cell) (*netlab.Lab, error) {
	return netlab.New(ctx, netlab.Options{Wire: c.wire, Hosts: netlab.Network(1, c.hosts, b.common(c)), Seed: 1})
}

// common are the ports that may be open on any host of the cell.
func (b *bench) common(c cell) []uint16 { return b.top[c.common()] }

// truth is what a scan of the cell can find.
func (b *bench) truth(c cell, l *netlab.Lab) map[netip.AddrPort]netlab.Service {
	truth, common := l.Truth(), b.common(c)
	maps.DeleteFunc(truth, func(at netip.AddrPort, _ netlab.Service) bool { return !c.all && !slices.Contains(common, at.Port()) })
	return truth
}

// judge adds a measurement to a row that has to have seen the truth.
func (r *row) judge(s sample, truth map[netip.AddrPort]netlab.Service) {
	missed, invented, named := 0, 0, 0
	for at, service := range truth {
		product, seen := s.seen[at]
		switch {
		case !seen:
			missed++
		case product != "" && product == service.Product:
			named++
		}
	}
	for at := range s.seen {
		if _, open := truth[at]; !open {
			invented++
		}
	}
	if r.repeats++; r.repeats == 1 {
		r.named = named
	}
	r.missed, r.invented, r.named = max(r.missed, missed), max(r.invented, invented), min(r.named, named)
	if s.pace > 0 {
		r.told = worse(r.carried, r.told, s.pace)
	}
	r.steady = max(r.steady, s.packets.PeakLong/10)
	r.peakSent = max(r.peakSent, s.packets.PeakSent)
	r.fastest = max(r.fastest, int64(float64(s.packets.Received)/max(1, s.took.Seconds())))
	r.crowded = max(r.crowded, s.packets.Crowded)
	r.peak, r.overrun = max(r.peak, s.packets.Peak), r.overrun+s.packets.Overrun
	r.nmaps, r.own = max(r.nmaps, s.memory.nmaps), max(r.own, s.memory.own)
}

// median fills in the figures of which the middle one counts.
func (r *row) median(samples []sample) {
	middle := func(of func(sample) int64) int64 {
		var all []int64
		for _, s := range samples {
			all = append(all, of(s))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	r.took = time.Duration(middle(func(s sample) int64 { return int64(s.took) }))
	r.cpu = time.Duration(middle(func(s sample) int64 { return int64(s.cpu) }))
	r.packets = middle(func(s sample) int64 { return s.packets.Received })
}
