package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestPutOff has Slack answer as it does when it is asked too often, is broken, or does
// not take a message: the first two wait, the first for as long as Slack asks, and who
// watches is told of the third.
func TestPutOff(t *testing.T) {
	t.Parallel()
	web, spool := receive(t), t.TempDir()
	answer := func(status int, body, after string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	web.answers("/services/busy", answer(http.StatusTooManyRequests, "rate_limited", "7200"))
	web.answers("/services/broken", answer(http.StatusInternalServerError, "rollup_error", ""))
	web.answers("/services/wrong", answer(http.StatusBadRequest, "invalid_blocks", ""))
	p := program{instance: newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.20.5, profile: few}]
profiles: {few: {ports: "21951-21952", services: false}}
channels:
  busy: {type: slack, webhook_url: "%s/services/busy"}
  broken: {type: slack, webhook_url: "%s/services/broken"}
  wrong: {type: slack, webhook_url: "%s/services/wrong"}
  spool: {type: file, dir: %s}
routes: [{channels: [busy, broken, wrong]}]
watch: {channels: [spool], wait: 0}
`, web.URL, web.URL, web.URL, spool))}
	out := p.wants(t, exitPartial, "run")
	holds(t, "run", out, "not delivered, wrong: 1 message was refused for good since 20", "not delivered, busy: 1 message waits since 20")
	lacks(t, "run", out, "not delivered, spool")
	text := told(t, spool, "A message could not be delivered")
	holds(t, "who watches", text, "wrong refused this message", "invalid＿blocks", "It is kept: ownmap deliveries list")
	var list []struct {
		Channel, State, Error string
		DueAt                 time.Time `json:"due_at"`
		NextAt                time.Time `json:"next_at"`
	}
	if err := json.Unmarshal([]byte(p.wants(t, 0, "deliveries", "list", "--json")), &list); err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, d := range list {
		wait := d.NextAt.Sub(d.DueAt)
		ok := map[string]bool{
			"busy":   d.State == "waiting" && wait >= 2*time.Hour && wait < 3*time.Hour && strings.Contains(d.Error, "429"),
			"broken": d.State == "waiting" && wait < time.Hour && strings.Contains(d.Error, "500"),
			"wrong":  d.State == "parked" && strings.Contains(d.Error, "invalid_blocks"),
		}
		if !ok[d.Channel] {
			t.Errorf("%+v", d)
		}
	}

	// By a clock that is ahead, what waits is sent once all is well, and once.
	for _, path := range []string{"/services/busy", "/services/broken"} {
		web.answers(path, nil)
	}
	p.now = func() time.Time { return time.Now().Add(2*time.Hour + time.Minute) }
	for range 2 {
		out = p.wants(t, exitPartial, "deliveries", "send")
		holds(t, "deliveries send", out, "not delivered, wrong: ", "deliveries drop ID")
		lacks(t, "deliveries send", out, "busy", "broken")
	}
	for path, want := range map[string]int{"/services/busy": 2, "/services/broken": 2, "/services/wrong": 1} {
		if n := len(web.at(path)); n != want {
			t.Errorf("%s was asked %d times, want %d", path, n, want)
		}
	}
	if n := len(spooled(t, spool)); n != 1 {
		t.Errorf("who watches has %d messages: %q", n, spooled(t, spool))
	}
}
