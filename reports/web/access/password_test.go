package access

import (
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	carol := state.User{Name: "carol", PasswordHash: hashOf(t, "only in the config"), Role: state.Admin}
	w := settled(t, Options{Users: []state.User{carol}})
	w.add(t, "carol", "in the database too", state.Viewer)
	w.add(t, "dave", "password of dave's", state.Viewer)
	yes := true
	w.edit(t, "dave", state.UserEdit{Disabled: &yes})
	long := strings.Repeat("x", 72)
	w.add(t, "erin", long, state.Viewer)
	for _, test := range []struct {
		name, password string
		want           string // "name role origin", or the status
	}{
		{"alice", alicesPassword, "alice admin database"},
		{" Alice ", alicesPassword, "alice admin database"},
		{"bob", bobsPassword, "bob viewer database"},
		{"alice", wrongPassword, "401"},
		{"alice", "", "401"},
		{"alice", bobsPassword, "401"},
		{"", "", "401"},
		{"nobody", alicesPassword, "401"},
		{"carol", "only in the config", "carol admin config"},
		{"carol", "in the database too", "401"}, // the config goes before the database
		{"dave", "password of dave's", "401"},   // is let in no more
		{"erin", long, "erin viewer database"},
		{"erin", long + "x", "401"}, // of which bcrypt would not see the end
		{"alice' or '1'='1", "' or ''='", "401"},
		{strings.Repeat("a", 100_000), "x", "401"},
	} {
		u, err := w.Check(t.Context(), test.name, test.password, home)
		got := strconv.Itoa(status(t, err))
		if err == nil {
			got = u.Name + " " + string(u.Role) + " " + string(u.Origin)
		}
		if got != test.want {
			t.Errorf("%.40q with %.40q: %s, want %s", test.name, test.password, got, test.want)
		}
		if err != nil && err.Error() != "Name or password is wrong." {
			t.Errorf("%.40q is told %q", test.name, err)
		}
	}
}

// An unknown name is checked against a hash that has the cost of somebody's, and no
// password.
func TestNobodysHash(t *testing.T) {
	t.Parallel()
	g := New(Options{Cost: 5, Users: []state.User{{Name: "carol", PasswordHash: state.NewSecret("$2y$07$" + strings.Repeat("a", 53))}}})
	seen := map[string]bool{}
	for i := range 50 {
		name := "user" + strconv.Itoa(i)
		hash := g.nobodysHash(name)
		if hash != g.nobodysHash(name) || matches(hash, "") || len(hash.Reveal()) != 60 {
			t.Fatalf("%s has %q", name, hash.Reveal())
		}
		seen[hash.Reveal()[:7]] = true
	}
	if len(seen) != 2 || !seen["$2a$05$"] || !seen["$2a$07$"] {
		t.Errorf("costs %v", seen)
	}
}

func TestManyWrongPasswords(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	session := w.signIn(t, "alice", alicesPassword)
	there := netip.MustParseAddr("127.0.0.2")
	said := map[int]int{}
	for range 100 {
		_, err := w.Check(t.Context(), "alice", wrongPassword, home)
		said[status(t, err)]++
		var refused *RefusedError
		if errors.As(err, &refused) && refused.Status == http.StatusTooManyRequests && (refused.After < time.Second || refused.After > time.Minute+time.Second) {
			t.Fatalf("to wait %s", refused.After)
		}
	}
	if said[401] != 5 || said[429] != 95 {
		t.Errorf("100 wrong passwords: %v", said)
	}
	if _, err := w.Check(t.Context(), "alice", alicesPassword, home); status(t, err) != 429 {
		t.Errorf("the right password after them: %v", err)
	}
	// Whoever else comes, from where else, and who is there already, goes on.
	if _, err := w.Check(t.Context(), "bob", bobsPassword, home); err != nil {
		t.Errorf("bob: %v", err)
	}
	if _, err := w.Check(t.Context(), "alice", alicesPassword, there); err != nil {
		t.Errorf("alice from elsewhere: %v", err)
	}
	if got := who(t, w.Guard, with(t, session)); got != "alice admin session" {
		t.Errorf("alice who is there already: %q", got)
	}
	w.clock.pass(time.Minute)
	if _, err := w.Check(t.Context(), "alice", alicesPassword, home); err != nil {
		t.Errorf("alice a minute later: %v", err)
	}
}

func TestManyNames(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	said := map[int]int{}
	for i := range 60 {
		from := netip.MustParseAddr("2001:db8:1:2::").AsSlice()
		from[15] = byte(i) // who has one address of a network has them all
		address, _ := netip.AddrFromSlice(from)
		_, err := w.Check(t.Context(), "user"+strconv.Itoa(i), wrongPassword, address)
		said[status(t, err)]++
	}
	if said[401] != failuresOfAddress || said[429] != 60-failuresOfAddress {
		t.Errorf("60 names: %v", said)
	}
	if _, err := w.Check(t.Context(), "bob", bobsPassword, netip.MustParseAddr("2001:db8:1:3::1")); err != nil {
		t.Errorf("bob from another network: %v", err)
	}
	w.clock.pass(time.Minute)
	if _, err := w.Check(t.Context(), "bob", bobsPassword, netip.MustParseAddr("2001:db8:1:2::1")); err != nil {
		t.Errorf("bob a minute later: %v", err)
	}
	if n := len(w.failures.users) + len(w.failures.addresses); n > 2 {
		t.Errorf("%d tries are remembered after a minute", n)
	}
}

// Many at once are not more than many in turn.
func TestWrongPasswordsAtOnce(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	var wrong, wait atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			_, err := w.Check(t.Context(), "alice", wrongPassword, home)
			switch status(t, err) {
			case 401:
				wrong.Add(1)
			case 429:
				wait.Add(1)
			}
		})
	}
	all.Wait()
	if wrong.Load() != failuresOfUser || wait.Load() != 64-failuresOfUser {
		t.Errorf("%d were wrong, %d had to wait", wrong.Load(), wait.Load())
	}
}

func TestRightPasswordsDoNotAddUp(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	for i := range 40 {
		if _, err := w.Check(t.Context(), "alice", alicesPassword, home); err != nil {
			t.Fatalf("after %d: %v", i, err)
		}
		if i%8 == 0 {
			if _, err := w.Check(t.Context(), "alice", wrongPassword, home); status(t, err) != 401 {
				t.Fatalf("after %d: %v", i, err)
			}
		}
	}
}
