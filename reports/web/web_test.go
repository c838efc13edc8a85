package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

func TestMain(m *testing.M) { lab.Main(m) }

// gate lets in whom the header X-Test-Role names, as alice.
type gate struct{}

func (gate) Identify(r *http.Request) (state.Identity, bool, error) {
	role := state.Role(r.Header.Get("X-Test-Role"))
	return state.Identity{Name: "alice", Role: role, Via: "session"}, role != state.Nobody, nil
}

// pages is a running page over a real database.
type pages struct {
	*httptest.Server
	book *persist.Book
}

// start starts the page over a database in which two nights were kept.
func start(t *testing.T, change func(*Options)) pages {
	t.Helper()
	book := booklab.Open(t)
	web, db := booklab.Port(80, "http", "nginx", "1.22.1"), booklab.Port(5432, "postgresql", "PostgreSQL DB", "15")
	booklab.Night(t, book, booklab.Up("10.20.0.11", "web-1.example.org", web), booklab.Up("10.20.0.12", "db-1.example.org"))
	booklab.Night(t, book, booklab.Up("10.20.0.11", "web-1.example.org", web), booklab.Up("10.20.0.12", "db-1.example.org", db))
	return over(t, book, change)
}

// over starts the page over a book.
func over(t *testing.T, book *persist.Book, change func(*Options)) pages {
	t.Helper()
	o := Options{Book: book, Desk: deskOf(book), Gate: gate{}, Version: "test"}
	if change != nil {
		change(&o)
	}
	handler, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return pages{server, book}
}

// ask sends a request as somebody of a role and returns the answer with its body.
func (p pages) ask(t *testing.T, role state.Role, method, path string, form url.Values, header ...string) (*http.Response, string) {
	t.Helper()
	if form != nil {
		header = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)
	}
	return p.send(t, role, method, path, form.Encode(), header...)
}

// send sends a request with a body.
func (p pages) send(t *testing.T, role state.Role, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Test-Role", string(role))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func TestFrame(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	for _, test := range []struct {
		method, path string
		role         state.Role
		header       []string
		status       int
		says         string
	}{
		{"GET", "/", state.Viewer, nil, 200, "1 change, 2 ports unapproved"},
		{"HEAD", "/", state.Viewer, nil, 200, ""},
		{"GET", "/", state.Nobody, nil, 303, ""},
		{"POST", "/", state.Viewer, nil, 405, "takes GET, HEAD only"},
		{"GET", "/nothing", state.Viewer, nil, 404, "no such page"},
		{"GET", "/", state.Viewer, []string{"Host", "evil.example.com"}, 421, "does not go by the name evil.example.com"},
		{"GET", "/", state.Viewer, []string{"Host", "localhost:8480"}, 200, ""},
		{"POST", "/", state.Admin, []string{"Sec-Fetch-Site", "cross-site"}, 403, "another site"},
		{"POST", "/", state.Admin, []string{"Sec-Fetch-Site", "same-site"}, 403, "another site"},
		{"POST", "/", state.Admin, []string{"Origin", "null"}, 403, "another site"},
		{"POST", "/", state.Admin, []string{"Origin", "https://evil.example.com"}, 403, "another site"},
		{"GET", "/healthz", state.Nobody, nil, 200, "ok"},
		{"GET", "/favicon.ico", state.Nobody, nil, 204, ""},
		{"GET", "/metrics", state.Nobody, nil, 401, ""},
		{"GET", "/assets/x/web.css", state.Nobody, nil, 200, ".form"},
		{"GET", "/assets/x/../../etc/passwd", state.Nobody, nil, 307, ""},
	} {
		response, body := p.ask(t, test.role, test.method, test.path, nil, test.header...)
		if response.StatusCode != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s %s %v %v: %d %s", test.method, test.path, test.role, test.header, response.StatusCode, body)
		}
		if response.Header.Get("Content-Security-Policy") != policy || response.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s %s: headers %v", test.method, test.path, response.Header)
		}
	}
}

func TestSubPath(t *testing.T) {
	t.Parallel()
	external, _ := url.Parse("https://tools.example.org/ownmap/")
	p := start(t, func(o *Options) { o.External = external })
	for path, status := range map[string]int{"/ownmap/": 200, "/ownmap": 301, "/": 404, "/healthz": 200, "/ownmapper/": 404} {
		if response, body := p.ask(t, state.Viewer, "GET", path, nil, "Host", "tools.example.org"); response.StatusCode != status {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
	response, _ := p.ask(t, state.Nobody, "GET", "/ownmap/", nil)
	if to := response.Header.Get("Location"); to != "/ownmap/login" {
		t.Errorf("sent to %q", to)
	}
	_, body := p.ask(t, state.Viewer, "GET", "/ownmap/", nil)
	if !strings.Contains(body, `href="/ownmap/assets/`) {
		t.Errorf("addresses without the path: %s", body)
	}
}
