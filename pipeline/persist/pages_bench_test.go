package persist

import (
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// BenchmarkPagesOf100k reads a book of 100,000 open ports on 10,000 hosts, half
// of them approved, after 10 nights of which each changed a thousandth.
func BenchmarkPagesOf100k(b *testing.B) {
	book := locked(b, open(b))
	n := &network{hosts: 10_000, ports: 10, opened: make(map[int]int)}
	n.seen(b).pass(b, book)
	ctx := b.Context()
	begin := time.Now()
	half := state.Grant{By: "ann", Via: "cli"}
	for j := range n.ports / 2 {
		half.Scope.Ports = append(half.Scope.Ports, state.Port{Protocol: state.TCP, Number: uint16(1 + j*7)})
	}
	if list, err := book.Approve(ctx, half); err != nil || len(list) != 50_000 {
		b.Fatalf("approved %d, %v", len(list), err)
	}
	approved := time.Since(begin)
	for night := range 10 {
		n.age(night + 1)
		n.seen(b).pass(b, book)
	}
	for b.Loop() {
		if _, err := book.Status(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(approved.Seconds(), "s-approve-50k")
	for _, page := range []struct {
		name string
		read func() (int, error)
		want int
	}{
		{"s-report", func() (int, error) {
			r, err := book.Report(ctx, 5)
			return len(r.Hosts), err
		}, n.hosts},
		{"s-inventory", func() (int, error) {
			hosts, err := book.Inventory(ctx)
			return len(hosts), err
		}, n.hosts},
		{"s-state-at", func() (int, error) {
			hosts, err := book.StateAt(ctx, 5)
			return len(hosts), err
		}, n.hosts},
		{"s-status", func() (int, error) {
			s, err := book.Status(ctx)
			return s.Unapproved, err
		}, 50_000},
		{"s-11-runs", func() (int, error) {
			list, err := book.Runs(ctx, 365)
			return len(list), err
		}, 11},
		{"s-host", func() (int, error) {
			h, err := book.History(ctx, "127.4.1.1")
			return len(h.Ports), err
		}, n.ports},
		{"s-histories", func() (int, error) {
			hosts := 0
			_, err := book.Histories(ctx, "", func(state.HostHistory) error { hosts++; return nil })
			return hosts, err
		}, n.hosts},
	} {
		var spent time.Duration
		const times = 3
		for range times {
			begin := time.Now()
			got, err := page.read()
			if err != nil || got != page.want {
				b.Fatalf("%s: %d, %v; want %d", page.name, got, err, page.want)
			}
			spent += time.Since(begin)
		}
		b.ReportMetric(spent.Seconds()/times, page.name)
	}
}
