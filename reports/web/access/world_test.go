package access

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

func TestMain(m *testing.M) { lab.Main(m) }

const (
	alicesPassword = "correct horse battery"
	bobsPassword   = "staple of the battery"
	wrongPassword  = "incorrect horse battery"
)

// clock is a clock that a test turns.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a guard over a real database, on a clock of its own.
type world struct {
	*Guard
	book  *persist.Book
	clock *clock
}

func newWorld(t *testing.T, o Options) world {
	t.Helper()
	w := world{book: booklab.Open(t), clock: &clock{at: time.Date(2027, 1, 31, 8, 0, 0, 0, time.UTC)}}
	w.Guard = w.again(t, o)
	return w
}

// again returns a guard as another process would make it.
func (w world) again(t *testing.T, o Options) *Guard {
	t.Helper()
	o.Store, o.Now, o.Cost, o.Log = w.book, w.clock.now, bcrypt.MinCost, slog.New(slog.NewTextHandler(t.Output(), nil))
	return New(o)
}

// settled is a world with the users alice, an admin, and bob, a viewer.
func settled(t *testing.T, o Options) world {
	t.Helper()
	w := newWorld(t, o)
	w.add(t, "alice", alicesPassword, state.Admin)
	w.add(t, "bob", bobsPassword, state.Viewer)
	return w
}

func hashOf(t *testing.T, password string) state.Secret {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return state.NewSecret(string(hash))
}

func (w world) add(t *testing.T, name, password string, role state.Role) {
	t.Helper()
	u := state.User{Name: name, PasswordHash: hashOf(t, password), Role: role}
	if _, err := w.book.AddUser(t.Context(), u, false, w.clock.now(), state.Actor{Name: "root", Via: "cli"}); err != nil {
		t.Fatal(err)
	}
}

func (w world) edit(t *testing.T, name string, edit state.UserEdit) {
	t.Helper()
	if _, err := w.book.EditUser(t.Context(), name, edit, w.clock.now(), state.Actor{Name: "root", Via: "cli"}); err != nil {
		t.Fatal(err)
	}
}

// request makes a request from an address, with headers in pairs.
func request(t *testing.T, from string, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.RemoteAddr = from
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

const here = "127.0.0.1:40000"

// signIn signs in and returns the cookie of the session.
func (w world) signIn(t *testing.T, name, password string, headers ...string) *http.Cookie {
	t.Helper()
	out := httptest.NewRecorder()
	if err := w.SignIn(out, request(t, here, headers...), name, password); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return sessionIn(t, out)
}

func sessionIn(t *testing.T, out *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	cookies := out.Result().Cookies()
	if len(cookies) == 0 {
		t.Fatal("no cookie")
	}
	return cookies[len(cookies)-1]
}

// who returns "name role via" of who a guard takes a request for; nobody is "".
func who(t *testing.T, g *Guard, r *http.Request) string {
	t.Helper()
	id, ok, err := g.Identify(r)
	switch {
	case err != nil:
		return err.Error()
	case !ok:
		if id != (state.Identity{From: id.From}) {
			t.Errorf("nobody is %+v", id)
		}
		return ""
	}
	return id.Name + " " + string(id.Role) + " " + id.Via
}

// with is a request with a session.
func with(t *testing.T, session *http.Cookie) *http.Request {
	t.Helper()
	return request(t, here, "Cookie", session.Name+"="+session.Value)
}

// status is that of a RefusedError; 0 without an error.
func status(t *testing.T, err error) int {
	t.Helper()
	var refused *RefusedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &refused):
		return refused.Status
	}
	t.Fatal(err)
	return 0
}

var home = netip.MustParseAddr("127.0.0.1")
