package link

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

func night() time.Time { return time.Date(2026, time.November, 22, 2, 0, 0, 0, time.UTC) }

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func ring(t *testing.T) (*Ring, *clock) {
	t.Helper()
	c := &clock{at: night()}
	return New(t.TempDir(), c.now), c
}

func ports(texts ...string) []state.Port {
	list := make([]state.Port, len(texts))
	for i, text := range texts {
		list[i], _ = state.ParsePort(text)
	}
	return list
}

// issue makes what the links of a message have in common, with the key that is current.
func issue(t *testing.T, r *Ring) state.ApprovalLinks {
	t.Helper()
	name, err := r.Current()
	if err != nil {
		t.Fatal(err)
	}
	return state.ApprovalLinks{ID: -0x1122334455667788, Key: name, Expires: r.now().Add(state.LinkLifetime)}
}

func token(t *testing.T, r *Ring, links state.ApprovalLinks, list []state.Port) string {
	t.Helper()
	s, err := r.Sealer(links)
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Token(1<<40+7, list)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestToken(t *testing.T) {
	t.Parallel()
	r, _ := ring(t)
	links := issue(t, r)
	all := ports("1", "22", "53", "53/udp", "80", "443", "5060/sctp", "8080", "65535", "65535/udp")
	for n := 1; n <= state.MostLinked; n++ {
		text := token(t, r, links, all[:n])
		if want := 72 + 4*n; len(text) != want {
			t.Errorf("a token of %d ports has %d characters, not %d", n, len(text), want)
		}
		mixed := slices.Clone(all[:n])
		slices.Reverse(mixed)
		if again := token(t, r, links, append(mixed, mixed[0])); again != text {
			t.Errorf("the same ports in another order: %s and %s", text, again)
		}
		scope, err := r.Open(text)
		want := state.LinkScope{Links: links.ID, Host: 1<<40 + 7, Ports: all[:n], Expires: links.Expires}
		if err != nil || !scope.Expires.Equal(want.Expires) || scope.Links != want.Links || scope.Host != want.Host || !slices.EqualFunc(scope.Ports, want.Ports, func(a, b state.Port) bool { return a == b }) {
			t.Errorf("got %+v, %v, want %+v", scope, err, want)
		}
	}
	if Shortest != 76 || Longest != 112 {
		t.Errorf("tokens have %d to %d characters", Shortest, Longest)
	}
}

// TestAlteredToken tries every other character at every place, and what a mail program may
// do to a link.
func TestAlteredToken(t *testing.T) {
	t.Parallel()
	r, _ := ring(t)
	links := issue(t, r)
	good := token(t, r, links, ports("22"))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	tried := 0
	gone := func(text string) {
		t.Helper()
		tried++
		if _, err := r.Open(text); !errors.Is(err, state.ErrLinkGone) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for i := range good {
		for _, c := range alphabet + "=+/ \n\r%.\x00" {
			if other := good[:i] + string(c) + good[i+1:]; other != good {
				gone(other)
			}
		}
		gone(good[:i])
		gone(good[:i] + good[i+1:])
		gone(good[:i] + "\n" + good[i:])
	}
	if tried < 76*70 {
		t.Errorf("tried %d", tried)
	}
	for _, text := range []string{"", "A", good + "A", good + good, good + "=", good + "====", " " + good, strings.ToLower(good), strings.Repeat("A", Longest+4), strings.Repeat("é", 38)} {
		gone(text)
	}
	two := token(t, r, links, ports("22", "443"))
	for _, raw := range [][]byte{swapped(t, two), stretched(t, good)} {
		gone(base64.RawURLEncoding.EncodeToString(raw))
	}
	if _, err := r.Open(good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// swapped has the two ports of a token in the wrong order.
func swapped(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(raw[:headSize], raw[headSize+3:headSize+6], raw[headSize:headSize+3], raw[headSize+6:])
}

// stretched has three bytes more before its MAC.
func stretched(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(raw[:headSize+3], []byte{6, 0, 80}, raw[headSize+3:])
}

// TestSignedNonsense opens tokens whose MAC is right and whose rest is not: only OwnMap
// itself could make one, and it is none all the same.
func TestSignedNonsense(t *testing.T) {
	t.Parallel()
	r, _ := ring(t)
	good := token(t, r, issue(t, r), ports("22"))
	keys, err := r.Keys()
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.RawURLEncoding.DecodeString(good)
	said := raw[:len(raw)-macSize]
	sign := func(said []byte) string {
		return base64.RawURLEncoding.EncodeToString(slices.Concat(said, keys[0].mac(said)))
	}
	if sign(said) != good {
		t.Fatal("the test signs otherwise")
	}
	port := func(b ...byte) []byte { return slices.Concat(said[:headSize], b) }
	host := slices.Clone(said)
	clear(host[9:17])
	for what, text := range map[string]string{
		"port 0": sign(port(6, 0, 0)), "no protocol": sign(port(0, 0, 22)), "ICMP": sign(port(1, 0, 22)),
		"twice": sign(port(6, 0, 22, 6, 0, 22)), "falling": sign(port(6, 0, 23, 6, 0, 22)), "host 0": sign(host),
	} {
		if _, err := r.Open(text); !errors.Is(err, state.ErrLinkGone) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, s := range []state.LinkScope{
		{Host: 0, Ports: ports("22"), Expires: night()},
		{Host: -1, Ports: ports("22"), Expires: night()},
		{Host: 1, Expires: night()},
		{Host: 1, Ports: ports("22")},
		{Host: 1, Ports: make([]state.Port, 11), Expires: night()},
		{Host: 1, Ports: []state.Port{{Protocol: "icmp", Number: 1}}, Expires: night()},
		{Host: 1, Ports: ports("22", "22"), Expires: night()},
		{Host: 1, Ports: ports("22"), Expires: night().AddDate(40_000, 0, 0)},
	} {
		if text, err := keys[0].seal(s); err == nil {
			t.Errorf("%+v: %s", s, text)
		}
	}
}

func TestLifeOfALink(t *testing.T) {
	t.Parallel()
	r, clock := ring(t)
	links := issue(t, r)
	text := token(t, r, links, ports("22"))
	clock.add(state.LinkLifetime - time.Second)
	if _, err := r.Open(text); err != nil {
		t.Errorf("in its last second: %v", err)
	}
	clock.add(time.Second)
	if _, err := r.Open(text); !errors.Is(err, state.ErrLinkGone) {
		t.Errorf("after it: %v", err)
	}
	// Nobody makes it live again by setting a clock back within reason: the row knows, too.
}

func TestRotation(t *testing.T) {
	t.Parallel()
	r, clock := ring(t)
	first := issue(t, r)
	old := token(t, r, first, ports("22"))
	week := func(Key) time.Time { return clock.now().Add(state.LinkLifetime) }
	keys, err := r.Rotate(week)
	if err != nil || len(keys) != 2 || !keys[0].Until.IsZero() || !keys[1].Until.Equal(week(Key{})) || keys[1].Name() != first.Key {
		t.Fatalf("rotate: %v, %v", keys, err)
	}
	second := issue(t, r)
	if second.Key == first.Key {
		t.Error("the new key is the old one")
	}
	if again := token(t, r, first, ports("22")); again != old {
		t.Error("a message of the old key gets another link at its next try")
	}
	fresh := token(t, r, second, ports("22"))
	for _, text := range []string{old, fresh} {
		if _, err := r.Open(text); err != nil {
			t.Errorf("after a rotation: %v", err)
		}
	}
	clock.add(state.LinkLifetime)
	keys, err = r.Keys()
	if err != nil || len(keys) != 1 || keys[0].Name() != second.Key {
		t.Errorf("a week later: %v, %v", keys, err)
	}
	if _, err := r.Sealer(first); err == nil || !strings.Contains(err.Error(), first.Key) {
		t.Errorf("a message whose key is over: %v", err)
	}
	if keys, err = r.Rotate(func(Key) time.Time { return time.Time{} }); err != nil || len(keys) != 1 {
		t.Errorf("revoke all: %v, %v", keys, err)
	}
	if _, err := r.Open(fresh); !errors.Is(err, state.ErrLinkGone) {
		t.Errorf("after all were revoked: %v", err)
	}
	text, err := os.ReadFile(r.Path())
	if err != nil || bytes.Count(text, []byte("\n")) != strings.Count(head, "\n")+1 {
		t.Errorf("the file keeps what is thrown away: %s, %v", text, err)
	}
}

// TestOneFirstKey has many begin at once: all of them sign by the same key.
func TestOneFirstKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state", "ownmap")
	names := make([]string, 16)
	var wait sync.WaitGroup
	for i := range names {
		wait.Go(func() {
			name, err := New(dir, night).Current()
			if err != nil {
				t.Error(err)
			}
			names[i] = name
		})
	}
	wait.Wait()
	if slices.Sort(names); len(slices.Compact(names)) != 1 || len(names[0]) != 16 {
		t.Errorf("names %q", names)
	}
	info, err := os.Stat(filepath.Join(dir, File))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}

// TestManyRotations has many rotate at once: no key gets lost.
func TestManyRotations(t *testing.T) {
	t.Parallel()
	r, clock := ring(t)
	first := issue(t, r)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := r.Rotate(func(Key) time.Time { return clock.now().Add(time.Hour) }); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	keys, err := r.Keys()
	if err != nil || len(keys) != 9 || keys[8].Name() != first.Key {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestTooManyKeys(t *testing.T) {
	t.Parallel()
	var keys []Key
	for range maxKeys {
		k, err := newKey(keys, night())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	if _, err := newKey(keys, night()); err == nil || !strings.Contains(err.Error(), "--revoke-all") {
		t.Errorf("got %v", err)
	}
}

func TestFileOfKeys(t *testing.T) {
	t.Parallel()
	r, _ := ring(t)
	links := issue(t, r)
	if keys, err := New(t.TempDir(), night).Keys(); err != nil || len(keys) != 0 {
		t.Errorf("without a file: %v, %v", keys, err)
	}
	if _, err := New(t.TempDir(), night).Open(token(t, r, links, ports("22"))); !errors.Is(err, state.ErrLinkGone) {
		t.Errorf("opened without a file: %v", err)
	}
	good, err := os.ReadFile(r.Path())
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimPrefix(string(good), head)
	secret := strings.Fields(line)[2]
	for want, text := range map[string]string{
		"there is no key in it":                    head,
		"line 1: not three fields":                 "x\n",
		"line 1: the first field is no time":       "x - " + secret + "\n",
		"line 1: the second field is neither":      "2026-11-22T02:00:00Z x " + secret + "\n",
		"line 1: the third field is no key":        "2026-11-22T02:00:00Z - " + secret[1:] + "\n",
		"line 2: the first key, and no other":      line + line,
		"line 1: the first key, and no other":      strings.Replace(line, " - ", " 2026-11-22T02:00:00Z ", 1),
		"line 2: its name begins as that of a key": line + strings.Replace(line, " - ", " 2026-11-22T02:00:00Z ", 1),
		"has more than 65536 bytes":                string(good) + strings.Repeat("#", maxFile),
	} {
		if err := os.WriteFile(r.Path(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := r.Current()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), r.Path()) || strings.Contains(err.Error(), secret) {
			t.Errorf("want %q, got %v", want, err)
		}
		if _, err := r.Open("A"); err == nil || errors.Is(err, state.ErrLinkGone) {
			t.Errorf("a broken file is told as a bad link: %v", err)
		}
	}
	if err := os.WriteFile(r.Path(), good, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o666} {
		if err := os.Chmod(r.Path(), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Keys(); err == nil || !strings.Contains(err.Error(), "chmod 0600") {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
	if err := errors.Join(os.Rename(r.Path(), r.Path()+".old"), os.Symlink(r.Path()+".old", r.Path())); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Keys(); err == nil {
		t.Error("a link in place of the file is followed")
	}
}

// FuzzOpen looks for a token that is none and opens, and for a panic.
func FuzzOpen(f *testing.F) {
	r := New(f.TempDir(), night)
	name, err := r.Current()
	if err != nil {
		f.Fatal(err)
	}
	s, err := r.Sealer(state.ApprovalLinks{ID: 5, Key: name, Expires: night().Add(time.Hour)})
	if err != nil {
		f.Fatal(err)
	}
	made := map[string]bool{}
	for _, list := range [][]state.Port{ports("22"), ports("22", "53/udp"), ports("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")} {
		text, err := s.Token(9, list)
		if err != nil {
			f.Fatal(err)
		}
		made[text] = true
		f.Add(text)
		f.Add(text[1:])
	}
	keys, err := r.Keys()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if scope, ok := open(keys, text); ok && !made[text] {
			t.Errorf("%q opens: %+v", text, scope)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	r := New(b.TempDir(), night)
	name, err := r.Current()
	if err != nil {
		b.Fatal(err)
	}
	s, err := r.Sealer(state.ApprovalLinks{ID: 5, Key: name, Expires: night().Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := s.Token(int64(i+1), ports("443")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	r := New(b.TempDir(), night)
	name, err := r.Current()
	if err != nil {
		b.Fatal(err)
	}
	s, err := r.Sealer(state.ApprovalLinks{ID: 5, Key: name, Expires: night().Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	text, err := s.Token(9, ports("443"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.Open(text); err != nil {
			b.Fatal(err)
		}
	}
}
