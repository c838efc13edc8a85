package main

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// hosts answers look-ups in place of DNS.
type hosts map[string][]string

func (h hosts) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	var addresses []netip.Addr
	for _, text := range h[name] {
		addresses = append(addresses, netip.MustParseAddr(text))
	}
	if len(addresses) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return addresses, nil
}

// TestNames scans a name with two addresses, one of them IPv6, and then a name
// that stops resolving: nothing closes.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.9.8.1:20801", "[::1]:20801"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go greet(l, "")
	}
	h := newHouse(t, `
database: {url: "${DATABASE_URL}"}
targets: [{hosts: two.lab.example.org, profile: few}]
profiles: {few: {ports: "20801-20803", services: false}}
`)
	resolves := hosts{"two.lab.example.org": {"127.9.8.1", "::1"}}

	first := h.runWith(t, resolves)
	if got, want := listed(first), "127.9.8.1 two.lab.example.org 20801/tcp\n::1 two.lab.example.org 20801/tcp\n"; got != want {
		t.Fatalf("a name with two addresses gives\n%swant\n%s", got, want)
	}

	second := h.runWith(t, nil)
	if len(second.Changes) != 0 {
		t.Errorf("a name that stopped resolving made changes: %v", second.Changes)
	}
	if got, want := second.Coverage, (state.Totals{Hosts: 2, NotScanned: 2}); got != want {
		t.Errorf("coverage %+v, want %+v", got, want)
	}
	if got := listed(second); got != listed(first) {
		t.Errorf("ports after the name stopped resolving:\n%s", got)
	}
	for _, host := range second.Hosts {
		for _, port := range host.Ports {
			if port.StaleSince == nil || !port.StaleSince.Equal(*second.Previous.FinishedAt) {
				t.Errorf("%s %s is stale since %v, want the time of the run before, %v", host.Label(), port.Port, port.StaleSince, second.Previous.FinishedAt)
			}
		}
	}
	if !second.Run.Partial || len(second.Gaps) != 2 || second.Gaps[0].Reason != state.Unresolved {
		t.Errorf("partial %v, gaps %+v", second.Run.Partial, second.Gaps)
	}

	third := h.runWith(t, resolves)
	if len(third.Changes) != 0 || third.Coverage.Answered != 2 {
		t.Errorf("after it resolves again: %v, %+v", third.Changes, third.Coverage)
	}
}

// listed returns a report's hosts and ports as text.
func listed(r state.Report) string {
	var b strings.Builder
	for _, host := range r.Hosts {
		for _, port := range host.Ports {
			b.WriteString(host.Address.String() + " " + host.Name() + " " + port.String() + "\n")
		}
	}
	return b.String()
}

func newHouse(t *testing.T, config string) *house {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{"DATABASE_URL": filled.Database(t), "OWNMAP_CONFIG": dir + "/ownmap.yaml", "STATE_DIRECTORY": dir + "/state"}
	if err := os.WriteFile(env["OWNMAP_CONFIG"], []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{stdout: io.Discard, stderr: io.Discard, env: func(key string) string { return env[key] }, now: time.Now}
	h, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close(context.WithoutCancel(t.Context())) })
	return h
}

// runWith runs the pipeline with a resolver of the test's.
func (h *house) runWith(t *testing.T, resolver hosts) state.Report {
	t.Helper()
	report, err := h.run(t.Context(), load.NewPlanner(h.config, resolver), nil, true)
	if err != nil {
		t.Fatal(err)
	}
	return report
}
