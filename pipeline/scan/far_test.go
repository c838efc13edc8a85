package scan

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ownmap/pipeline/lab/netlab"
	"ownmap/pipeline/state"
)

// A network behind a satellite is found and scanned: no probe is given up before its
// answer can be there.
func TestFarNetwork(t *testing.T) {
	t.Parallel()
	hosts := netlab.Network(1, 8, []uint16{22, 25, 53, 80, 443})
	for _, h := range hosts {
		maps.DeleteFunc(h.Ports, func(port uint16, _ netlab.Service) bool { return port > 443 })
	}
	l := netlab.Start(t, netlab.Options{Wire: netlab.Wire{RTT: 600 * time.Millisecond}, Hosts: hosts})
	s := newScanner(t, Options{Binary: inside(t, l)})
	plan := state.Plan{Profiles: map[string]state.Profile{"p": profile(t, "20-80,443")}}
	for _, h := range hosts {
		plan.Hosts = append(plan.Hosts, state.PlannedHost{Address: h.Address, Profile: "p", Vantage: state.DefaultVantage, Discover: true})
	}
	want := map[netip.Addr][]state.Port{}
	for at := range l.Truth() {
		want[at.Addr()] = append(want[at.Addr()], tcp(at.Port()))
	}
	for _, shard := range s.Shards(plan) {
		result := scanOne(t, s, shard)
		compare(t, open(result.Hosts), want)
		if len(result.Hosts) != len(hosts) {
			t.Errorf("%d hosts answered, want %d; notes %q", len(result.Hosts), len(hosts), result.Notes)
		}
	}
}

// inside returns the path of an nmap that runs in the namespace of a lab.
func inside(t *testing.T, l *netlab.Lab) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nmap")
	script := "#!/bin/sh\nexec " + strings.Join(l.Command(t.Context(), "nmap").Args, " ") + ` "$@"` + "\n"
	// While a file is open for writing no other test may fork: the child would
	// inherit it, and the kernel refuses to run a file that somebody may write.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return path
}
