package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/lab/netlab"
)

// Of the cell of workers: shards of a few hosts and ports each on a far network, so that every one of them takes its
// time in waiting and hardly any in work. They are so many that the second which a run takes besides does not count.
const (
	crewShards = 96
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
	if _, err := o.work(ctx, l, crewSize); err != nil { // not measured: it learns the network
		return nil, err
	}
	one := row{cell: c.name, tool: "OwnMap, 1 worker", judged: true}
	many := row{cell: c.name, tool: fmt.Sprintf("OwnMap, %d workers", crewSize), judged: true, limit: c.limit}
	var ones, manys []sample
	var ratios []float64
	for range b.repeats { // by turns, so that what else the machine does strikes both
		few, err := o.work(ctx, l, 1)
		if err != nil {
			return nil, err
		}
		more, err := o.work(ctx, l, crewSize)
		if err != nil {
			return nil, err
		}
		b.say("workers: 1 took %.1f s, %d took %.1f s", few.took.Seconds(), crewSize, more.took.Seconds())
		one.judge(few, l.Truth())
		one.compare(few.changes, nil)
		many.judge(more, l.Truth())
		many.compare(more.changes, nil)
		ones, manys = append(ones, few), append(manys, more)
		ratios = append(ratios, more.took.Seconds()/few.took.Seconds())
	}
	one.median(ones)
	many.median(manys)
	many.gain(ratios)
	return []row{one, many}, nil
}

// gain judges several workers by the middle of what they needed of the time of one, each time. Less than their share
// is no merit: then something else held the one up, and nothing is proven.
func (r *row) gain(ratios []float64) {
	slices.Sort(ratios)
	r.ratio = ratios[len(ratios)/2]
	r.remark = fmt.Sprintf("%.2f times as fast, %.2f to %.2f", 1/r.ratio, 1/ratios[len(ratios)-1], 1/ratios[0])
	if r.ratio < 0.95/crewSize {
		r.doubt = "more than their number can be: the one was held up"
	}
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

// work scans once with so many workers, each in a namespace of its own.
func (o *ownmap) work(ctx context.Context, l *netlab.Lab, size int) (s sample, err error) {
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
		said, err := w.StderrPipe()
		if err != nil {
			return s, err
		}
		if err := w.Start(); err != nil {
			return s, err
		}
		workers = append(workers, w)
		if line, _ := bufio.NewReader(said).ReadString('\n'); !strings.HasSuffix(line, "takes shards\n") {
			return s, fmt.Errorf("a worker did not start: %q", line)
		}
		go func() { _, _ = io.Copy(io.Discard, said) }() // until it is killed
	}
	return o.run(ctx)
}
