package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
)

// forEverybody are the routes that nobody has to sign in for: to sign in, what the sign-in page
// loads, whether the page works, and links that carry their right with them.
func forEverybody() []string {
	return []string{
		"GET /assets/{version}/{file}", "GET /favicon.ico", "GET /healthz", "GET /login", "POST /login", "POST /logout", "GET /signin/{token}", "POST /signin/{token}",
		"GET /oidc/start", "GET /oidc/callback", "GET /a/{token}", "POST /a/{token}",
	}
}

// address is a path of a route: what it leaves open stands for nothing that there is.
func (r route) address() string {
	parts := strings.Split(strings.TrimSuffix(r.path, "{$}"), "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "1"
		}
	}
	return strings.Join(parts, "/")
}

// TestEveryRoute holds of each route of the table that nobody gets in, that a viewer
// changes nothing, that no other site can have it called, and that what is to be sent is
// not done by following a link.
func TestEveryRoute(t *testing.T) {
	t.Parallel()
	var table []route
	p := start(t, func(o *Options) {
		o.Guard = access.New(access.Options{Store: o.Book.(*persist.Book), Cost: bcrypt.MinCost}) //nolint:forcetypeassert // start opened it
		table = (&server{Options: *o}).routes()
	})
	methods := make(map[string]string)
	for _, route := range table {
		methods[route.path] += " " + route.method
	}
	seen := 0
	for _, route := range table {
		at := route.method + " " + route.path
		form := url.Values{}
		if route.method == "GET" {
			form = nil
		}
		response, _ := p.ask(t, state.Nobody, route.method, route.address(), form)
		if isOpen := slices.Contains(forEverybody(), at); isOpen != (route.role == state.Nobody) {
			t.Errorf("%s is for %q, and the list of what is open to everybody says otherwise", at, route.role)
		} else if !isOpen && response.StatusCode != 401 && response.StatusCode != 303 {
			t.Errorf("%s without signing in: %d", at, response.StatusCode)
		}
		if route.role == state.Admin {
			if response, _ := p.ask(t, state.Viewer, route.method, route.address(), form); response.StatusCode != 403 {
				t.Errorf("%s as a viewer: %d", at, response.StatusCode)
			}
		}
		if route.method == "GET" {
			continue
		}
		seen++
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "null"}, {"Origin", "https://ownmap.example.com"}} {
			if response, _ := p.ask(t, state.Admin, route.method, route.address(), form, header...); response.StatusCode != 403 {
				t.Errorf("%s with %s: %d", at, header, response.StatusCode)
			}
		}
		if !strings.Contains(methods[route.path], "GET") {
			if response, _ := p.ask(t, state.Admin, "GET", route.address(), nil); response.StatusCode != 405 {
				t.Errorf("GET %s: %d", route.path, response.StatusCode)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d routes take forms", seen)
	}
}
