package main

import (
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// Lines come every ten seconds at most, and at the end of each kind of work.
func TestPlainProgress(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	at := time.Unix(1700000000, 0)
	p := &plainProgress{w: &out, clock: clock{now: func() time.Time { return at }}}
	show := func(work state.Work, done, shards int, fraction float64) {
		p.Show(state.ScanProgress{Work: work, Hosts: 300, HostsDone: done, Open: 1, Fraction: fraction, Shards: 3, ShardsDone: shards})
		at = at.Add(time.Second)
	}
	for range 31 {
		show(state.WorkPorts, 100, 1, 0.25)
	}
	show(state.WorkPorts, 300, 3, 1)
	for range 11 {
		show(state.WorkConfirm, 0, 2, 0.005)
	}
	p.End()
	want := `scanned 100 of 300 hosts, 1 open port, 25 %, about 30s left
scanned 100 of 300 hosts, 1 open port, 25 %, about 1m0s left
scanned 100 of 300 hosts, 1 open port, 25 %, about 1m30s left
scanned 300 of 300 hosts, 1 open port in 31s
asked again 0 of 300 hosts, 0 %
`
	if out.String() != want {
		t.Errorf("lines:\n%swant:\n%s", out.String(), want)
	}
}

// The bar shows the work, what was found and the time left, and leaves an empty line.
func TestBarProgress(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	at := time.Unix(1700000000, 0)
	p := &barProgress{w: &out, clock: clock{now: func() time.Time { return at }}}
	p.Show(state.ScanProgress{Work: state.WorkPorts, Hosts: 300, Shards: 2})
	at = at.Add(30 * time.Second)
	p.Show(state.ScanProgress{Work: state.WorkPorts, Hosts: 300, HostsDone: 100, Open: 7, Fraction: 0.25, Shards: 2})
	drawn := out.String()
	if !strings.Contains(drawn, "scanned 100 of 300 hosts, 7 open ports, 1m30s left") || strings.Contains(drawn, "\n") {
		t.Errorf("drawn: %q", drawn)
	}
	p.End()
	if end := strings.TrimPrefix(out.String(), drawn); strings.Contains(end, "scanned") || !strings.HasSuffix(end, "\r") {
		t.Errorf("the line is not cleared: %q", end)
	}
}
