package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTheSameReportForever renders a run in every format twice, and again after thirty
// more runs in which ports came and went, approvals were given and taken back, and hosts
// changed owners: the bytes are the same. The later runs do without nmap.
func TestTheSameReportForever(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 31))
	i := newInstance(t, foreverConfig("web-team@example.org"))
	world := map[string]net.Listener{}
	t.Cleanup(func() {
		for _, l := range world {
			_ = l.Close()
		}
	})
	night := func(changes int) {
		for range changes {
			toggle(t, world, fmt.Sprintf("127.9.8.%d:%d", 1+random.IntN(6), 20801+random.IntN(8)))
		}
		i.run(t, 0)
	}
	call := func(args ...string) string {
		out, stderr, code := i.call(t, args...)
		if code != 0 {
			t.Fatalf("ownmap %v: exit code %d: %s", args, code, stderr)
		}
		return out
	}
	render := func() map[string]string {
		all := map[string]string{}
		for _, f := range (&app{}).reportFormats(appearance{}) {
			all[f.names[0]] = call("report", "3", "--format", f.names[0])
			if len(all[f.names[0]]) < 200 {
				t.Fatalf("%s has only %d bytes", f.names[0], len(all[f.names[0]]))
			}
		}
		return all
	}
	night(6)
	call("approve", "--all", "--reason", "baseline", "--by", "alice")
	night(3)
	night(4)
	first := render()
	same := func(when string) {
		for name, now := range render() {
			if now != first[name] {
				t.Errorf("%s, %s is not the same:\n%.2000s\nwas\n%.2000s", when, name, now, first[name])
			}
		}
	}
	same("at once")
	later := i.open(t)
	for n := range 30 {
		if n == 10 {
			i.config(t, foreverConfig("mail-team@example.org"))
			later = i.open(t)
		}
		if n%5 == 0 {
			call("approve", "--all", "--reason", fmt.Sprint("round ", n), "--by", "bob")
		}
		if n%7 == 3 {
			call("revoke", "--all", "--by", "carol")
		}
		network := newStoryNetwork()
		for host := range 8 {
			happen(t, network, fmt.Sprintf("127.9.8.%d is host-%d", host, host))
		}
		for range 12 { // of 48 ports, some twice
			happen(t, network, fmt.Sprintf("127.9.8.%d opens %d/tcp", 1+random.IntN(6), 20801+random.IntN(8)))
		}
		if _, err := later.runInvented(t.Context(), network, func() {}); err != nil {
			t.Fatal(err)
		}
	}
	same("after thirty runs")
}

func happen(t *testing.T, network *storyNetwork, event string) {
	t.Helper()
	if err := network.happen(strings.Fields(event)); err != nil {
		t.Fatal(err)
	}
}

// open opens the house of an instance in this process.
func (i instance) open(t *testing.T) *house {
	t.Helper()
	env := func(key string) string {
		for _, pair := range slices.Backward(i.env) {
			if value, ok := strings.CutPrefix(pair, key+"="); ok {
				return value
			}
		}
		return ""
	}
	a := &app{stdin: strings.NewReader(""), stdout: t.Output(), stderr: t.Output(), env: env, now: time.Now}
	h, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close(context.WithoutCancel(t.Context())) })
	return h
}

func foreverConfig(owner string) string {
	return `
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.8.0/29, profile: few, tags: [` + owner[:3] + `], owner: ` + owner + `}]
profiles: {few: {ports: "20801-20808", services: false}}
scan: {rate: 50000}
`
}

// config writes another config.
func (i instance) config(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(i.dir, "ownmap.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
