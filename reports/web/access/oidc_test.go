package access

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/oidclab"
	"ownmap/pipeline/state"
)

const callback = "http://127.0.0.1:8480/oidc/callback"

// provided is a world whose users a real provider knows.
func provided(t *testing.T) (world, *oidclab.Provider) {
	t.Helper()
	p := oidclab.Start(t, callback,
		oidclab.User{Email: "alice@example.org", Groups: []string{"staff", "net-admins"}},
		oidclab.User{Email: "bob@example.org", Groups: []string{"staff"}},
		oidclab.User{Email: "carol@example.org", Unverified: true, Groups: []string{"net-admins"}},
		oidclab.User{Email: "dave@example.com"},
		oidclab.User{Email: "erin@partner.example", Groups: []string{"auditors"}})
	w := newWorld(t, Options{OIDC: ruled(p)})
	w.clock.at = time.Now() // which the provider's tokens tell too
	return w, p
}

func ruled(p *oidclab.Provider) *OIDC {
	return &OIDC{
		Issuer: p.Issuer, ClientID: oidclab.ClientID, ClientSecret: state.NewSecret(oidclab.ClientSecret), RedirectURL: callback,
		Allow: People{Domains: []string{"example.org"}, Groups: []string{"auditors"}}, Admins: People{Groups: []string{"net-admins"}}, GroupsClaim: oidclab.GroupsClaim,
	}
}

// set out begins a sign-in and returns where the browser is sent, and its cookie.
func (w world) setOut(t *testing.T, next string) (address *url.URL, cookie *http.Cookie) {
	t.Helper()
	out := httptest.NewRecorder()
	if err := w.StartOIDC(out, request(t, here), next); err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(out.Header().Get("Location"))
	if err != nil || out.Code != http.StatusSeeOther {
		t.Fatalf("%d, %v", out.Code, err)
	}
	return address, sessionIn(t, out)
}

// come back ends a sign-in.
func (w world) comeBack(t *testing.T, method string, back *url.URL, cookie *http.Cookie) (*httptest.ResponseRecorder, string, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, back.String(), nil)
	r.RemoteAddr = here
	if cookie != nil {
		r.AddCookie(cookie)
	}
	out := httptest.NewRecorder()
	next, err := w.FinishOIDC(out, r)
	return out, next, err
}

func TestOIDC(t *testing.T) {
	t.Parallel()
	w, p := provided(t)
	for _, test := range []struct {
		user   string
		status int
		want   string
	}{
		{"alice", 0, "alice@example.org admin oidc"},
		{"bob", 0, "bob@example.org viewer oidc"},
		{"erin", 0, "erin@partner.example viewer oidc"},
		{"carol", 403, "The provider has not verified your mail address carol@example.org."},
		{"dave", 403, "dave@example.com may not sign in here."},
	} {
		address, cookie := w.setOut(t, "/ports?q=tag%3Aprod")
		out, next, err := w.comeBack(t, http.MethodGet, p.SignIn(t, address.String(), test.user), cookie)
		if status(t, err) != test.status {
			t.Errorf("%s: %v", test.user, err)
			continue
		}
		if err != nil {
			if err.Error() != test.want || strings.Contains(strings.Join(out.Header().Values("Set-Cookie"), " "), "ownmap_session=") {
				t.Errorf("%s: %v, cookies %v", test.user, err, out.Header().Values("Set-Cookie"))
			}
			continue
		}
		if got := who(t, w.Guard, with(t, sessionIn(t, out))); got != test.want || next != "/ports?q=tag%3Aprod" {
			t.Errorf("%s: %q, to %q", test.user, got, next)
		}
	}
	if got := w.audit(t, 1); got != "erin@partner.example web sign-in erin@partner.example from=127.0.0.1 how=oidc role=viewer" {
		t.Errorf("audit: %s", got)
	}
}

