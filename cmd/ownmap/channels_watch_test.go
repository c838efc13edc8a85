package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// spooled returns the texts of a spool, each of which must be a message of its own.
func spooled(t *testing.T, dir string) []string {
	t.Helper()
	files, _ := filepath.Glob(dir + "/*.txt")
	var texts []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// told returns the one message of a spool that holds a word.
func told(t *testing.T, dir, word string) string {
	t.Helper()
	texts := slices.DeleteFunc(spooled(t, dir), func(text string) bool { return !strings.Contains(text, word) })
	if len(texts) != 1 {
		t.Fatalf("%d messages say %q: %q of %q", len(texts), word, texts, spooled(t, dir))
	}
	return texts[0]
}

// TestWatched holds that a run that fails or is late is told once, to those who watch and
// to whoever listens for a heartbeat, and that a worker sends what waits.
func TestWatched(t *testing.T) {
	t.Parallel()
	web, spool := receive(t), t.TempDir()
	p := program{instance: newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.20.4, profile: few}]
profiles: {few: {ports: "21931-21934", services: false}}
channels:
  tickets: {type: webhook, url: "%s/hook", secret: %s}
  spool: {type: file, dir: %s}
routes: [{channels: [tickets]}]
watch: {channels: [spool], late: 1h, wait: 0, heartbeat: "%s/beat"}
`, web.URL, webhookSecret, spool, web.URL))}
	beats := func(want ...int) {
		t.Helper()
		if got := []int{len(web.at("/beat/start")), len(web.at("/beat")), len(web.at("/beat/fail"))}; !slices.Equal(got, want) {
			t.Errorf("heartbeats: %v starts, successes, failures, want %v", got, want)
		}
	}
	l, err := net.Listen("tcp", "127.9.20.4:21931")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go greet(l, "")
	p.wants(t, 0, "run")
	beats(1, 1, 0)
	holds(t, "heartbeat", web.at("/beat")[0].body, "Baseline: 1 port awaits approval")
	if n := len(spooled(t, spool)); n != 0 || len(web.at("/hook")) != 1 {
		t.Errorf("%d messages to who watches, %d to others", n, len(web.at("/hook")))
	}

	// Without nmap no run begins.
	lost := instance{dir: p.dir, env: append(slices.Clone(p.env), "PATH=/nowhere")}
	_, stderr, code := lost.call(t, "run")
	t.Log(stderr)
	if code != exitTrouble {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	beats(2, 1, 1)
	holds(t, "heartbeat", web.at("/beat/fail")[0].body, "nmap")
	text := told(t, spool, "A run failed")
	t.Log(text)
	holds(t, "failed", text, "nmap")
	if len(web.at("/hook")) != 1 {
		t.Error("who does not watch is told of a run that failed")
	}

	// Late, by a clock that is ahead; told once, whoever looks and however often.
	ahead := p
	ahead.now = func() time.Time { return time.Now().Add(3 * time.Hour) }
	for range 2 {
		ahead.wants(t, 0, "deliveries", "send")
	}
	text = told(t, spool, "The last run")
	t.Log(text)
	holds(t, "late", text, "3 h ago", "UTC")
	if n := len(spooled(t, spool)); n != 2 {
		t.Errorf("%d messages to who watches", n)
	}
	t.Log(ahead.wants(t, 0, "status"))

	// A run that sends nothing, and a worker that does.
	out := p.wants(t, 0, "run", "--no-deliver")
	t.Log(out)
	beats(3, 2, 1)
	if len(web.at("/hook")) != 1 {
		t.Error("a run with --no-deliver delivers")
	}
	out = p.wants(t, 0, "deliveries", "list")
	t.Log(out)
	holds(t, "deliveries list", out, "reminder", "tickets", "due 20")
	worker := p.command(t.Context(), "worker")
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 20*time.Second, "the worker to send", func() bool { return len(web.at("/hook")) == 2 })
	waitFor(t, 20*time.Second, "the worker to write that down", func() bool {
		return strings.Contains(p.wants(t, 0, "deliveries", "list"), "every message is delivered")
	})
	if err := worker.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = worker.Wait()
	if n := len(spooled(t, spool)); n != 2 || len(web.at("/hook")) != 2 {
		t.Errorf("%d messages to who watches, %d to others", n, len(web.at("/hook")))
	}
}
