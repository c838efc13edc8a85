package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/lab/netlab"
)

// nightsEach is how many nights a cell of nights has without any change, and again with one each, if nobody says otherwise.
const nightsEach = 10

// nights are the cells of false alarms: night after night the same network over a lossy link.
func nights() (all []cell) {
	for _, percent := range []int{1, 3, 5} {
		for _, drop := range []bool{false, true} {
			closed := map[bool]string{false: "refused", true: "dropped"}[drop]
			c := cell{
				name: fmt.Sprintf("nights-%d-%s", percent, closed), hosts: 64, top: 100, services: true,
				wire:  netlab.Wire{RTT: 20 * time.Millisecond, Loss: float64(percent) / 100, Drop: drop},
				alone: (*bench).nights,
			}
			c.about = "night after night unchanged, and as often with one change each: " + c.work()
			all = append(all, c)
		}
	}
	return all
}

// night scans once and returns the ports that are told to have changed since the night before.
type night func(ctx context.Context) (sample, error)

// nights counts the false changes of OwnMap and of the cron script. Each has a network of its own, and both are
// alike: the losses are different ones anyway.
func (b *bench) nights(ctx context.Context, c cell) ([]row, error) {
	var own, cron []row
	group, ctx := errgroup.WithContext(ctx)
	if b.only != "others" {
		group.Go(func() error {
			return b.withLab(ctx, c, func(l *netlab.Lab) (err error) {
				o, err := b.install(ctx, c, l)
				if err != nil {
					return err
				}
				own, err = b.count(ctx, c, l, row{tool: "OwnMap", judged: true}, o.run)
				return err
			})
		})
	}
	if b.only != "ownmap" {
		group.Go(func() error {
			return b.withLab(ctx, c, func(l *netlab.Lab) (err error) {
				s := &script{cell: c, lab: l, each: b.nightsEach}
				if s.dir, err = os.MkdirTemp(b.dir, "cron-"); err != nil {
					return err
				}
				cron, err = b.count(ctx, c, l, row{tool: "nmap -T4 + ndiff"}, s.run)
				for i := range cron {
					cron[i].remark = fmt.Sprintf("ndiff's alarm on %d of %d nights", s.alarms[i], b.nightsEach)
				}
				return err
			})
		})
	}
	err := group.Wait()
	return append(own, cron...), err
}

func (b *bench) withLab(ctx context.Context, c cell, do func(*netlab.Lab) error) error {
	l, err := b.lab(ctx, c)
	if err != nil {
		return err
	}
	defer l.Close()
	return do(l)
}

// count goes through the nights. Changes that were told falsely, or not in the same night, are summed up.
func (b *bench) count(ctx context.Context, c cell, l *netlab.Lab, like row, run night) (rows []row, err error) {
	if _, err := run(ctx); err != nil { // what the first night is compared with
		return nil, err
	}
	for changes, what := range []string{"unchanged", "one change"} {
		r, c := like, c
		r.cell, r.tool, c.changes = c.name, like.tool+", "+what, changes
		var samples []sample
		for i := range b.nightsEach {
			planted := b.plant(c, l, i)
			s, err := run(ctx)
			if err != nil {
				return rows, err
			}
			samples = append(samples, s)
			r.judge(s, b.truth(c, l))
			untold, falsely := differ(s.changes, planted)
			r.untold, r.falsely = r.untold+untold, r.falsely+falsely
			b.say("%s: %s, night %d took %.1f s: %d changes told, %d false", c.name, r.tool, i+1, s.took.Seconds(), len(s.changes), falsely)
			if r.judged && untold+falsely > 0 {
				b.say("%s: planted was %v, told was %q", c.name, planted, s.words)
			}
		}
		r.median(samples)
		rows = append(rows, r)
	}
	return rows, nil
}

// script is the cron script: nmap tonight, and ndiff with the night before.
type script struct {
	cell   cell
	lab    *netlab.Lab
	dir    string
	night  int
	each   int    // nights unchanged, and nights with a change
	alarms [2]int // nights on which ndiff said anything, unchanged ones and others
}

func (s *script) run(ctx context.Context) (sample, error) {
	before, tonight := s.file(s.night), s.file(s.night+1)
	cmd := s.lab.Command(ctx, "nmap", "-n", "-sS", "-T4", fmt.Sprintf("--top-ports=%d", s.cell.common()), s.cell.prefix(), "-oX", tonight)
	measured, err := observe(cmd, s.lab)
	if err != nil {
		return measured, fmt.Errorf("nmap: %w", err)
	}
	text, err := os.ReadFile(tonight)
	if err != nil {
		return measured, err
	}
	if measured.seen, err = parseXML(text); err != nil {
		return measured, err
	}
	if s.night++; s.night == 1 {
		return measured, nil
	}
	out, err := exec.CommandContext(ctx, "ndiff", before, tonight).Output() //nolint:gosec // files of the script's own
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 1: // they differ
		s.alarms[(s.night-2)/s.each]++
	case err != nil:
		return measured, fmt.Errorf("ndiff: %w", err)
	}
	measured.changes, err = parseNdiff(out)
	return measured, err
}

func (s *script) file(night int) string { return filepath.Join(s.dir, fmt.Sprintf("%d.xml", night)) }

// parseNdiff returns the ports that ndiff's text tells to have changed in any way.
func parseNdiff(text []byte) (changed []netip.AddrPort, err error) {
	host := regexp.MustCompile(`^[-+ ](?:\S+ \()?([0-9a-f.:]+)\)?:$`)
	port := regexp.MustCompile(`^[-+](\d+)/tcp `)
	var at netip.Addr
	told := map[netip.AddrPort]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if m := host.FindSubmatch(lines.Bytes()); m != nil {
			if at, err = netip.ParseAddr(string(m[1])); err != nil {
				return nil, fmt.Errorf("ndiff's text: %w", err)
			}
		}
		if m := port.FindSubmatch(lines.Bytes()); m != nil {
			p, err := netip.ParseAddrPort(fmt.Sprintf("%s:%s", at, m[1]))
			if err != nil {
				return nil, fmt.Errorf("ndiff's text: %w", err)
			}
			if !told[p] {
				told[p] = true
				changed = append(changed, p)
			}
		}
	}
	return changed, lines.Err()
}
