package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

const path = "/canary-path"

// service writes down what it is told, and answers as it is told to.
type service struct {
	calls   []string
	types   []string
	answers []func(http.ResponseWriter)
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.calls, s.types = append(s.calls, r.Method+" "+r.URL.String()+" "+string(body)), append(s.types, r.Header.Get("Content-Type"))
	if n := len(s.calls); n <= len(s.answers) {
		s.answers[n-1](w)
		return
	}
	io.WriteString(w, "OK")
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
		io.WriteString(w, path)
	}
}

func says(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { io.WriteString(w, text) }
}

func heart(t *testing.T, address string, options Options) *Heart {
	t.Helper()
	options.URL, options.Client, options.Backoff = state.NewSecret(address), new(http.Client), time.Millisecond
	h, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func run() state.Run { return state.Run{ID: 49, StartedAt: demo.Night(49)} }

func TestPings(t *testing.T) {
	t.Parallel()
	id := RunID(run())
	for address, want := range map[string][]string{
		path: {
			"POST /canary-path/start?rid=" + id + " ", "POST /canary-path?rid=" + id + " no changes, 6 ports unapproved", "POST /canary-path/fail?rid=" + id + " nmap failed", "POST /canary-path/fail the database is gone",
		},
		path + "/?create=1": {
			"POST /canary-path/start?create=1&rid=" + id + " ", "POST /canary-path/?create=1&rid=" + id + " no changes, 6 ports unapproved", "POST /canary-path/fail?create=1&rid=" + id + " nmap failed", "POST /canary-path/fail?create=1 the database is gone",
		},
	} {
		s := new(service)
		server := httptest.NewServer(s)
		h := heart(t, server.URL+address, Options{})
		for _, err := range []error{
			h.Start(t.Context(), run()), h.Success(t.Context(), run(), "no changes, 6 ports unapproved"), h.Fail(t.Context(), run(), "nmap failed"), h.Fail(t.Context(), state.Run{}, "the database is gone"),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(s.calls, want) || s.types[1] != "text/plain; charset=utf-8" {
			t.Errorf("got %q, want %q", s.calls, want)
		}
		server.Close()
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	s := &service{answers: []func(http.ResponseWriter){says("OK (not found)")}} // of which Plain knows nothing
	server := httptest.NewServer(s)
	defer server.Close()
	h := heart(t, server.URL+"/api/push/key?status=up&msg=OK&ping=", Options{Style: Plain})
	if err := errors.Join(h.Start(t.Context(), run()), h.Fail(t.Context(), run(), "x"), h.Success(t.Context(), run(), "x")); err != nil {
		t.Error(err)
	}
	if want := []string{"GET /api/push/key?status=up&msg=OK&ping= "}; !slices.Equal(s.calls, want) {
		t.Errorf("got %q, want %q", s.calls, want)
	}
}

func TestRunID(t *testing.T) {
	t.Parallel()
	id := RunID(run())
	elsewhere := run()
	elsewhere.StartedAt = elsewhere.StartedAt.In(time.FixedZone("CET", 3600))
	later, next := run(), run()
	later.StartedAt = later.StartedAt.Add(time.Second)
	next.ID++
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) || RunID(elsewhere) != id || RunID(later) == id || RunID(next) == id {
		t.Errorf("%s, %s, %s, %s", id, RunID(elsewhere), RunID(later), RunID(next))
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answers []func(http.ResponseWriter)
		calls   int
		want    string // of the error; empty: none
	}{
		{[]func(http.ResponseWriter){status(503), status(429)}, 3, ""},
		{[]func(http.ResponseWriter){status(500), status(502), status(504)}, 3, "answered 504 Gateway Timeout"},
		{[]func(http.ResponseWriter){status(404)}, 1, "answered 404 Not Found"},
		{[]func(http.ResponseWriter){status(302)}, 1, "answered 302 Found"},
		{[]func(http.ResponseWriter){says("OK (not found)")}, 1, "knows no such check"},
		{[]func(http.ResponseWriter){says("OK (rate limited)")}, 1, "took too many pings, and not this one"},
		{[]func(http.ResponseWriter){says(strings.Repeat("x", 1<<20))}, 1, ""},
	} {
		s := &service{answers: c.answers}
		server := httptest.NewServer(s)
		err := heart(t, server.URL+path, Options{}).Success(t.Context(), run(), "x")
		server.Close()
		if len(s.calls) != c.calls || (err == nil) != (c.want == "") || err != nil && err.Error() != "heartbeat: "+strings.TrimPrefix(server.URL, "http://")+" "+c.want {
			t.Errorf("%d calls, %v; want %d, %q", len(s.calls), err, c.calls, c.want)
		}
		if len(slices.Compact(s.calls)) != 1 {
			t.Errorf("tries differ: %q", s.calls)
		}
	}
}

// TestNobody holds that a run waits no longer than it is told to, and that no error
// tells the address.
func TestNobody(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		fmt.Fprintf(conn, "%s\r\n", r.RequestURI)
		conn.Close()
	}))
	defer echo.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9") }))
	defer cut.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		address string
		options Options
	}{
		"silent": {t.Context(), "http://" + silent.Addr().String(), Options{Timeout: 20 * time.Millisecond}}, "total": {t.Context(), "http://" + silent.Addr().String(), Options{Total: 20 * time.Millisecond}},
		"refused": {t.Context(), "http://canary-user:canary-word@" + closed.Addr().String(), Options{}}, "no HTTP": {t.Context(), echo.URL, Options{}}, "cut": {t.Context(), cut.URL, Options{}}, "cancelled": {cancelled, cut.URL, Options{}},
	} {
		err := heart(t, c.address+path+"?key=canary-key", c.options).Fail(c.ctx, run(), "x")
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "canary") {
			t.Errorf("%s: %v", name, err)
		}
		if late := name == "silent" || name == "total"; late != errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	for _, text := range append(demo.Corpus(), strings.Repeat("界", 9000), strings.Repeat("\x01", 9000), strings.Repeat("x", MaxBody), "x"+strings.Repeat("é", MaxBody)) {
		got := bounded(text)
		if len(got) > MaxBody || state.Visible(got) != got || len(text) <= 512 && got != state.Visible(text) || len(text) >= MaxBody && len(got) < MaxBody-3 {
			t.Errorf("%.40q becomes %.40q, %d bytes", text, got, len(got))
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "canary", "ftp://canary", "https:///canary", "https://h/%zzcanary", "https://canary host"} {
		if _, err := New(Options{URL: state.NewSecret(address), Client: new(http.Client)}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, o := range []Options{{URL: state.NewSecret("https://h")}, {URL: state.NewSecret("https://h"), Client: new(http.Client), Style: "loud"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
