package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/lab/oidclab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
)

const (
	alicesPassword = "correct horse battery"
	bobsPassword   = "staple of the battery"
)

// site is a page with a guard, over a real database.
type site struct {
	*httptest.Server
	book  *persist.Book
	guard *access.Guard
}

// open starts a page with a guard. Unless nobody is to be there yet, alice is an admin and
// bob a viewer.
func open(t *testing.T, o access.Options, users bool, change func(*Options)) site {
	t.Helper()
	s := site{book: booklab.Open(t)}
	o.Store, o.Cost = s.book, bcrypt.MinCost
	if users {
		for name, password := range map[string]string{"alice": alicesPassword, "bob": bobsPassword} {
			hash, err := access.Hash(password, name, bcrypt.MinCost)
			if err != nil {
				t.Fatal(err)
			}
			role := map[string]state.Role{"alice": state.Admin, "bob": state.Viewer}[name]
			if _, err := s.book.AddUser(t.Context(), state.User{Name: name, PasswordHash: hash, Role: role}, false, now(), state.Actor{Name: "root", Via: "cli"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.guard = access.New(o)
	options := Options{Book: s.book, Desk: deskOf(s.book), Guard: s.guard, Version: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if change != nil {
		change(&options)
	}
	handler, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

// person is a browser, or a program, that keeps cookies.
type person struct {
	site
	cookies map[string]string
}

func (s site) person() person { return person{s, map[string]string{}} }

// does sends a request, with headers in pairs, and takes the cookies of the answer.
func (p person) does(t *testing.T, method, path string, form url.Values, headers ...string) (*http.Response, string) {
	t.Helper()
	var cookies []string
	for name, value := range p.cookies {
		cookies = append(cookies, name+"="+value)
	}
	if len(cookies) > 0 {
		headers = append(headers, "Cookie", strings.Join(cookies, "; "))
	}
	response, body := pages{Server: p.Server, book: p.book}.ask(t, state.Nobody, method, path, form, headers...)
	for _, c := range response.Cookies() {
		if p.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(p.cookies, c.Name)
		}
	}
	return response, body
}

// wants fails the test unless a request is answered so.
func (p person) wants(t *testing.T, status int, says, method, path string, form url.Values, headers ...string) string {
	t.Helper()
	response, body := p.does(t, method, path, form, headers...)
	if to := response.Header.Get("Location"); response.StatusCode != status || !strings.Contains(body, says) && !strings.HasPrefix(to, says) {
		t.Errorf("%s %s %v: %d to %q, want %d %q\n%s", method, path, form, response.StatusCode, to, status, says, body)
	}
	return body
}

func (s site) as(t *testing.T, name, password string) person {
	t.Helper()
	p := s.person()
	p.wants(t, 303, "/", "POST", "/login", url.Values{"name": {name}, "password": {password}})
	return p
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := open(t, access.Options{}, true, nil)
	p := s.person()
	p.wants(t, 303, "/login?next=%2Fusers%3Fx%3D1", "GET", "/users?x=1", nil)
	body := p.wants(t, 200, `name="next" value="/users?x=1"`, "GET", "/login?next=%2Fusers%3Fx%3D1", nil)
	for _, part := range []string{`autocomplete="username"`, `autocomplete="current-password"`, `<label for="name">`, `action="/login"`} {
		if !strings.Contains(body, part) {
			t.Errorf("the form has no %s", part)
		}
	}
	p.wants(t, 401, "Name or password is wrong.", "POST", "/login", url.Values{"name": {"alice"}, "password": {"wrong"}})
	body = p.wants(t, 401, `value="&lt;script&gt;alert(1)`, "POST", "/login", url.Values{"name": {"<script>alert(1)</script>"}, "password": {"wrong"}, "next": {"//evil.example.com"}})
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "evil.example.com") {
		t.Errorf("what was typed comes back as it is: %s", body)
	}
	if len(p.cookies) != 0 {
		t.Errorf("cookies without a sign-in: %v", p.cookies)
	}
	response, _ := p.does(t, "POST", "/login", url.Values{"name": {"alice"}, "password": {alicesPassword}, "next": {"/users?x=1"}})
	if to := response.Header.Get("Location"); response.StatusCode != 303 || to != "/users?x=1" {
		t.Errorf("%d to %q", response.StatusCode, to)
	}
	p.wants(t, 200, "<h1>Users</h1>", "GET", "/users", nil)
	p.wants(t, 303, "/account", "GET", "/login?next=/account", nil)
	p.wants(t, 200, "You signed in with your password.", "GET", "/account", nil)
	for _, next := range []string{"https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "/\t/evil.example.com"} {
		response, _ := p.does(t, "GET", "/login?next="+url.QueryEscape(next), nil)
		if to := response.Header.Get("Location"); to != "/" {
			t.Errorf("next %q leads to %q", next, to)
		}
	}
	p.wants(t, 405, "takes POST only", "GET", "/logout", nil)
	p.wants(t, 403, "another site", "POST", "/logout", url.Values{}, "Sec-Fetch-Site", "cross-site")
	p.wants(t, 200, "", "GET", "/account", nil)
	p.wants(t, 303, "/login", "POST", "/logout", url.Values{})
	p.wants(t, 200, "You are signed out.", "GET", "/login", nil)
	p.wants(t, 303, "/login", "GET", "/account", nil)
	p.wants(t, 303, "/login", "POST", "/logout", url.Values{}) // twice
}

// 100 wrong passwords, while everybody else goes on.
func TestHundredWrongPasswords(t *testing.T) {
	t.Parallel()
	s := open(t, access.Options{}, true, nil)
	there := s.as(t, "alice", alicesPassword)
	said := map[int]int{}
	for range 100 {
		response, body := s.person().does(t, "POST", "/login", url.Values{"name": {"alice"}, "password": {"wrong"}})
		said[response.StatusCode]++
		after := response.Header.Get("Retry-After")
		if (response.StatusCode == 429) != regexp.MustCompile(`^[1-9]\d?$`).MatchString(after) {
			t.Errorf("%d, Retry-After %q: %s", response.StatusCode, after, body)
		}
	}
	if said[401] != 5 || said[429] != 95 {
		t.Errorf("%v", said)
	}
	s.as(t, "bob", bobsPassword)
	there.wants(t, 200, "", "GET", "/users", nil)
	s.person().wants(t, 429, "Too many wrong passwords", "GET", "/api/v1/openapi.yaml", nil, "Authorization", basicOf("alice", alicesPassword))
	s.person().wants(t, 200, "<h1>Sign in</h1>", "GET", "/login", nil, "Authorization", basicOf("alice", alicesPassword))
}

func basicOf(name, password string) string {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(name, password)
	return r.Header.Get("Authorization")
}

func TestFirstSignIn(t *testing.T) {
	t.Parallel()
	s := open(t, access.Options{}, false, nil)
	p := s.person()
	if body := p.wants(t, 200, "There is no user yet.", "GET", "/login", nil); strings.Contains(body, "<form") && strings.Contains(body, `name="password"`) {
		t.Error("a form that nobody can use")
	}
	p.wants(t, 401, "wrong", "POST", "/login", url.Values{"name": {"admin"}, "password": {"admin"}})
	token, err := s.guard.OfferLink(t.Context())
	if err != nil || token == "" {
		t.Fatalf("%q, %v", token, err)
	}
	p.wants(t, 410, "This sign-in link was used", "GET", "/signin/nonsense", nil)
	p.wants(t, 410, "This sign-in link was used", "POST", "/signin/nonsense", url.Values{})
	for range 50 {
		for _, method := range []string{"GET", "HEAD"} {
			if response, _ := s.person().does(t, method, "/signin/"+token, nil); response.StatusCode != 200 || len(response.Cookies()) != 0 {
				t.Fatalf("%s: %d, %v", method, response.StatusCode, response.Cookies())
			}
		}
	}
	p.wants(t, 403, "another site", "POST", "/signin/"+token, url.Values{}, "Sec-Fetch-Site", "cross-site")
	p.wants(t, 303, "/account", "POST", "/signin/"+token, url.Values{})
	p.wants(t, 410, "", "POST", "/signin/"+token, url.Values{})
	p.wants(t, 200, "Set the first user", "GET", "/account", nil)
	p.wants(t, 422, "The two passwords differ.", "POST", "/account/first", url.Values{"name": {"alice"}, "password": {alicesPassword}, "again": {"x"}})
	p.wants(t, 422, "too short", "POST", "/account/first", url.Values{"name": {"alice"}, "password": {"short"}, "again": {"short"}})
	p.wants(t, 303, "/", "POST", "/account/first", url.Values{"name": {"alice"}, "password": {alicesPassword}, "again": {alicesPassword}})
	p.wants(t, 200, "You are signed in as alice, an admin.", "GET", "/", nil)
	p.wants(t, 403, "after signing in by the one-time link", "POST", "/account/first", url.Values{"name": {"bob"}, "password": {bobsPassword}, "again": {bobsPassword}})
	s.as(t, "alice", alicesPassword)
}

func TestAccount(t *testing.T) {
	t.Parallel()
	s := open(t, access.Options{}, true, nil)
	bob, elsewhere := s.as(t, "bob", bobsPassword), s.as(t, "bob", bobsPassword)
	fresh := url.Values{"present": {bobsPassword}, "password": {"a password of bob's"}, "again": {"a password of bob's"}}
	bob.wants(t, 422, "Your present password is another one.", "POST", "/account/password", url.Values{"present": {"x"}, "password": fresh["password"], "again": fresh["again"]})
	bob.wants(t, 422, "differ", "POST", "/account/password", url.Values{"present": {bobsPassword}, "password": {"x"}, "again": {"y"}})
	bob.wants(t, 303, "/account", "POST", "/account/password", fresh)
	bob.wants(t, 200, "Your password is changed.", "GET", "/account", nil)
	elsewhere.wants(t, 303, "/login", "GET", "/account", nil)

	bob.wants(t, 403, "A token cannot do more than you.", "POST", "/account/tokens", url.Values{"name": {"x"}, "role": {"admin"}})
	bob.wants(t, 422, "no date", "POST", "/account/tokens", url.Values{"name": {"x"}, "role": {"viewer"}, "expires": {"soon"}})
	body := bob.wants(t, 201, "Copy it now", "POST", "/account/tokens", url.Values{"name": {"dash<b>board"}, "role": {"viewer"}, "expires": {"90d"}})
	token := regexp.MustCompile(`ownmap_[A-Za-z0-9_-]{43}`).FindString(body)
	if token == "" || strings.Contains(body, "<b>board") {
		t.Fatalf("no token in %s", body)
	}
	bob.wants(t, 409, "There is a token of that name already", "POST", "/account/tokens", url.Values{"name": {"dash<b>board"}, "role": {"viewer"}})
	if body := bob.wants(t, 200, "dash&lt;b&gt;board", "GET", "/account", nil); strings.Contains(body, token) {
		t.Error("the token is shown again")
	}
	program := s.person()
	program.wants(t, 200, "openapi:", "GET", "/api/v1/openapi.yaml", nil, "Authorization", "Bearer "+token)
	program.wants(t, 403, "may only read", "POST", "/api/v1/scans", url.Values{}, "Authorization", "Bearer "+token)
	program.wants(t, 403, "another site", "POST", "/api/v1/scans", url.Values{}, "Authorization", "Bearer "+token, "Sec-Fetch-Site", "cross-site")
	program.wants(t, 403, "A token cannot make tokens.", "POST", "/account/tokens", url.Values{"name": {"y"}, "role": {"viewer"}}, "Authorization", "Bearer "+token)
	program.wants(t, 401, "Sign in first.", "GET", "/api/v1/openapi.yaml", nil, "Authorization", "Bearer "+token+"x")
	id := regexp.MustCompile(`name="id" value="(\d+)"`).FindStringSubmatch(bob.wants(t, 200, "", "GET", "/account", nil))[1]
	bob.wants(t, 303, "/account", "POST", "/account/tokens/revoke", url.Values{"id": {id}})
	bob.wants(t, 404, "no such token", "POST", "/account/tokens/revoke", url.Values{"id": {id}})
	bob.wants(t, 422, "no such token", "POST", "/account/tokens/revoke", url.Values{"id": {"' or 1=1"}})
	program.wants(t, 401, "Sign in first.", "GET", "/api/v1/openapi.yaml", nil, "Authorization", "Bearer "+token)
	program.wants(t, 200, "openapi:", "GET", "/api/v1/openapi.yaml", nil, "Authorization", basicOf("alice", alicesPassword))
}

func TestUsers(t *testing.T) {
	t.Parallel()
	carol := state.User{Name: "carol", PasswordHash: state.NewSecret("$2y$04$" + strings.Repeat("a", 53)), Role: state.Admin}
	s := open(t, access.Options{Users: []state.User{carol}}, true, nil)
	alice, bob := s.as(t, "alice", alicesPassword), s.as(t, "bob", bobsPassword)
	for _, path := range []string{"/users", "/users/role", "/users/disable", "/users/enable", "/users/password"} {
		form := url.Values{"name": {"alice"}, "role": {"viewer"}, "password": {"password of alice's"}, "again": {"password of alice's"}}
		bob.wants(t, 403, "may only read", "POST", path, form)
		s.person().wants(t, 401, "Sign in first.", "POST", path, form)
		alice.wants(t, 403, "another site", "POST", path, form, "Origin", "https://evil.example.com")
	}
	bob.wants(t, 403, "may only read", "GET", "/users", nil)
	body := alice.wants(t, 200, "Set in ownmap.yaml, changed there.", "GET", "/users", nil)
	if strings.Contains(body, "$2") || strings.Count(body, `action="/users/disable"`) != 1 {
		t.Errorf("page of the users: %s", body)
	}
	dave := url.Values{"name": {"dave"}, "role": {"viewer"}, "password": {"password of dave's"}, "again": {"password of dave's"}}
	alice.wants(t, 422, "viewer or admin", "POST", "/users", url.Values{"name": {"dave"}, "role": {"root"}})
	alice.wants(t, 422, `value="Dave"`, "POST", "/users", url.Values{"name": {"Dave"}, "role": {"viewer"}, "password": dave["password"], "again": dave["again"]})
	alice.wants(t, 303, "/users", "POST", "/users", dave)
	alice.wants(t, 409, "There is a user of that name already", "POST", "/users", dave)
	alice.wants(t, 409, "set in ownmap.yaml", "POST", "/users/disable", url.Values{"name": {"carol"}})
	alice.wants(t, 409, "That is you", "POST", "/users/disable", url.Values{"name": {"alice"}})
	alice.wants(t, 303, "/users", "POST", "/users/role", url.Values{"name": {"bob"}, "role": {"admin"}})
	bob.wants(t, 303, "/login", "GET", "/account", nil)
	bob = s.as(t, "bob", bobsPassword)
	bob.wants(t, 200, "<h1>Users</h1>", "GET", "/users", nil)
	alice.wants(t, 303, "/users", "POST", "/users/password", url.Values{"name": {"bob"}, "password": {"password of bob's"}})
	bob.wants(t, 303, "/login", "GET", "/account", nil)
	bob = s.as(t, "bob", "password of bob's")
	alice.wants(t, 303, "/users", "POST", "/users/disable", url.Values{"name": {"bob"}})
	bob.wants(t, 303, "/login", "GET", "/account", nil)
	s.person().wants(t, 401, "Name or password is wrong.", "POST", "/login", url.Values{"name": {"bob"}, "password": {"password of bob's"}})
	alice.wants(t, 200, "Let bob in again", "GET", "/users", nil)
	alice.wants(t, 303, "/users", "POST", "/users/enable", url.Values{"name": {"bob"}})
	s.as(t, "bob", "password of bob's")
}

// Over OpenID Connect, below a path, with a real provider.
func TestSignInThroughProvider(t *testing.T) {
	t.Parallel()
	external, _ := url.Parse("http://127.0.0.1:1/ownmap/")
	provider := oidclab.Start(t, external.String()+"oidc/callback", oidclab.User{Email: "alice@example.org"}, oidclab.User{Email: "bob@example.com"})
	oidc := &access.OIDC{
		Issuer: provider.Issuer, ClientID: oidclab.ClientID, ClientSecret: state.NewSecret(oidclab.ClientSecret), RedirectURL: external.String() + "oidc/callback",
		Allow: access.People{Domains: []string{"example.org"}}, Admins: access.People{Emails: []string{"alice@example.org"}},
	}
	s := open(t, access.Options{OIDC: oidc, Base: "/ownmap"}, false, func(o *Options) { o.External = external })
	for name, want := range map[string]int{"alice": 303, "bob": 403} {
		p := s.person()
		body := p.wants(t, 200, "Sign in with your provider", "GET", "/ownmap/login?next=%2Fusers", nil)
		if strings.Contains(body, `name="password"`) {
			t.Error("a password that nobody has")
		}
		response, _ := p.does(t, "GET", "/ownmap/oidc/start?next=%2Fusers", nil)
		back := provider.SignIn(t, response.Header.Get("Location"), name)
		if back.Path != "/ownmap/oidc/callback" {
			t.Fatalf("back to %s", back)
		}
		p.wants(t, 400, "", "HEAD", back.RequestURI(), nil)
		says := map[int]string{303: "/ownmap/users", 403: "bob@example.com may not sign in here."}[want]
		p.wants(t, want, says, "GET", back.RequestURI(), nil)
		if want == 303 {
			p.wants(t, 200, "Others come through "+provider.Issuer, "GET", "/ownmap/users", nil)
			p.wants(t, 200, "You signed in through your provider.", "GET", "/ownmap/account", nil)
		}
	}
}

func TestProxyNamesTheUser(t *testing.T) {
	t.Parallel()
	proxies := access.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Header: "X-Forwarded-User", Admins: []string{"alice"}}
	trusted := open(t, access.Options{Proxy: proxies}, false, nil)
	trusted.person().wants(t, 200, "The proxy in front of OwnMap says who you are.", "GET", "/account", nil, "X-Forwarded-User", "alice")
	trusted.person().wants(t, 403, "may only read", "GET", "/users", nil, "X-Forwarded-User", "bob")
	trusted.person().wants(t, 403, "another site", "POST", "/users", url.Values{}, "X-Forwarded-User", "alice", "Sec-Fetch-Site", "cross-site")
	proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}
	other := open(t, access.Options{Proxy: proxies}, false, nil)
	other.person().wants(t, 303, "/login", "GET", "/account", nil, "X-Forwarded-User", "alice")
	other.person().wants(t, 401, "", "GET", "/api/v1/openapi.yaml", nil, "X-Forwarded-User", "alice", "X-Forwarded-For", "127.0.0.2")
}

func now() time.Time { return time.Now() }
