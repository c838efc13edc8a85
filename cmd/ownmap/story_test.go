package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/outbox"
	"ownmap/pipeline/state"
)

// TestStory plays stories of some days: a config, what happens in the network and what
// people do, and beneath each line what OwnMap keeps ("=") and whom it tells ("|"). All
// but nmap and the channels themselves is the real program, over a real database whose
// clock the story sets. With UPDATE_GOLDEN the file is written anew.
func TestStory(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/story/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil || len(archive.Files) != 2 {
				t.Fatalf("%d files, want ownmap.yaml and story (%v)", len(archive.Files), err)
			}
			want := string(archive.Files[1].Data)
			got := newStory(t, string(archive.Files[0].Data)).play(want)
			if os.Getenv("UPDATE_GOLDEN") != "" {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the story goes otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

// story is one installation, its network and its clock.
type story struct {
	t       *testing.T
	clock   *lab.Clock
	app     *app
	house   *house
	sender  *outbox.Sender
	network *storyNetwork
	told    bytes.Buffer

	mu   sync.Mutex
	down map[string]bool // channels by name
	sent map[string]string
}

// monday is when stories begin.
var monday = time.Date(2026, time.November, 2, 0, 0, 0, 0, time.UTC)

func newStory(t *testing.T, config string) *story {
	t.Helper()
	url, dir := lab.Database(t), t.TempDir()
	s := &story{t: t, clock: lab.NewClock(t, url, monday), network: newStoryNetwork(), down: map[string]bool{}, sent: map[string]string{}}
	file := filepath.Join(dir, "ownmap.yaml")
	if err := os.WriteFile(file, []byte("database: {url: \""+url+"\"}\n"+config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.app = &app{
		stdin: strings.NewReader(""), stdout: t.Output(), stderr: t.Output(), now: s.clock.Now,
		env: func(name string) string {
			return map[string]string{"SUDO_USER": "alice", "OWNMAP_CONFIG": file, "STATE_DIRECTORY": dir}[name]
		},
	}
	var err error
	if s.house, err = s.app.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.house.close(context.WithoutCancel(t.Context()))
		if t.Failed() {
			t.Logf("so far:\n%s", &s.told)
		}
	})
	s.sender = &outbox.Sender{
		Store: s.house.book, Channels: map[string]outbox.Channel{}, Policy: s.house.policy, Links: s.house.links,
		Now: s.clock.Now, Wait: outbox.Sleep,
	}
	for name := range s.house.policy.Channels {
		s.sender.Channels[name] = ear{s, name}
	}
	return s
}

// play plays the lines of a story and returns them with what OwnMap does.
func (s *story) play(text string) string {
	words := "" // of comments, until something happens
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") || strings.HasPrefix(line, "=") {
			continue
		}
		event := fields(line)
		if len(event) == 0 || event[0] == "#" {
			words += line
			continue
		}
		s.until(s.moment(event[0], event[1]))
		s.told.WriteString(words + line)
		words = ""
		s.happen(event[2:])
		s.serve()
	}
	return s.told.String() + words
}

