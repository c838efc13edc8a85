package access

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

func TestCookies(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	for _, test := range []struct {
		base   string
		secure bool
		want   string
	}{
		{"", false, "ownmap_session /"},
		{"", true, "__Host-ownmap_session /"},
		{"/ownmap", true, "__Secure-ownmap_session /ownmap/"},
		{"/ownmap", false, "ownmap_session /ownmap/"},
	} {
		w.Guard = w.again(t, Options{Base: test.base, Secure: test.secure})
		c := w.signIn(t, "alice", alicesPassword)
		if got := c.Name + " " + c.Path; got != test.want {
			t.Errorf("%q, secure %v: %s, want %s", test.base, test.secure, got, test.want)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != test.secure || c.Domain != "" || c.MaxAge != 7*24*3600 || len(c.Value) != 43 {
			t.Errorf("cookie %+v", c)
		}
		if got := who(t, w.Guard, with(t, c)); got != "alice admin session" {
			t.Errorf("with it: %q", got)
		}
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	idle, used := w.signIn(t, "alice", alicesPassword), w.signIn(t, "bob", bobsPassword)
	w.clock.pass(12*time.Hour - time.Second)
	if got := who(t, w.Guard, with(t, used)); got != "bob viewer session" {
		t.Errorf("not used for almost 12 hours: %q", got)
	}
	w.clock.pass(time.Second)
	if got := who(t, w.Guard, with(t, idle)); got != "" {
		t.Errorf("not used for 12 hours: %q", got)
	}
	const life = 7 * 24 * time.Hour
	began := w.clock.now().Add(-12 * time.Hour)
	for w.clock.now().Add(11 * time.Hour).Before(began.Add(life)) {
		w.clock.pass(11 * time.Hour)
		if got := who(t, w.Guard, with(t, used)); got != "bob viewer session" {
			t.Fatalf("%s: %q", w.clock.now(), got)
		}
	}
	w.clock.pass(began.Add(life).Sub(w.clock.now()) - time.Second)
	if got := who(t, w.Guard, with(t, used)); got != "bob viewer session" {
		t.Errorf("at the end of 7 days: %q", got)
	}
	w.clock.pass(time.Second)
	if got := who(t, w.Guard, with(t, used)); got != "" {
		t.Errorf("after 7 days: %q", got)
	}
}

// What is noted of the use of a session is written only now and then.
func TestLookingWritesSeldom(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	c := w.signIn(t, "alice", alicesPassword)
	seen := func() time.Time {
		s, err := w.book.Session(t.Context(), w.sessionID(with(t, c)))
		if err != nil {
			t.Fatal(err)
		}
		return s.SeenAt
	}
	began := seen()
	w.clock.pass(noteEvery - time.Second)
	who(t, w.Guard, with(t, c))
	if !seen().Equal(began) {
		t.Error("looking at a page wrote something")
	}
	w.clock.pass(time.Second)
	who(t, w.Guard, with(t, c))
	if !seen().Equal(w.clock.now()) {
		t.Error("the use of a session is not noted")
	}
}

// Whoever knew the number of a session from before a sign-in knows nothing after it, and
// a number that we did not draw is nobody's.
func TestFixation(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	planted := &http.Cookie{Name: w.sessionCookie(), Value: strings.Repeat("A", 43)}
	c := w.signIn(t, "alice", alicesPassword, "Cookie", planted.Name+"="+planted.Value)
	if c.Value == planted.Value || who(t, w.Guard, with(t, planted)) != "" {
		t.Error("a planted number became a session")
	}
	second := w.signIn(t, "bob", bobsPassword, "Cookie", c.Name+"="+c.Value)
	if second.Value == c.Value || who(t, w.Guard, with(t, c)) != "" || who(t, w.Guard, with(t, second)) != "bob viewer session" {
		t.Error("the session from before the sign-in still opens something")
	}
	for _, value := range []string{"", "x", second.Value[:42], second.Value + "A", strings.ToUpper(second.Value), second.Value[:42] + "/"} {
		if got := who(t, w.Guard, with(t, &http.Cookie{Name: second.Name, Value: value})); got != "" {
			t.Errorf("%q is %q", value, got)
		}
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	c, other := w.signIn(t, "alice", alicesPassword), w.signIn(t, "alice", alicesPassword)
	out := httptest.NewRecorder()
	if err := w.SignOut(out, with(t, c)); err != nil {
		t.Fatal(err)
	}
	if gone := sessionIn(t, out); gone.MaxAge >= 0 || gone.Value != "" || gone.Name != c.Name || gone.Path != c.Path {
		t.Errorf("the cookie becomes %+v", gone)
	}
	if who(t, w.Guard, with(t, c)) != "" || who(t, w.Guard, with(t, other)) != "alice admin session" {
		t.Error("signing out ends another session than this one")
	}
}

func TestSessionsEndWithWhatTheyRestOn(t *testing.T) {
	t.Parallel()
	w := settled(t, Options{})
	viewer, admin, yes, no := state.Viewer, state.Admin, true, false
	hash := hashOf(t, "another password here")
	for name, edit := range map[string]state.UserEdit{
		"another password": {PasswordHash: &hash}, "another role": {Role: &viewer}, "no more let in": {Disabled: &yes},
	} {
		old := hashOf(t, alicesPassword)
		w.edit(t, "alice", state.UserEdit{PasswordHash: &old, Role: &admin, Disabled: &no})
		c, bobs := w.signIn(t, "alice", alicesPassword), w.signIn(t, "bob", bobsPassword)
		w.edit(t, "alice", edit)
		if got := who(t, w.Guard, with(t, c)); got != "" {
			t.Errorf("%s: %q", name, got)
		}
		if got := who(t, w.Guard, with(t, bobs)); got != "bob viewer session" {
			t.Errorf("%s of alice: %q", name, got)
		}
	}

	// A sign-in that was under way while the password changed is too late.
	u, err := w.book.User(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	w.edit(t, "bob", state.UserEdit{PasswordHash: &hash})
	out := httptest.NewRecorder()
	if err := w.begin(out, request(t, here), userSession(u)); err != nil {
		t.Fatal(err)
	}
	if got := who(t, w.Guard, with(t, sessionIn(t, out))); got != "" {
		t.Errorf("signed in with the password of before: %q", got)
	}
}

func TestSessionsOfTheConfig(t *testing.T) {
	t.Parallel()
	carol := state.User{Name: "carol", PasswordHash: hashOf(t, "only in the config"), Role: state.Admin}
	w := newWorld(t, Options{Users: []state.User{carol}})
	c := w.signIn(t, "carol", "only in the config")
	if got := who(t, w.again(t, Options{Users: []state.User{carol}}), with(t, c)); got != "carol admin session" {
		t.Errorf("after a restart: %q", got)
	}
	other, less := carol, carol
	other.PasswordHash, less.Role = hashOf(t, "only in the config"), state.Viewer
	for name, users := range map[string][]state.User{"gone": nil, "another password": {other}, "another role": {less}} {
		if got := who(t, w.again(t, Options{Users: users}), with(t, c)); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	// A user of the database whose name the config takes is somebody else.
	w.add(t, "dave", "password of dave's", state.Admin)
	daves := w.signIn(t, "dave", "password of dave's")
	g := w.again(t, Options{Users: []state.User{{Name: "dave", PasswordHash: hashOf(t, "password of dave's"), Role: state.Viewer}}})
	if got := who(t, g, with(t, daves)); got != "" {
		t.Errorf("dave of the database: %q", got)
	}
}
