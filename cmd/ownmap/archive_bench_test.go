package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/lab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// BenchmarkArchive publishes the archive of 10,000 hosts with 5 ports each from the
// database, with PDF, JSON and CSV, by the program as users call it: whole, after a night
// in which one host in a hundred changed, and once more. It counts the processor time and
// the memory of the whole process of the program, not the database's.
func BenchmarkArchive(b *testing.B) {
	url, dir := lab.Database(b), b.TempDir()
	book, err := persist.Open(b.Context(), url, time.UTC, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(book.Close)
	config := filepath.Join(dir, "ownmap.yaml")
	if err := os.WriteFile(config, []byte("database: {url: \""+url+"\"}\narchive: {dir: archive}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	publish := func(args ...string) func(b *testing.B) {
		return func(b *testing.B) {
			b.Helper()
			if b.N > 1 {
				b.Skip("a publish changes what the next one finds: -benchtime 1x")
			}
			cmd := exec.CommandContext(b.Context(), measuredOwnmap, append([]string{"--config", config, "--state-dir", dir, "site"}, args...)...)
			out, err := cmd.CombinedOutput()
			peak := 0.0
			_, told, _ := bytes.Cut(out, []byte("VmHWM:"))
			if _, unread := fmt.Sscan(string(told), &peak); err != nil || unread != nil {
				b.Fatalf("%v, %v: %s", err, unread, out)
			}
			b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
			b.ReportMetric(peak/1024, "peak-MB")
			b.ReportMetric(0, "ns/op")
		}
	}
	bigNight(b, book, 0)
	bigNight(b, book, 1)
	b.Run("full", publish("build"))
	bigNight(b, book, 2)
	b.Run("cloned", publish("prune", "--keep-runs", "1000"))
	bigNight(b, book, 3)
	b.Run("changed", publish("prune", "--keep-runs", "1000"))
	b.Run("unchanged", publish("prune", "--keep-runs", "1000"))
}

// measuredOwnmap is the program, which prints at its end what proc(5) tells of it. What
// wait4(2) tells of its memory is no less than what this test has itself.
const measuredOwnmap = "measured-ownmap"

func measured() {
	code := call()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, _ = os.Stderr.Write(status)
	os.Exit(code)
}

// bigNight keeps a run of 10,000 hosts. In each night after the first one host in a
// hundred opens a port.
func bigNight(b *testing.B, book *persist.Book, night int) {
	b.Helper()
	release, err := book.Lock(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer release()
	asked, err := state.ParsePortSet("1-10000")
	if err != nil {
		b.Fatal(err)
	}
	shard := state.Shard{Work: state.WorkPorts, Vantage: state.DefaultVantage, Profile: state.Profile{Name: "standard"}}
	var hosts []state.Host
	for i := range 10_000 {
		host := state.Host{
			Vantage: state.DefaultVantage, Address: netip.AddrFrom4([4]byte{127, 10, byte(i >> 8), byte(i)}), State: state.Up, Names: []string{fmt.Sprintf("host-%d.example.org", i)},
			Coverage: []state.Coverage{{Protocol: state.TCP, Status: state.Answered, Ports: asked, Services: true, Apart: true}},
		}
		open := []uint16{80, 443, 8000, 8080, 9090}
		if n := 1 + i%100; n <= night {
			open = append([]uint16{22}, open...)
		}
		for _, number := range open {
			host.Ports = append(host.Ports, state.PortStatus{Port: state.Port{Protocol: state.TCP, Number: number}, State: state.Open, Service: state.Service{Name: "http", Product: "nginx", Version: "1.26.0", Probed: true}})
		}
		hosts = append(hosts, host)
		shard.Hosts = append(shard.Hosts, state.ShardHost{Address: host.Address})
	}
	run, err := book.Begin(b.Context(), nil, []state.Shard{shard}, nil)
	if err != nil {
		b.Fatal(err)
	}
	shard.RunID = run.ID
	if err := book.Stage(b.Context(), "bench", state.ShardResult{Shard: shard, Hosts: hosts}, nil); err != nil {
		b.Fatal(err)
	}
	was, now, err := book.Differing(b.Context(), run)
	if err != nil {
		b.Fatal(err)
	}
	if err := book.Keep(b.Context(), run, diff.States(was, now)); err != nil {
		b.Fatal(err)
	}
	if night == 0 {
		grant := state.Grant{Scope: state.Scope{All: true, Ports: []state.Port{{Protocol: state.TCP, Number: 80}, {Protocol: state.TCP, Number: 443}, {Protocol: state.TCP, Number: 8000}, {Protocol: state.TCP, Number: 8080}}}, By: "alice", Via: "cli", Reason: "inventory of the year"}
		if _, err := book.Approve(b.Context(), grant); err != nil {
			b.Fatal(err)
		}
	}
}