// fields splits a line at spaces, but not within "quotes".
func fields(line string) []string {
	var words []string
	for i, part := range strings.Split(strings.TrimSpace(line), `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// moment is the next time that it is that day and hour.
func (s *story) moment(day, hour string) time.Time {
	s.t.Helper()
	clock, err := time.Parse("15:04", hour)
	if err != nil {
		s.t.Fatal(err)
	}
	now := s.clock.Now()
	at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, time.UTC)
	for range 8 {
		if !at.Before(now) && strings.EqualFold(at.Format("Mon"), day) {
			return at
		}
		at = at.AddDate(0, 0, 1)
	}
	s.t.Fatalf("%s is no day", day)
	return at
}

// until lets time pass, in which a worker sends what is due and looks every hour whether
// a run is late.
func (s *story) until(at time.Time) {
	s.t.Helper()
	for now := s.clock.Now(); now.Before(at); now = s.clock.Now() {
		next := now.Truncate(time.Hour).Add(time.Hour)
		for name := range s.sender.Channels {
			due, err := s.house.book.NextDelivery(s.t.Context(), name, now)
			if err != nil {
				s.t.Fatal(err)
			}
			if !due.IsZero() && due.Before(next) {
				next = due
			}
		}
		if next.After(at) {
			next = at
		}
		if next.After(now) {
			s.clock.Set(next)
			s.lookLate()
		} else {
			s.send()
		}
	}
	s.serve()
}

func (s *story) lookLate() {
	s.t.Helper()
	if err := s.house.lookLate(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// serve does what a worker does now.
func (s *story) serve() {
	s.t.Helper()
	s.lookLate()
	s.send()
}

// send sends what is due and writes it down.
func (s *story) send() {
	s.t.Helper()
	if _, err := s.sender.Drain(s.t.Context(), 0); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.sent)) { // channels send at once, in any order
		s.told.WriteString(s.sent[name])
	}
	clear(s.sent)
}

// happen does what a line of the story says.
func (s *story) happen(words []string) {
	s.t.Helper()
	switch {
	case words[0] == "ownmap" && words[1] == "run":
		s.run()
	case words[0] == "ownmap":
		if code := s.app.main(s.t.Context(), words[1:]); code != 0 {
			s.t.Fatalf("%q ends with %d", words, code)
		}
	case s.sender.Channels[words[0]] != nil:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.down[words[0]] = strings.Join(words[1:], " ") == "goes down"
	default:
		if err := s.network.happen(words); err != nil {
			s.t.Fatal(err)
		}
	}
}

// run is `ownmap run` with the network of the story instead of nmap. Looking at ports
// takes ten minutes.
func (s *story) run() {
	s.t.Helper()
	ctx := s.t.Context()
	report, err := s.house.runInvented(ctx, s.network, func() {
		if now := s.clock.Now(); now.Minute() == 0 {
			s.clock.Set(now.Add(10 * time.Minute))
		}
	})
	if err := s.house.after(ctx, failure(ctx, err), false); err != nil {
		s.t.Fatal(err)
	}
	s.kept(report, err)
}

// kept tells what a run has kept, which all reports show.
func (s *story) kept(r state.Report, err error) {
	now := at(s.clock.Now())
	if err != nil {
		fmt.Fprintf(&s.told, "= %s failed: %v\n", now, err)
		return
	}
	fmt.Fprintf(&s.told, "= %s kept: %s\n", now, r.Verdict())
	for _, f := range r.Flaps {
		fmt.Fprintf(&s.told, "=   flapping: %s %s, %s\n", f.Label(), f.Port, f.Words())
	}
	for _, note := range r.Run.Notes {
		fmt.Fprintf(&s.told, "=   note: %s\n", note)
	}
}

func at(t time.Time) string { return strings.ToLower(t.Format("Mon 15:04")) }

// ear is a channel that writes down what it is told.
type ear struct {
	story *story
	name  string
}

// Send takes a message, unless the channel is down.
func (e ear) Send(_ context.Context, m state.Message) error {
	e.story.mu.Lock()
	defer e.story.mu.Unlock()
	if e.story.down[e.name] {
		return &state.SendError{Err: errors.New("connection refused"), Unreachable: true}
	}
	to := state.Delivery{Channel: e.name, Recipient: m.Recipient}.To()
	var b strings.Builder
	fmt.Fprintf(&b, "| %s %s, %s: %s\n", at(e.story.clock.Now()), to, m.Kind, m.Subject())
	for _, line := range slices.Concat(m.Notes, m.Lines) {
		fmt.Fprintf(&b, "|   %s\n", line)
	}
	if m.Report != nil {
		writeListed(&b, *m.Report)
	}
	e.story.sent[e.name] += b.String()
	return nil
}

// writeListed writes what a message lists.
func writeListed(b *strings.Builder, r state.Report) {
	for _, c := range r.Changes {
		fmt.Fprintf(b, "|   %s %s%s: %s", c.Kind.Sign(), c.Label(), portWord(c.Port), c.Kind.Words())
		if detail := c.Detail(); detail != "" {
			fmt.Fprintf(b, ", %s", detail)
		}
		fmt.Fprintf(b, " (%s)\n", c.Kind.Severity())
	}
	for _, a := range r.Voided {
		fmt.Fprintf(b, "|   the approval of %s%s is void: %s\n", a.Address, portWord(a.Port), a.EndReason)
	}
	for _, h := range r.Hosts {
		var waiting []string
		for _, p := range h.Ports {
			if p.Unapproved() {
				waiting = append(waiting, p.String())
			}
		}
		if len(waiting) > 0 {
			fmt.Fprintf(b, "|   awaits approval: %s %s\n", h.Label(), strings.Join(waiting, ", "))
		}
	}
}

func portWord(p state.Port) string {
	if p == (state.Port{}) {
		return ""
	}
	return " " + p.String()
}
