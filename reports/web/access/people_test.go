package access

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// audit returns the newest lines of the audit, "actor via action subject detail", oldest
// first.
func (w world) audit(t *testing.T, n int) string {
	t.Helper()
	lines, err := w.book.Audit(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(lines)
	var all []string
	for _, l := range lines {
		words := []string{l.Actor, l.Via, l.Action, l.Subject}
		for _, key := range slices.Sorted(maps.Keys(l.Detail)) {
			words = append(words, key+"="+l.Detail[key])
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, "\n")
}

func TestFirstSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	first, err := w.OfferLink(t.Context())
	if err != nil || len(first) != 43 {
		t.Fatalf("link %q, %v", first, err)
	}
	token, err := w.OfferLink(t.Context()) // as after a restart
	if err != nil || token == first {
		t.Fatalf("link %q, %v", token, err)
	}
	for _, bad := range []string{"", first, token[:42], token + "A", strings.ToUpper(token)} {
		if err := w.TryLink(t.Context(), bad); status(t, err) != 410 {
			t.Errorf("%q opens: %v", bad, err)
		}
		if err := w.UseLink(httptest.NewRecorder(), request(t, here), bad); status(t, err) != 410 {
			t.Errorf("%q lets in: %v", bad, err)
		}
	}
	for range 50 { // looking is not using
		if err := w.TryLink(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.pass(time.Hour - time.Second)
	var in atomic.Int64
	var all sync.WaitGroup
	winner := make(chan *httptest.ResponseRecorder, 16)
	for range 16 {
		all.Go(func() {
			out := httptest.NewRecorder()
			if err := w.UseLink(out, request(t, here), token); err == nil {
				in.Add(1)
				winner <- out
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Fatalf("the link let in %d times", in.Load())
	}
	session := sessionIn(t, <-winner)
	if got := who(t, w.Guard, with(t, session)); got != "first sign-in admin link" {
		t.Errorf("signed in as %q", got)
	}
	if got := who(t, w.again(t, Options{}), with(t, session)); got != "" {
		t.Errorf("after a restart still %q", got)
	}
	id := w.identity(t, with(t, session))
	if err := w.AddUser(t.Context(), id, "bob", bobsPassword, state.Viewer); status(t, err) != 403 {
		t.Errorf("a viewer as the first user: %v", err)
	}
	for _, bad := range [][2]string{{"Alice", alicesPassword}, {"", alicesPassword}, {"alice", "short"}, {"alice", strings.Repeat("x", 73)}, {"alice-of-length", "alice-of-length"}, {"a b", alicesPassword}} {
		if err := w.FirstUser(httptest.NewRecorder(), with(t, session), id, bad[0], bad[1]); status(t, err) != 422 {
			t.Errorf("first user %q: %v", bad, err)
		}
	}
	out := httptest.NewRecorder()
	if err := w.FirstUser(out, with(t, session), id, "alice", alicesPassword); err != nil {
		t.Fatal(err)
	}
	if got := who(t, w.Guard, with(t, sessionIn(t, out))); got != "alice admin session" {
		t.Errorf("signed in as %q", got)
	}
	if got := who(t, w.Guard, with(t, session)); got != "" {
		t.Errorf("the session of the link is still %q", got)
	}
	if err := w.FirstUser(out, with(t, session), id, "nobody", alicesPassword); status(t, err) != 409 {
		t.Errorf("a second first user: %v", err)
	}
	if token, err := w.OfferLink(t.Context()); err != nil || token != "" {
		t.Errorf("a link where there is a user: %q, %v", token, err)
	}
	want := `first sign-in web sign-in first sign-in from=127.0.0.1 how=link role=admin
first sign-in web user-add alice from=127.0.0.1 how=link role=admin
alice web sign-in alice from=127.0.0.1 how=session role=admin`
	if got := w.audit(t, 3); got != want {
		t.Errorf("audit:\n%s\nwant\n%s", got, want)
	}
}

func TestLinkEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	token, err := w.OfferLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Hour)
	if err := w.TryLink(t.Context(), token); status(t, err) != 410 {
		t.Errorf("after an hour: %v", err)
	}
	if token, err = w.OfferLink(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.add(t, "alice", alicesPassword, state.Admin) // by `ownmap passwd`
	if err := w.UseLink(httptest.NewRecorder(), request(t, here), token); status(t, err) != 410 {
		t.Errorf("once there is a user: %v", err)
	}
	for name, o := range map[string]Options{
		"config": {Users: []state.User{{Name: "carol"}}}, "oidc": {OIDC: &OIDC{}}, "proxy": {Proxy: Proxies{Header: "X-User"}},
	} {
		yes := true
		w.edit(t, "alice", state.UserEdit{Disabled: &yes})
		if token, err := w.again(t, o).OfferLink(t.Context()); err != nil || token != "" {
			t.Errorf("with %s: %q, %v", name, token, err)
		}
	}
	if token, err := w.OfferLink(t.Context()); err != nil || token == "" {
		t.Errorf("when nobody is let in any more: %q, %v", token, err)
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{Users: []state.User{{Name: "carol", PasswordHash: hashOf(t, "only in the config"), Role: state.Admin}}})
	sessions := map[string]state.Identity{}
	for name, password := range map[string]string{"alice": alicesPassword, "bob": bobsPassword, "carol": "only in the config"} {
		sessions[name] = w.identity(t, with(t, w.signIn(t, name, password)))
	}
	alice, bob := sessions["alice"], sessions["bob"]
	token := w.identity(t, bearerOf(t, w.token(t, alice, "deploy", state.Admin, nil)))
	viewer, yes, no := state.Viewer, true, false
	ctx := t.Context()
	for _, test := range []struct {
		name string
		err  error
		want int
	}{
		{"bob adds", w.AddUser(ctx, bob, "dave", "password of dave's", viewer), 403},
		{"a token adds", w.AddUser(ctx, token, "dave", "password of dave's", viewer), 403},
		{"a name of the config", w.AddUser(ctx, alice, "carol", "password of carol's", viewer), 409},
		{"a name that is there", w.AddUser(ctx, alice, "bob", "password of bob's", viewer), 409},
		{"a short password", w.AddUser(ctx, alice, "dave", "short", viewer), 422},
		{"a capital name", w.AddUser(ctx, alice, "Dave", "password of dave's", viewer), 422},
		{"alice adds", w.AddUser(ctx, alice, "dave", "password of dave's", viewer), 0},
		{"alice disables herself", w.EditUser(ctx, alice, "alice", state.UserEdit{Disabled: &yes}), 409},
		{"alice makes herself a viewer", w.EditUser(ctx, alice, "alice", state.UserEdit{Role: &viewer}), 409},
		{"alice disables carol", w.EditUser(ctx, alice, "carol", state.UserEdit{Disabled: &yes}), 409},
		{"alice disables nobody", w.EditUser(ctx, alice, "erin", state.UserEdit{Disabled: &yes}), 404},
		{"bob disables dave", w.EditUser(ctx, bob, "dave", state.UserEdit{Disabled: &yes}), 403},
		{"a token disables dave", w.EditUser(ctx, token, "dave", state.UserEdit{Disabled: &yes}), 403},
		{"alice disables dave", w.EditUser(ctx, alice, "dave", state.UserEdit{Disabled: &yes}), 0},
		{"once more", w.EditUser(ctx, alice, "dave", state.UserEdit{Disabled: &yes}), 0},
		{"alice lets dave in again", w.EditUser(ctx, alice, "dave", state.UserEdit{Disabled: &no}), 0},
		{"carol makes alice a viewer", w.EditUser(ctx, sessions["carol"], "alice", state.UserEdit{Role: &viewer}), 0},
		{"alice's password, by alice", w.ResetPassword(ctx, alice, "alice", "password of alice's"), 409},
		{"nobody's password", w.ResetPassword(ctx, alice, "erin", "password of erin's"), 404},
		{"dave's password", w.ResetPassword(ctx, alice, "dave", "short"), 422},
		{"dave's password, by bob", w.ResetPassword(ctx, bob, "dave", "password of dave's 2"), 403},
		{"dave's password, by alice", w.ResetPassword(ctx, alice, "dave", "password of dave's 2"), 0},
	} {
		if got := status(t, test.err); got != test.want {
			t.Errorf("%s: %v, want %d", test.name, test.err, test.want)
		}
	}
	if _, err := w.Check(ctx, "dave", "password of dave's 2", home); err != nil {
		t.Errorf("dave: %v", err)
	}
	want := `alice web user-add dave from=127.0.0.1 how=session role=viewer
alice web user-disable dave from=127.0.0.1 how=session
alice web user-enable dave from=127.0.0.1 how=session
carol web user-role alice from=127.0.0.1 how=session role=viewer
alice web user-password dave from=127.0.0.1 how=session`
	if got := w.audit(t, 5); got != want {
		t.Errorf("audit:\n%s\nwant\n%s", got, want)
	}
	users, err := w.AllUsers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range users {
		got = append(got, fmt.Sprint(u.Name, " ", u.Role, " ", u.Origin))
	}
	if text := strings.Join(got, ", "); text != "alice viewer database, bob viewer database, carol admin config, dave viewer database" {
		t.Errorf("users: %s", text)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{Users: []state.User{{Name: "carol", PasswordHash: hashOf(t, "only in the config"), Role: state.Admin}}})
	session, other := w.signIn(t, "bob", bobsPassword), w.signIn(t, "bob", bobsPassword)
	bob, carol := w.identity(t, with(t, session)), w.identity(t, with(t, w.signIn(t, "carol", "only in the config")))
	const fresh = "a password of bob's"
	for _, test := range []struct {
		who              state.Identity
		present, instead string
		want             int
	}{
		{bob, wrongPassword, fresh, 422},
		{bob, bobsPassword, "short", 422},
		{bob, bobsPassword, strings.Repeat("x", 73), 422},
		{carol, "only in the config", fresh, 403},
		{state.Identity{Name: "bob", Role: state.Viewer, Via: state.ViaToken, Origin: state.ByDatabase}, bobsPassword, fresh, 403},
		{state.Identity{Name: "bob", Role: state.Viewer, Via: state.ViaOIDC, Origin: state.ByOIDC}, bobsPassword, fresh, 403},
	} {
		if err := w.ChangePassword(httptest.NewRecorder(), with(t, session), test.who, test.present, test.instead); status(t, err) != test.want {
			t.Errorf("%+v: %v", test, err)
		}
	}
	out := httptest.NewRecorder()
	if err := w.ChangePassword(out, with(t, session), bob, bobsPassword, fresh); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{session.Value, other.Value} {
		if got := who(t, w.Guard, request(t, here, "Cookie", session.Name+"="+old)); got != "" {
			t.Errorf("a session of before: %q", got)
		}
	}
	if got := who(t, w.Guard, with(t, sessionIn(t, out))); got != "bob viewer session" {
		t.Errorf("this browser: %q", got)
	}
	if _, err := w.Check(t.Context(), "bob", bobsPassword, home); status(t, err) != 401 {
		t.Errorf("the old password: %v", err)
	}
	want := "bob web user-password bob from=127.0.0.1 how=session\nbob web sign-in bob from=127.0.0.1 how=session role=viewer"
	if got := w.audit(t, 2); got != want {
		t.Errorf("audit:\n%s\nwant\n%s", got, want)
	}
	// Who has found a browser that is signed in can not try all passwords.
	for i := range 6 {
		err := w.ChangePassword(httptest.NewRecorder(), with(t, sessionIn(t, out)), bob, wrongPassword, fresh)
		if got := status(t, err); i == 5 && got != 429 {
			t.Errorf("try %d: %v", i, err)
		}
	}
}
