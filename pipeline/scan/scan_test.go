package scan

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

func TestMain(m *testing.M) {
	beTheVictim() // in a process that a test kills
	goleak.VerifyTestMain(m)
}

// newScanner returns a scanner for one test. Its nmap must be there: a test that
// needs a tool fails without it.
func newScanner(t *testing.T, options Options) *Scanner {
	t.Helper()
	options.Dir = t.TempDir()
	if options.Rate == 0 {
		options.Rate = 20000
	}
	s := New(options)
	if s.options.Binary == "" {
		t.Fatal(ErrNoNmap)
	}
	return s
}

// profile asks for TCP ports at a quick pace.
func profile(t *testing.T, tcp string) state.Profile {
	t.Helper()
	return state.Profile{Name: "test", Ports: portSet(t, tcp), Timing: 4}
}

func portSet(t *testing.T, text string) state.PortSet {
	t.Helper()
	set, err := state.ParsePortSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// shardOf makes a shard of addresses, all listed.
func shardOf(p state.Profile, addresses ...string) state.Shard {
	shard := state.Shard{RunID: 1, No: 1, Vantage: state.DefaultVantage, Profile: p}
	for _, text := range addresses {
		a := netip.MustParseAddr(text)
		shard.IPv6 = a.Is6()
		shard.Hosts = append(shard.Hosts, state.ShardHost{Address: a, Listed: true})
	}
	return shard
}

// scanOne scans one shard.
func scanOne(t *testing.T, s *Scanner, shard state.Shard) state.ShardResult {
	t.Helper()
	result, err := s.Scan(t.Context(), shard, nil)
	if err != nil {
		t.Fatalf("Scan: %v", err)
	}
	return result
}

// open returns the open ports of hosts, as lab.Listeners.List does.
func open(hosts []state.Host) map[netip.Addr][]state.Port {
	list := map[netip.Addr][]state.Port{}
	for _, h := range hosts {
		for _, p := range h.Ports {
			if p.State == state.Open {
				list[h.Address] = append(list[h.Address], p.Port)
			}
		}
	}
	return list
}

// compare tells every port that one list has and the other lacks.
func compare(t *testing.T, got, want map[netip.Addr][]state.Port) {
	t.Helper()
	compareBut(t, got, want, 0)
}

// compareBut is compare for a scan that may miss so many ports, but find none that
// is not open.
func compareBut(t *testing.T, got, want map[netip.Addr][]state.Port, missed int) {
	t.Helper()
	var missing []string
	for address, ports := range want {
		for _, p := range ports {
			if !slices.Contains(got[address], p) {
				missing = append(missing, fmt.Sprintf("%s %s", address, p))
			}
		}
	}
	if len(missing) > missed {
		t.Errorf("open and not found, of which %d may be: %q", missed, missing)
	}
	for address, ports := range got {
		for _, p := range ports {
			if !slices.Contains(want[address], p) {
				t.Errorf("%s %s was found and is not open", address, p)
			}
		}
	}
}

func tcp(n uint16) state.Port { return state.Port{Protocol: state.TCP, Number: n} }

func endpoint(address string, port state.Port, talk lab.Talk) lab.Endpoint {
	return lab.Endpoint{Address: netip.MustParseAddr(address), Port: port, Talk: talk}
}

// within fails a test that takes too long, with the reason.
func within(t *testing.T, limit time.Duration, what string) func() {
	t.Helper()
	start := time.Now()
	return func() {
		if took := time.Since(start); took > limit {
			t.Errorf("%s took %s, not at most %s", what, took, limit)
		}
	}
}

// eventually waits for something that another process does.
func eventually(ctx context.Context, t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within 10 s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