func TestOIDCSessions(t *testing.T) {
	t.Parallel()
	w, p := provided(t)
	address, cookie := w.setOut(t, "https://evil.example.com/")
	out, next, err := w.comeBack(t, http.MethodGet, p.SignIn(t, address.String(), "alice"), cookie)
	if err != nil || next != "/" {
		t.Fatalf("to %q, %v", next, err)
	}
	session := sessionIn(t, out)
	if got := who(t, w.again(t, Options{OIDC: ruled(p)}), with(t, session)); got != "alice@example.org admin oidc" {
		t.Errorf("after a restart: %q", got)
	}
	other := ruled(p)
	other.Admins = People{Emails: []string{"bob@example.org"}}
	for name, o := range map[string]*OIDC{"other rules": other, "none": nil} {
		if got := who(t, w.again(t, Options{OIDC: o}), with(t, session)); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	w.clock.pass(11 * time.Hour)
	who(t, w.Guard, with(t, session))
	w.clock.pass(11 * time.Hour)
	if got := who(t, w.Guard, with(t, session)); got != "alice@example.org admin oidc" {
		t.Errorf("on the same day: %q", got)
	}
	w.clock.pass(2 * time.Hour)
	if got := who(t, w.Guard, with(t, session)); got != "" {
		t.Errorf("on the next day: %q", got)
	}
}

func TestOIDCAttacks(t *testing.T) {
	t.Parallel()
	w, p := provided(t)
	address, cookie := w.setOut(t, "/")
	query := address.Query()
	if query.Get("response_type") != "code" || query.Get("code_challenge_method") != "S256" || query.Get("nonce") == "" || query.Get("state") == "" {
		t.Errorf("sent to %s", address)
	}
	back := p.SignIn(t, address.String(), "alice")
	set := func(key, value string) *url.URL {
		changed := *back
		q := changed.Query()
		q.Set(key, value)
		changed.RawQuery = q.Encode()
		return &changed
	}
	// Another browser's sign-in, whose cookie this one has: state, nonce and verifier differ.
	second, others := w.setOut(t, "/")
	theirs := p.SignIn(t, second.String(), "bob")
	crossed := *theirs
	q := crossed.Query()
	q.Set("state", back.Query().Get("state"))
	crossed.RawQuery = q.Encode()
	// A nonce that is not ours in the ID token.
	third, thirds := w.setOut(t, "/")
	q = third.Query()
	q.Set("nonce", "of-somebody-else")
	third.RawQuery = q.Encode()
	forged := *cookie
	forged.Value = cookie.Value[:20] + "AAAA" + cookie.Value[24:]
	for _, test := range []struct {
		name, method string
		back         *url.URL
		cookie       *http.Cookie
		want         int
	}{
		{"without a cookie", "GET", back, nil, 400},
		{"with another browser's cookie", "GET", back, others, 400},
		{"with a forged cookie", "GET", back, &forged, 400},
		{"HEAD", "HEAD", back, cookie, 400},
		{"another state", "GET", set("state", "x"), cookie, 400},
		{"no state", "GET", set("state", ""), cookie, 400},
		{"another issuer", "GET", set("iss", "https://evil.example.com"), cookie, 400},
		{"refused by the provider", "GET", set("error", "access_denied"), cookie, 403},
		{"another code", "GET", set("code", "x"), cookie, 502},
		{"a code of another sign-in", "GET", &crossed, cookie, 502},
		{"another nonce", "GET", p.SignIn(t, third.String(), "alice"), thirds, 502},
	} {
		out, _, err := w.comeBack(t, test.method, test.back, test.cookie)
		if got := status(t, err); got != test.want {
			t.Errorf("%s: %v, want %d", test.name, err, test.want)
		}
		for _, c := range out.Result().Cookies() {
			if c.Name == w.sessionCookie() {
				t.Errorf("%s: a session began", test.name)
			}
		}
	}
	if _, _, err := w.comeBack(t, "GET", back, cookie); err != nil {
		t.Errorf("the real one: %v", err)
	}
	if _, _, err := w.comeBack(t, "GET", back, cookie); status(t, err) != 502 {
		t.Errorf("the same code again: %v", err)
	}
	address, cookie = w.setOut(t, "/")
	back = p.SignIn(t, address.String(), "alice")
	w.clock.pass(tripLife + time.Second)
	if _, _, err := w.comeBack(t, "GET", back, cookie); status(t, err) != 400 {
		t.Errorf("after too long: %v", err)
	}
}

func TestOIDCIsDown(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(http.NotFoundHandler())
	w := newWorld(t, Options{OIDC: &OIDC{Issuer: down.URL, ClientID: "x", RedirectURL: callback}})
	if err := w.StartOIDC(httptest.NewRecorder(), request(t, here), "/"); status(t, err) != 502 {
		t.Errorf("an issuer that is none: %v", err)
	}
	down.Close()
	if err := w.StartOIDC(httptest.NewRecorder(), request(t, here), "/"); status(t, err) != 502 {
		t.Errorf("an issuer that is down: %v", err)
	}
	if err := w.again(t, Options{}).StartOIDC(httptest.NewRecorder(), request(t, here), "/"); status(t, err) != 404 {
		t.Errorf("without one: %v", err)
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	o := &OIDC{
		Allow:  People{Emails: []string{"Alice@Example.org"}, Domains: []string{"example.com"}, Groups: []string{"staff"}},
		Admins: People{Emails: []string{"alice@example.org"}, Groups: []string{"admins"}}, GroupsClaim: "groups",
	}
	for name, test := range map[string]struct {
		claims claims
		want   string
	}{
		"by address":              {claims{"email": "alice@example.org", "email_verified": true}, "alice@example.org admin"},
		"in capitals":             {claims{"email": " ALICE@example.ORG", "email_verified": "true"}, "alice@example.org admin"},
		"by domain":               {claims{"email": "bob@example.com", "email_verified": true}, "bob@example.com viewer"},
		"by group":                {claims{"email": "bob@x.example", "email_verified": true, "groups": []any{"x", "staff"}}, "bob@x.example viewer"},
		"by a group alone":        {claims{"email": "bob@x.example", "email_verified": true, "groups": "staff"}, "bob@x.example viewer"},
		"by groups":               {claims{"email": "bob@x.example", "email_verified": true, "groups": []any{"admins", "staff"}}, "bob@x.example admin"},
		"an admin not allowed":    {claims{"email": "bob@x.example", "email_verified": true, "groups": []any{"admins"}}, "403"},
		"not verified":            {claims{"email": "alice@example.org", "email_verified": false}, "403"},
		"not said to be verified": {claims{"email": "alice@example.org"}, "403"},
		"verified by a word":      {claims{"email": "alice@example.org", "email_verified": "yes"}, "403"},
		"verified by a number":    {claims{"email": "alice@example.org", "email_verified": 1.0}, "403"},
		"no address":              {claims{"sub": "1", "email_verified": true, "groups": []any{"staff"}}, "403"},
		"an address of no text":   {claims{"email": []any{"alice@example.org"}, "email_verified": true}, "403"},
		"a domain within":         {claims{"email": "bob@sub.example.com", "email_verified": true}, "403"},
		"a domain behind":         {claims{"email": "bob@example.com@x.example", "email_verified": true}, "403"},
		"a domain alone":          {claims{"email": "example.com", "email_verified": true}, "403"},
		"hidden characters":       {claims{"email": "alice\u202e@example.com", "email_verified": true}, "403"},
		"a group of another kind": {claims{"email": "bob@x.example", "email_verified": true, "groups": []any{1.0, nil, map[string]any{"staff": true}}}, "403"},
		"a group in another case": {claims{"email": "bob@x.example", "email_verified": true, "groups": []any{"Staff"}}, "403"},
	} {
		who, role, err := o.decide(test.claims)
		got := who + " " + string(role)
		if err != nil {
			got = "403"
			if status(t, err) != 403 || role != state.Nobody {
				t.Errorf("%s: %s, %v", name, role, err)
			}
		}
		if got != test.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, test.want)
		}
	}
	o.GroupsClaim = ""
	if _, _, err := o.decide(claims{"email": "bob@x.example", "email_verified": true, "groups": []any{"staff"}, "": "staff"}); err == nil {
		t.Error("groups count without a claim for them")
	}
}
