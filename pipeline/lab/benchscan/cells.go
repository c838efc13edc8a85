package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/lab/netlab"
)

// cell is one comparison: a network, what is looked for, and what OwnMap is compared with.
type cell struct {
	name     string
	hosts    int // 16, 64 or 256: a prefix of them
	wire     netlab.Wire
	all      bool // all 65,535 ports
	top      int  // else this many of the most common ones; 0: 1,000
	services bool
	rate     int  // scan.rate; 0: what the benchmark was told
	first    bool // the first run counts, else the later nights
	changes  int  // planted before each night
	memory   int  // limit of all nmaps of OwnMap together, MB; 0: none
	limit    float64
	rival    rival // without a name there is none

	throttle bool  // each later run finds the link throttled to a tenth when it is half done
	peak     int64 // packets a second that OwnMap may send; 0: any number
	// alone measures a cell that is no scan of OwnMap beside a rival's; nil: it is one.
	alone func(*bench, context.Context, cell) ([]row, error)
	about string // what such a cell measures, in words
}

// rival is what OwnMap is compared with.
type rival struct {
	name string
	slow bool // over two minutes: measured once, side by side with the other slow ones
	args string
}

// work says in words what a cell scans.
func (c cell) work() string {
	if c.about != "" {
		return c.about
	}
	ports, closed, services := fmt.Sprintf("top %d", c.common()), "refused", ""
	if c.all {
		ports = "all ports"
	}
	if c.wire.Drop {
		closed = "dropped"
	}
	if c.services {
		services = ", services"
	}
	link := ""
	if c.wire.Rate > 0 {
		link = fmt.Sprintf(", a link of %d/s", c.wire.Rate)
	}
	return fmt.Sprintf("%d hosts, %s%s, %v, %g %% loss, %s%s", c.hosts, ports, services, c.wire.RTT, c.wire.Loss*100, closed, link)
}

// prefix is what is scanned: as many addresses as there are hosts.
func (c cell) prefix() string {
	bits := map[int]int{16: 28, 64: 26, 256: 24}[c.hosts]
	return fmt.Sprintf("%s/%d", netlab.Prefix().Addr(), bits)
}

func (c cell) ports() string {
	if c.all {
		return "-p1-65535"
	}
	return fmt.Sprintf("--top-ports %d", c.common())
}

// common is how many of the most common ports are open anywhere and looked for.
func (c cell) common() int { return cmp.Or(c.top, 1000) }

// cells are all comparisons.
func cells() []cell {
	const ms = time.Millisecond
	near, far := netlab.Wire{RTT: 5 * ms}, netlab.Wire{RTT: 20 * ms, Loss: 0.03}
	dropped := func(w netlab.Wire) netlab.Wire { w.Drop = true; return w }
	nmap := func(args string, slow bool) rival {
		return rival{name: "nmap " + args, slow: slow, args: "-sS " + args}
	}
	cron := rival{name: cronScript, slow: true}
	compared := []cell{
		{name: "ports-5ms-refused", hosts: 256, wire: near, limit: 0.25, rival: nmap("-T3", false)},
		{name: "ports-5ms-dropped", hosts: 256, wire: dropped(near), limit: 0.07, rival: nmap("-T3", true)},
		{name: "ports-20ms-refused", hosts: 256, wire: far, limit: 0.02, rival: nmap("-T3", true)},
		{name: "ports-20ms-dropped", hosts: 256, wire: dropped(far), limit: 0.04, rival: nmap("-T4", true)},
		{name: "polite-20ms-refused", hosts: 256, wire: far, rate: 5000, limit: 0.10, rival: nmap("-T3", true)},
		{name: "all-5ms-refused", hosts: 16, wire: near, all: true, memory: 200, limit: 0.22, rival: nmap("-T3", false)},
		{name: "all-5ms-dropped", hosts: 16, wire: dropped(near), all: true, memory: 200, limit: 0.08, rival: nmap("-T3", true)},
		{name: "masscan-20ms-refused", hosts: 256, wire: far, rate: 20_000, limit: 1, rival: rival{name: masscan}},
		{name: "naabu-20ms-refused", hosts: 256, wire: far, rate: 20_000, limit: 1, rival: rival{name: naabu}},
		{name: "services-first", hosts: 64, wire: near, services: true, first: true, limit: 0.30, rival: nmap("-sV -T3", true)},
		{name: "services-later", hosts: 64, wire: near, services: true, limit: 0.05, rival: nmap("-sV -T3", true)},
		{name: "night-unchanged", hosts: 256, wire: far, services: true, limit: 0.03, rival: cron},
		{name: "night-changed", hosts: 256, wire: far, services: true, changes: 10, limit: 0.04, rival: cron},
	}
	return slices.Concat(compared, links(), large(), []cell{crew(), ingest()}, nights())
}

// choose returns the cells whose name begins with one of the words; all without words.
func choose(all []cell, words string) (chosen []cell, err error) {
	if words == "" {
		return all, nil
	}
	for word := range strings.SplitSeq(words, ",") {
		before := len(chosen)
		for _, c := range all {
			if strings.HasPrefix(c.name, word) {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("no cell's name begins with %q: -list names them", word)
		}
	}
	return chosen, nil
}
