package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// basic is a request with a name and a password.
func basic(t *testing.T, name, password string) *http.Request {
	t.Helper()
	r := request(t, here)
	r.SetBasicAuth(name, password)
	return r
}

func TestBasic(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	// busy has every slot for checking a password taken, and a request that does not wait.
	busy := func(r *http.Request) *http.Request {
		for range checksAtOnce {
			w.checks <- struct{}{}
		}
		ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond)
		t.Cleanup(cancel)
		return r.WithContext(ctx)
	}
	idle := func() {
		for range checksAtOnce {
			<-w.checks
		}
	}
	ask := func(r *http.Request, want string) {
		t.Helper()
		if got := who(t, w.Guard, r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	ask(basic(t, "alice", alicesPassword), "alice admin basic")
	ask(basic(t, "ALICE", alicesPassword), "alice admin basic")
	ask(busy(basic(t, "alice", alicesPassword)), "alice admin basic") // was not checked again
	w.clock.pass(basicSpan - time.Second)
	ask(basic(t, "alice", alicesPassword), "alice admin basic")
	idle()
	w.clock.pass(time.Second)
	if right, known := w.basic.get(w.basicKey(t, "alice", alicesPassword), w.clock.now()); right || known {
		t.Error("an outcome is good for longer than a minute")
	}
	ask(basic(t, "alice", alicesPassword), "alice admin basic")

	// Another password is asked for at once, and the old one is good no more.
	hash := hashOf(t, "another password here")
	w.edit(t, "alice", state.UserEdit{PasswordHash: &hash})
	ask(basic(t, "alice", alicesPassword), "")
	ask(basic(t, "alice", "another password here"), "alice admin basic")
	yes := true
	w.edit(t, "alice", state.UserEdit{Disabled: &yes})
	ask(basic(t, "alice", "another password here"), "")

	// A wrong one that comes with every request, such as one for a proxy, is one failure.
	for range 20 {
		ask(basic(t, "bob", wrongPassword), "")
	}
	ask(basic(t, "bob", bobsPassword), "bob viewer basic")
	for _, r := range []*http.Request{basic(t, "", ""), basic(t, "nobody", "x"), request(t, here, "Authorization", "Basic !"), request(t, here, "Authorization", "Digest x")} {
		ask(r, "")
	}
	for i := range 30 {
		_, _, err := w.Identify(basic(t, "bob", wrongPassword+strings.Repeat("x", i)))
		if got := status(t, err); got != 0 && got != 429 || i == 29 && got != 429 {
			t.Errorf("wrong password %d: %d", i, got)
		}
	}
	ask(basic(t, "bob", bobsPassword), "bob viewer basic") // is remembered
}

func (w world) basicKey(t *testing.T, name, password string) [sha256.Size]byte {
	t.Helper()
	u, err := w.book.User(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return w.mac("basic", []byte(name), []byte(u.PasswordHash.Reveal()), []byte(password))
}

// No part of a key reaches into the next one (CVE-2022-46146), and other processes have
// other keys.
func TestBasicKeys(t *testing.T) {
	t.Parallel()
	g := New(Options{})
	seen := map[[sha256.Size]byte]bool{}
	for _, texts := range [][3]string{{"ab", "c", "d"}, {"a", "bc", "d"}, {"ab", "", "cd"}, {"", "abc", "d"}, {"abcd", "", ""}, {"a\x00b", "c", "d"}} {
		seen[g.mac("basic", []byte(texts[0]), []byte(texts[1]), []byte(texts[2]))] = true
	}
	seen[g.mac("seal", []byte("ab"), []byte("c"), []byte("d"))] = true
	seen[New(Options{}).mac("basic", []byte("ab"), []byte("c"), []byte("d"))] = true
	if len(seen) != 8 {
		t.Errorf("%d keys of 8", len(seen))
	}
}

func TestBasicCacheIsBounded(t *testing.T) {
	t.Parallel()
	c, at := newBasicCache(), time.Date(2027, 1, 31, 8, 0, 0, 0, time.UTC)
	for i := range 3 * basicMost {
		c.put(sha256.Sum256([]byte{byte(i), byte(i >> 8)}), true, at)
	}
	if len(c.all) > basicMost {
		t.Errorf("%d outcomes", len(c.all))
	}
	var checks atomic.Int64
	var all sync.WaitGroup
	key, hold := [sha256.Size]byte{1}, make(chan struct{})
	for range 8 {
		all.Go(func() {
			right, err := c.once(key, func() (bool, error) {
				checks.Add(1)
				<-hold
				return true, nil
			}, func() time.Time { return at })
			if !right || err != nil {
				t.Errorf("%v, %v", right, err)
			}
		})
	}
	close(hold)
	all.Wait()
	if checks.Load() != 1 {
		t.Errorf("the same password was checked %d times", checks.Load())
	}
	if right, err := c.once([sha256.Size]byte{2}, func() (bool, error) { return false, errors.New("busy") }, func() time.Time { return at }); right || err == nil {
		t.Error("what was not checked is right")
	}
}

func bearerOf(t *testing.T, token string) *http.Request {
	t.Helper()
	return request(t, here, "Authorization", "Bearer "+token)
}

func (w world) identity(t *testing.T, r *http.Request) state.Identity {
	t.Helper()
	id, ok, err := w.Identify(r)
	if !ok || err != nil {
		t.Fatalf("not identified: %v", err)
	}
	return id
}

func (w world) token(t *testing.T, who state.Identity, name string, role state.Role, expires *time.Time) string {
	t.Helper()
	token, err := w.CreateToken(t.Context(), who, name, role, expires)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return token
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	alice := w.identity(t, with(t, w.signIn(t, "alice", alicesPassword)))
	bob := w.identity(t, with(t, w.signIn(t, "bob", bobsPassword)))
	soon := w.clock.now().Add(time.Hour)
	tokens := map[string]string{
		"alice admin token":  w.token(t, alice, "deploy", state.Admin, nil),
		"alice viewer token": w.token(t, alice, "dashboard", state.Viewer, &soon),
		"bob viewer token":   w.token(t, bob, "bob's", state.Viewer, nil),
	}
	ask := func(r *http.Request, want string) {
		t.Helper()
		if got := who(t, w.Guard, r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, token := range tokens {
		if !strings.HasPrefix(token, "ownmap_") || len(token) != len("ownmap_")+43 {
			t.Errorf("token %s", token)
		}
		ask(bearerOf(t, token), want)
		ask(request(t, here, "Authorization", "bearer  "+token), want)
		for _, bad := range []string{token[:len(token)-1], token + "A", strings.ToUpper(token), strings.TrimPrefix(token, "ownmap_"), ""} {
			ask(bearerOf(t, bad), "")
		}
		// A token that is none is not made good by a session.
		ask(request(t, here, "Authorization", "Bearer nonsense", "Cookie", "ownmap_session="+w.signIn(t, "alice", alicesPassword).Value), "")
	}
	deploy := tokens["alice admin token"]
	if id := w.identity(t, bearerOf(t, deploy)); id.Token != "deploy" || id.Origin != state.ByDatabase || id.From != home {
		t.Errorf("identity %+v", id)
	}

	// What tokens may not do.
	for _, test := range []struct {
		who  state.Identity
		name string
		role state.Role
		end  *time.Time
		want int
	}{
		{bob, "more", state.Admin, nil, 403},
		{w.identity(t, bearerOf(t, deploy)), "child", state.Viewer, nil, 403},
		{alice, "deploy", state.Viewer, nil, 409},
		{alice, "", state.Viewer, nil, 422},
		{alice, "x\x1b[2J", state.Viewer, nil, 422},
		{alice, strings.Repeat("x", 65), state.Viewer, nil, 422},
		{alice, "nothing", state.Nobody, nil, 403},
		{alice, "over", state.Viewer, new(w.clock.now()), 422},
		{state.Identity{Name: FirstSignIn, Role: state.Admin, Via: state.ViaLink, Origin: state.ByLink}, "early", state.Admin, nil, 403},
	} {
		if _, err := w.CreateToken(t.Context(), test.who, test.name, test.role, test.end); status(t, err) != test.want {
			t.Errorf("%s makes %q: %v, want %d", test.who.Name, test.name, err, test.want)
		}
	}

	// Its end, and that it is used, which is noted now and then.
	w.clock.pass(time.Hour - time.Second)
	ask(bearerOf(t, tokens["alice viewer token"]), "alice viewer token")
	used := w.clock.now()
	w.clock.pass(time.Second)
	ask(bearerOf(t, tokens["alice viewer token"]), "")
	list, err := w.Tokens(t.Context(), alice)
	if err != nil || len(list) != 3 || list[1].Name != "dashboard" || list[1].UsedAt == nil || !list[1].UsedAt.Equal(used) {
		t.Errorf("tokens %+v, %v", list, err)
	}
	if list, err := w.Tokens(t.Context(), bob); err != nil || len(list) != 1 || list[0].Name != "bob's" {
		t.Errorf("bob sees %+v, %v", list, err)
	}

	// Revoking: one's own, or as an admin any.
	if _, err := w.RevokeToken(t.Context(), bob, list[2].ID); status(t, err) != 404 {
		t.Errorf("bob revokes alice's: %v", err)
	}
	if _, err := w.RevokeToken(t.Context(), alice, list[0].ID); err != nil {
		t.Error(err)
	}
	ask(bearerOf(t, tokens["bob viewer token"]), "")
	if _, err := w.RevokeToken(t.Context(), alice, list[0].ID); status(t, err) != 404 {
		t.Errorf("revoked twice: %v", err)
	}
	ask(bearerOf(t, w.token(t, bob, "bob's", state.Viewer, nil)), "bob viewer token") // the name is free again

	// A token may never do more than who made it.
	viewer, yes := state.Viewer, true
	w.edit(t, "alice", state.UserEdit{Role: &viewer})
	ask(bearerOf(t, deploy), "alice viewer token")
	w.edit(t, "alice", state.UserEdit{Disabled: &yes})
	ask(bearerOf(t, deploy), "")
}

func TestTokensOfOthers(t *testing.T) {
	t.Parallel()
	carol := state.User{Name: "carol", PasswordHash: hashOf(t, "only in the config"), Role: state.Admin}
	o := Options{Users: []state.User{carol}, OIDC: &OIDC{}, Proxy: Proxies{Header: "X-User"}}
	w := newWorld(t, o)
	far := w.clock.now().Add(1000 * 24 * time.Hour)
	tokens := map[string]string{}
	for _, origin := range []state.SignIn{state.ByConfig, state.ByOIDC, state.ByProxy} {
		id := state.Identity{Name: "carol", Role: state.Admin, Via: state.ViaSession, Origin: origin}
		tokens[string(origin)] = w.token(t, id, string(origin), state.Admin, &far)
	}
	token, sum := NewSecretToken()
	if _, err := w.book.AddAPIToken(t.Context(), sum, state.APIToken{Name: "cron", Role: state.Viewer, By: "root", CreatedAt: w.clock.now()}, state.Actor{Name: "root", Via: "cli"}); err != nil {
		t.Fatal(err)
	}
	tokens["cli"] = token
	less := carol
	less.Role = state.Viewer
	ask := func(name string, o Options, want map[string]string) {
		t.Helper()
		g := w.again(t, o)
		for origin, token := range tokens {
			if got := who(t, g, bearerOf(t, token)); got != want[origin] {
				t.Errorf("%s: %s is %q, want %q", name, origin, got, want[origin])
			}
		}
	}
	ask("as it was", o, map[string]string{"config": "carol admin token", "oidc": "carol admin token", "proxy": "carol admin token", "cli": "root viewer token"})
	ask("less", Options{Users: []state.User{less}}, map[string]string{"config": "carol viewer token", "cli": "root viewer token"})
	ask("nobody", Options{}, map[string]string{"cli": "root viewer token"})
	w.clock.pass(borrowedLife)
	ask("after 90 days", o, map[string]string{"config": "carol admin token", "cli": "root viewer token"})
}
