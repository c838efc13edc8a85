package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/lab/netlab"
)

// large are the cells of memory: many hosts, and one that calls every port open.
func large() []cell {
	near := netlab.Wire{RTT: 5 * time.Millisecond}
	return []cell{
		{name: "memory", alone: (*bench).many, memory: 150, wire: near, about: "4096 hosts, top 100"},
		{name: "portspoof", alone: (*bench).spoof, memory: 300, wire: near, about: "all ports of 15 hosts, and of one with 65535 open ports that all greet"},
	}
}

// many measures OwnMap's own memory with 4,096 hosts.
func (b *bench) many(ctx context.Context, c cell) ([]row, error) {
	var hosts []netlab.Host
	common := b.top[1000][:100]
	for n := range 16 {
		part := netlab.Network(uint64(n), 256, common)
		for i := range part {
			at := part[i].Address.As4()
			at[2] = byte(n)
			part[i].Address = netip.AddrFrom4(at)
			part[i].Ports = only(part[i].Ports, common)
		}
		hosts = append(hosts, part...)
	}
	return b.twice(ctx, c, hosts, fmt.Sprintf("%s/20", netlab.Prefix().Addr()), "\""+list(common)+"\"", false)
}

// spoof measures what a host costs that calls every port open and greets on it, and whether it harms others.
func (b *bench) spoof(ctx context.Context, c cell) ([]row, error) {
	hosts := netlab.Network(9, 16, b.top[1000])
	greets := netlab.Services()["ssh"]
	hosts[7].Ports, hosts[7].Spoof = nil, &greets
	return b.twice(ctx, c, hosts, fmt.Sprintf("%s/28", netlab.Prefix().Addr()), "all", false)
}

// twice scans a network for the first time and once more.
func (b *bench) twice(ctx context.Context, c cell, hosts []netlab.Host, targets, ports string, services bool) (rows []row, err error) {
	if b.only == "others" {
		return nil, nil
	}
	l, err := netlab.New(ctx, netlab.Options{Wire: c.wire, Hosts: hosts, Seed: 1})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	o, err := b.configure(ctx, l, fmt.Sprintf("targets:\n  - {hosts: %s, profile: bench}\nprofiles:\n  bench: {ports: %s, services: %t}\nscan: {rate: %d}\n",
		targets, ports, services, b.rate))
	if err != nil {
		return nil, err
	}
	for _, tool := range []string{"OwnMap, first run", "OwnMap"} {
		r := row{cell: c.name, tool: tool, judged: true, ownLimit: c.memory}
		s, err := o.run(ctx)
		if err != nil {
			return rows, err
		}
		r.judge(s, l.Truth())
		if tool == "OwnMap" {
			r.compare(s.changes, nil)
		}
		r.median([]sample{s})
		r.remark = strings.Join(s.findings, "; ")
		b.say("%s: %s took %.1f s", c.name, tool, s.took.Seconds())
		rows = append(rows, r)
	}
	return rows, nil
}

func only(services map[uint16]netlab.Service, ports []uint16) map[uint16]netlab.Service {
	for port := range services {
		if !slices.Contains(ports, port) {
			delete(services, port)
		}
	}
	return services
}

// list writes ports as nmap reads them.
func list(ports []uint16) string {
	var text []string
	for _, p := range ports {
		text = append(text, strconv.Itoa(int(p)))
	}
	return strings.Join(text, ",")
}
