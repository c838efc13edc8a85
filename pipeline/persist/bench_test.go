package persist

import (
	"net/netip"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// network is a large network of which a thousandth changes each night.
type network struct {
	hosts, ports int
	opened       map[int]int // by slot: the night since when it is in another version
}

func (n *network) age(night int) {
	total := n.hosts * n.ports
	for i := range total / 1000 {
		n.opened[(i*1000+night*7919)%total] = night
	}
}

// seen is what a scan of the network sees, in shards of 256 hosts.
func (n *network) seen(tb testing.TB) night {
	tb.Helper()
	set, err := state.ParsePortSet("1-1000")
	if err != nil {
		tb.Fatal(err)
	}
	var shards night
	for i := range n.hosts {
		if i%256 == 0 {
			shards = append(shards, nil)
		}
		host := state.Host{Vantage: state.DefaultVantage, Address: netip.AddrFrom4([4]byte{127, byte(4 + i>>16), byte(i >> 8), byte(i)}), State: state.Up}
		host.Coverage = []state.Coverage{{Protocol: state.TCP, Status: state.Answered, Ports: set, Services: true, Apart: true}}
		for j := range n.ports {
			version := string(rune('a'+n.opened[i*n.ports+j]%20)) + "." + string(rune('a'+i%100/4))
			host.Ports = append(host.Ports, state.PortStatus{
				Port: state.Port{Protocol: state.TCP, Number: uint16(1 + j*7)}, State: state.Open,
				Service: state.Service{Name: "http", Product: "nginx", Version: version, Probed: true},
			})
		}
		if c := &host.Coverage[0]; i%3 > 0 { // firewalls: one that drops all else, one that drops a few ports
			c.Filtered = state.PortsOf(990, 991, 992)
			if i%3 == 1 {
				c.Filtered = c.Ports.Without(state.PortsOf(1, 8, 15, 22, 500))
			}
			c.Filtered = c.Filtered.Without(openOver(host.Ports, state.TCP))
		}
		last := len(shards) - 1
		shards[last] = append(shards[last], host)
	}
	return shards
}

func benchmarkNight(b *testing.B, hosts, ports int) {
	b.Helper()
	book := locked(b, open(b))
	n := &network{hosts: hosts, ports: ports, opened: make(map[int]int)}
	begin := time.Now()
	n.seen(b).pass(b, book)
	first := time.Since(begin)
	quiet := size(b, book)
	n.seen(b).pass(b, book)
	quiet = size(b, book) - quiet

	var staged, compared, kept time.Duration
	night := 0
	for b.Loop() {
		night++
		n.age(night)
		seen := n.seen(b)
		begin := time.Now()
		run := seen.stage(b, book)
		atStaged := time.Now()
		was, now, err := book.Differing(b.Context(), run)
		if err != nil {
			b.Fatal(err)
		}
		outcome := diff.States(was, now)
		atCompared := time.Now()
		if err := book.Keep(b.Context(), run, outcome); err != nil {
			b.Fatal(err)
		}
		if len(outcome.Changes) != hosts*ports/1000 {
			b.Fatalf("%d changes, want %d", len(outcome.Changes), hosts*ports/1000)
		}
		staged += atStaged.Sub(begin)
		compared += atCompared.Sub(atStaged)
		kept += time.Since(atCompared)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(first.Seconds(), "s-first-load")
	b.ReportMetric(float64(quiet), "B-unchanged-night")
	b.ReportMetric(staged.Seconds()/float64(night), "s-stage")
	b.ReportMetric(compared.Seconds()/float64(night), "s-diff")
	b.ReportMetric(kept.Seconds()/float64(night), "s-keep")
	b.StopTimer()
	if hosts*ports <= 100_000 { // replaying every revision of a million takes minutes
		checkInvariants(b, book)
	}
}

// size is how many bytes the lasting rows take, without the space that tables
// keep in reserve.
func size(b *testing.B, book *Book) int64 {
	b.Helper()
	var bytes int64
	for _, table := range []string{"run", "rev", "coverage", "host_coverage", "host_current", "host_history", "host_change", "port_current", "port_history", "port_change", "shard", "stage_host", "stage_port", "port_set", "fingerprint", "filtered", "mac", "port_name", "run_hash", "hashed"} {
		var n int64
		if err := book.pool.QueryRow(b.Context(), "select coalesce(sum(pg_column_size(t)), 0) from "+table+" t").Scan(&n); err != nil {
			b.Fatal(err)
		}
		bytes += n
	}
	return bytes
}

func BenchmarkNightOf100k(b *testing.B) { benchmarkNight(b, 10_000, 10) }

func BenchmarkNightOf1M(b *testing.B) { benchmarkNight(b, 50_000, 20) }
