package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"ownmap/pipeline/lab/netlab"
)

// own measures OwnMap: the real command, with a private database of its own. What night after night costs counts,
// for which a first run learns the network; that is a row too, and counts where the cell says so.
func (b *bench) own(ctx context.Context, c cell) (rows []row, err error) {
	first := row{cell: c.name, tool: "OwnMap, first run", judged: true, peakLimit: c.peak, carried: c.carries()}
	later := row{cell: c.name, tool: "OwnMap", judged: true, peakLimit: c.peak, carried: c.carries(), limit: c.limit, memoryLimit: c.memory}
	firsts := 1
	if c.first {
		firsts, first.limit, first.memoryLimit = b.repeats, c.limit, c.memory
	}
	if c.services {
		first.wantNamed, later.wantNamed = 1<<16, 1<<16 // as many as the rival
	}
	var samples []sample
	var l *netlab.Lab
	var o *ownmap
	defer func() {
		if l != nil {
			l.Close()
		}
	}()
	for range firsts {
		if l != nil {
			l.Close()
		}
		if l, err = b.lab(ctx, c); err != nil {
			return nil, err
		}
		if o, err = b.install(ctx, c, l); err != nil {
			return nil, err
		}
		s, err := o.run(ctx)
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
		first.judge(s, b.truth(c, l))
		b.say("%s: OwnMap's first run took %.1f s", c.name, s.took.Seconds())
	}
	first.median(samples)
	if c.first {
		return []row{first}, nil
	}
	samples = nil
	for night := range b.repeats {
		planted := b.plant(c, l, night)
		stop := b.midway(ctx, c, l)
		s, err := o.run(ctx)
		if err := stop(); err != nil {
			return []row{first}, err
		}
		if err != nil {
			return []row{first}, err
		}
		samples = append(samples, s)
		later.judge(s, b.truth(c, l))
		later.compare(s.changes, planted)
		b.say("%s: OwnMap took %.1f s", c.name, s.took.Seconds())
	}
	later.median(samples)
	return []row{first, later}, nil
}

// plant opens and closes ports, by turns, and returns where. A night never takes back what another did.
func (b *bench) plant(c cell, l *netlab.Lab, night int) (planted []netip.AddrPort) {
	truth := b.truth(c, l)
	open := slices.SortedFunc(maps.Keys(truth), netip.AddrPort.Compare)
	services, common := netlab.Services(), b.common(c)
	for i := range c.changes {
		if (i+night)%2 == 0 {
			at := open[(i*97+night*13)%len(open)]
			for slices.Contains(planted, at) {
				at = open[(slices.Index(open, at)+1)%len(open)]
			}
			l.Shut(at)
			planted = append(planted, at)
			continue
		}
		address := open[(i*89+night*31)%len(open)].Addr()
		for _, port := range common[(i*53+night*7)%(len(common)/2):] {
			at := netip.AddrPortFrom(address, port)
			if _, taken := truth[at]; !taken && !slices.Contains(planted, at) {
				_ = l.Open(at, services[[]string{"ssh", "http", "ftp", "smtp"}[i%4]]) // the host is one of the lab's
				planted = append(planted, at)
				break
			}
		}
	}
	return planted
}

// compare counts changes that were not told and told ones that never were.
func (r *row) compare(told, planted []netip.AddrPort) {
	untold, falsely := differ(told, planted)
	r.untold, r.falsely = max(r.untold, untold), max(r.falsely, falsely)
}

func differ(told, planted []netip.AddrPort) (untold, falsely int) {
	for _, at := range planted {
		if !slices.Contains(told, at) {
			untold++
		}
	}
	for _, at := range told {
		if !slices.Contains(planted, at) {
			falsely++
		}
	}
	return untold, falsely
}

// ownmap is an installation: a config and a state directory.
type ownmap struct {
	program, config string
	lab             *netlab.Lab
	log             io.Writer // of what it says; nil: nobody reads it
}

