package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os/exec"
	"strings"
	"time"

	"ownmap/pipeline/lab/netlab"
)

// Of the cell of workers: shards of a few hosts and ports each on a far network, so that every one of them takes its
// time in waiting and hardly any in work.
const (
	crewShards = 48
	crewHosts  = 4  // of a shard
	crewPorts  = 40 // and one more for each shard, since another profile is another shard
	crewSize   = 4
)

// crew is the cell of several workers.
func crew() cell {
	return cell{
		name: "workers", alone: (*bench).crew, limit: 1 / 3.2, wire: netlab.Wire{RTT: 250 * time.Millisecond},
		about: fmt.Sprintf("%d shards of a network 250 ms away, by one worker and by %d", crewShards, crewSize),
	}
}

// crew compares four workers with one, on the same network and from the same known state.
func (b *bench) crew(ctx context.Context, c cell) (rows []row, err error) {
	if b.only == "others" {
		return nil, nil
	}
	l, err := netlab.New(ctx, netlab.Options{Wire: c.wire, Hosts: crewNetwork(), Seed: 1, Scanners: crewSize})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	o, err := b.installCrew(ctx, l)
	if err != nil {
		return nil, err
	}
	for _, size := range []int{crewSize, 1, crewSize} { // the first is not measured: it learns the network
		r := row{cell: c.name, tool: fmt.Sprintf("OwnMap, %d workers", size), judged: true}
		if size == 1 {
			r.tool = "OwnMap, 1 worker"
		}
		samples, err := o.work(ctx, l, size, b.repeats)
		if err != nil {
			return rows, err
		}
		for _, s := range samples {
			r.judge(s, l.Truth())
			r.compare(s.changes, nil)
		}
		r.median(samples)
		b.say("workers: %s took %.1f s", r.tool, r.took.Seconds())
		rows = append(rows, r)
	}
	rows[2].limit, rows[2].ratio = c.limit, rows[2].took.Seconds()/rows[1].took.Seconds()
	return rows[1:], nil
}

// crewNetwork are the hosts, with ports that every shard looks at.
func crewNetwork() []netlab.Host {
	hosts := netlab.Network(5, crewShards*crewHosts, []uint16{1, 7, 13, 19, 22, 25, 31, 37, 40})
	for i := range hosts {
		hosts[i].Address = crewAddress(i/crewHosts, i%crewHosts)
		maps.DeleteFunc(hosts[i].Ports, func(port uint16, _ netlab.Service) bool { return port > crewPorts })
	}
	return hosts
}

func crewAddress(shard, host int) netip.Addr {
	at := netlab.Prefix().Addr().As4()
	at[2], at[3] = byte(shard), byte(host)
	return netip.AddrFrom4(at)
}

// installCrew makes an installation whose hosts are for workers only.
func (b *bench) installCrew(ctx context.Context, l *netlab.Lab) (*ownmap, error) {
	var targets, profiles strings.Builder
	for n := range crewShards {
		fmt.Fprintf(&targets, "  - {hosts: %s-%d, profile: p%d, vantage: far}\n", crewAddress(n, 0), crewHosts-1, n)
		fmt.Fprintf(&profiles, "  p%d: {ports: \"1-%d\", services: false}\n", n, crewPorts+n)
	}
	return b.configure(ctx, l, fmt.Sprintf("targets:\n%sprofiles:\n%sscan: {rate: %d}\n", &targets, &profiles, b.rate))
}

// work scans with so many workers, each in a namespace of its own.
func (o *ownmap) work(ctx context.Context, l *netlab.Lab, size, repeats int) (samples []sample, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var workers []*exec.Cmd
	defer func() {
		cancel() // kills them
		for _, w := range workers {
			_ = w.Wait()
		}
	}()
	for n := range size {
		w := l.CommandAt(ctx, n, o.program, "--config", o.config, "worker", "--vantage", "far")
		if err := w.Start(); err != nil {
			return nil, err
		}
		workers = append(workers, w)
	}
	for range repeats {
		s, err := o.run(ctx)
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
	}
	return samples, nil
}