// install makes an installation that scans what a cell is about.
func (b *bench) install(ctx context.Context, c cell, l *netlab.Lab) (*ownmap, error) {
	rate, ports := c.rate, fmt.Sprintf("top-%d", c.common())
	if rate == 0 {
		rate = b.rate
	}
	if c.all {
		ports = "all"
	}
	return b.configure(ctx, l, fmt.Sprintf("targets:\n  - {hosts: [%s], profile: bench}\nprofiles:\n  bench: {ports: %s, services: %t}\nscan: {rate: %d}\n",
		c.prefix(), ports, c.services, rate))
}

// configure makes an installation whose database is there already: making one is not a part of a scan.
func (b *bench) configure(ctx context.Context, l *netlab.Lab, config string) (*ownmap, error) {
	dir, err := os.MkdirTemp(b.dir, "own-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs as a user of its own below it
		return nil, err
	}
	o := &ownmap{program: b.program, config: filepath.Join(dir, "ownmap.yaml"), lab: l}
	if b.verbose {
		o.log = b.log
	}
	config = fmt.Sprintf("state_dir: %s\n%s", filepath.Join(dir, "state"), config)
	if err := os.WriteFile(o.config, []byte(config), 0o600); err != nil {
		return nil, err
	}
	_, err = o.output(o.command(ctx, "status"))
	return o, err
}

func (o *ownmap) command(ctx context.Context, args ...string) *exec.Cmd {
	return o.lab.Command(ctx, o.program, append([]string{"--config", o.config}, args...)...)
}

func (o *ownmap) output(cmd *exec.Cmd) ([]byte, error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s%s", cmd.Args[3:], err, out, said.Bytes())
	}
	return out, nil
}

// spot is a port, or a change of one, in OwnMap's JSON.
type spot struct {
	Address  netip.Addr `json:"address"`
	Protocol string     `json:"protocol"`
	Port     uint16     `json:"port"`
	Product  string     `json:"product"`
	Kind     string     `json:"kind"`
}

// run scans once, and asks then what is known.
func (o *ownmap) run(ctx context.Context) (s sample, err error) {
	cmd := o.command(ctx, "run", "--json")
	var said, report bytes.Buffer
	cmd.Stdout, cmd.Stderr = &report, &said
	if o.log != nil {
		cmd.Args = append(cmd.Args, "--verbose")
		cmd.Stderr = io.MultiWriter(&said, o.log)
	}
	if s, err = observe(cmd, o.lab); err != nil {
		return s, fmt.Errorf("ownmap run: %w: %s", err, said.Bytes())
	}
	var told struct {
		Changes  []spot `json:"changes"`
		Findings []struct {
			Address string `json:"address"`
			Kind    string `json:"kind"`
		} `json:"findings"`
		Run struct {
			Pace map[string]struct {
				Rate int `json:"rate"`
			} `json:"pace"`
		} `json:"run"`
	}
	if err := json.Unmarshal(report.Bytes(), &told); err != nil {
		return s, fmt.Errorf("ownmap run --json: %w", err)
	}
	s.pace = told.Run.Pace["local"].Rate
	for _, f := range told.Findings {
		s.findings = append(s.findings, f.Address+": "+f.Kind)
	}
	for _, change := range told.Changes {
		at := netip.AddrPortFrom(change.Address, change.Port)
		s.changes = append(s.changes, at)
		s.words = append(s.words, fmt.Sprintf("%s %s", at, change.Kind))
	}
	text, err := o.output(o.command(ctx, "ports", "--json"))
	if err != nil {
		return s, err
	}
	var known []spot
	if err := json.Unmarshal(text, &known); err != nil {
		return s, fmt.Errorf("ownmap ports --json: %w", err)
	}
	s.seen = map[netip.AddrPort]string{}
	for _, p := range known {
		if p.Protocol == "tcp" {
			s.seen[netip.AddrPortFrom(p.Address, p.Port)] = p.Product
		}
	}
	return s, nil
}
