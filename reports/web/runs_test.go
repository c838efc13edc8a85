package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/state"
)

// operations is what the pages of runs and scans are given, over formats that tell what
// they were given.
func operations(t *testing.T, o *Options) {
	t.Helper()
	o.Formats = []Format{
		{Name: "HTML", Ext: "html", Type: "text/html; charset=utf-8", Inline: true, Policy: "default-src 'none'; style-src 'sha256-x'; sandbox", Write: func(w io.Writer, r state.Report) error {
			_, err := io.WriteString(w, "<!DOCTYPE html><title>"+r.Verdict()+"</title>")
			return err
		}},
		{Name: "nmap XML", Ext: "nmap.xml", Type: "application/xml", Write: func(w io.Writer, r state.Report) error {
			_, err := io.WriteString(w, strings.Repeat("<host/>", len(r.Hosts)))
			return err
		}},
		{Name: "broken", Ext: "bad", Write: func(io.Writer, state.Report) error { panic("a library") }},
	}
	o.Compare = func(_ context.Context, a, b int64) (state.Comparison, error) {
		c := state.Comparison{A: "run " + strconv.FormatInt(a, 10), B: "run " + strconv.FormatInt(b, 10)}
		if a != b {
			c.Changes = []state.Change{{Kind: state.PortOpened, Port: state.Port{Protocol: state.TCP, Number: 5432}, Name: "<script>alert(1)</script>"}}
		}
		return c, nil
	}
	o.Comparisons = []ComparisonFormat{{"JSON", "json", "application/json", func(w io.Writer, c state.Comparison) error {
		_, err := io.WriteString(w, `{"changes":`+strconv.Itoa(len(c.Changes))+"}")
		return err
	}}}
	o.CheckScan = func(_ context.Context, only []string) error {
		for _, target := range only {
			if !strings.HasPrefix(target, "10.20.") {
				return bad(target+" is no target.", "The targets are listed under Targets.")
			}
		}
		return nil
	}
	o.Workers = func(context.Context) ([]Worker, error) { return nil, nil }
	o.Channels = []Channel{{Name: "ops-mail", Type: "email", Recipients: []string{"ops@example.org", "dave@example.org"}}}
}

func startRuns(t *testing.T, change func(*Options)) pages {
	t.Helper()
	return start(t, func(o *Options) {
		operations(t, o)
		if change != nil {
			change(o)
		}
	})
}

func TestRuns(t *testing.T) {
	t.Parallel()
	p := startRuns(t, nil)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/runs":                         {200, `href="/runs/2"`},
		"/runs?before=2":                {200, "Earlier runs"},
		"/runs?before=1":                {200, "No runs before that one"},
		"/runs?before=x":                {200, `href="/runs/2"`},
		"/runs/2":                       {200, "1 change, 2 ports unapproved, 2 of 2 hosts answered"},
		"/runs/1":                       {200, "This is the baseline"},
		"/runs/3":                       {500, ""}, // what the book says of it is the program's to explain
		"/runs/0":                       {404, "There is no such run."},
		"/runs/x":                       {404, "There is no such run."},
		"/runs/9223372036854775807":     {500, ""},
		"/runs/2/report.html":           {200, "<title>1 change"},
		"/runs/2/report.nmap.xml":       {200, "<host/><host/>"},
		"/runs/2/report.exe":            {404, "no such form"},
		"/runs/2/other.html":            {404, "no such form"},
		"/runs/2/report.bad":            {500, "could not answer"},
		"/compare":                      {200, `value="1"`},
		"/compare?a=1&b=2":              {200, "&lt;script&gt;"},
		"/compare?a=2&b=2":              {200, "Nothing changed"},
		"/compare?a=1&b=last":           {422, "is no number of a run"},
		"/compare?a=1":                  {422, "is no number of a run"},
		"/compare/changes.json?a=1&b=2": {200, `{"changes":1}`},
		"/compare/changes.csv?a=1&b=2":  {404, "no such form"},
		"/archive/":                     {404, "no archive"},
	} {
		response, body := p.ask(t, state.Viewer, "GET", path, nil)
		if response.StatusCode != want.status || !strings.Contains(body, want.says) {
			t.Errorf("%s: %d, %s", path, response.StatusCode, body)
		}
		if response, _ := p.ask(t, state.Nobody, "GET", path, nil); response.StatusCode != http.StatusSeeOther {
			t.Errorf("%s to nobody: %d", path, response.StatusCode)
		}
	}
}

// TestRunThatKeptNothing holds that a run which failed has a page that says why.
func TestRunThatKeptNothing(t *testing.T) {
	t.Parallel()
	p := startRuns(t, nil)
	begun(t, p)
	if _, body := p.ask(t, state.Viewer, "GET", "/runs/3", nil); !strings.Contains(body, "under way") || strings.Contains(body, "What changed") {
		t.Errorf("a run under way: %s", body)
	}
	if _, err := p.book.Cancel(t.Context(), "carol"); err != nil {
		t.Fatal(err)
	}
	if _, body := p.ask(t, state.Viewer, "GET", "/runs/3", nil); !strings.Contains(body, "cancelled by carol") || !strings.Contains(body, "No state was kept") {
		t.Errorf("a cancelled run: %s", body)
	}
}

// begun begins a run that nobody works on.
func begun(t *testing.T, p pages) state.Run {
	t.Helper()
	ports, _ := state.ParsePortSet("1-1000")
	shard := state.Shard{Of: 1, Vantage: state.DefaultVantage, Work: state.WorkPorts, Profile: state.Profile{Name: state.DefaultProfile, Ports: ports}}
	for _, h := range []state.Host{booklab.Up("10.20.0.11", ""), booklab.Up("10.20.0.12", "")} {
		shard.Hosts = append(shard.Hosts, state.ShardHost{Address: h.Address})
	}
	release, err := p.book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	run, err := p.book.Begin(t.Context(), nil, []state.Shard{shard}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	p := startRuns(t, func(o *Options) { o.Scratch = t.TempDir() })
	response, body := p.ask(t, state.Viewer, "GET", "/runs/2/report.html", nil)
	tag := response.Header.Get("ETag")
	for key, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Disposition": `inline; filename="ownmap-run-2.html"`,
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-x'; sandbox", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache",
		"Content-Length": strconv.Itoa(len(body)),
	} {
		if got := response.Header.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if again, _ := p.ask(t, state.Viewer, "GET", "/runs/2/report.html", nil, "If-None-Match", tag); again.StatusCode != http.StatusNotModified || len(tag) != 34 {
		t.Errorf("the same bytes again: %d, tag %s", again.StatusCode, tag)
	}
	if part, text := p.ask(t, state.Viewer, "GET", "/runs/2/report.html", nil, "Range", "bytes=0-4"); part.StatusCode != http.StatusPartialContent || text != body[:5] {
		t.Errorf("a part: %d %q", part.StatusCode, text)
	}
	response, _ = p.ask(t, state.Viewer, "GET", "/runs/2/report.nmap.xml", nil)
	if got := response.Header.Get("Content-Disposition"); got != `attachment; filename="ownmap-run-2.nmap.xml"` {
		t.Errorf("disposition %q", got)
	}
	if got := response.Header.Get("Content-Security-Policy"); got != inert {
		t.Errorf("policy %q", got)
	}
}

// TestShelf holds that documents are made one after the other, each once, and that the
// oldest go.
func TestShelf(t *testing.T) {
	t.Parallel()
	scratch := t.TempDir()
	s := newShelf(scratch, nil)
	made, hold := make(chan string, 100), make(chan struct{})
	get := func(key string) (*document, error) {
		return s.get(t.Context(), key, func(_ context.Context, w io.Writer) error {
			made <- key
			<-hold
			_, err := io.WriteString(w, key)
			return err
		})
	}
	type outcome struct {
		d   *document
		err error
	}
	outcomes := make(chan outcome, 100)
	for i := range 3 * shelfQueue {
		go func() {
			d, err := get(strconv.Itoa(i / 3))
			outcomes <- outcome{d, err}
		}()
	}
	<-made
	if len(made) != 0 {
		t.Error("two documents are made at once")
	}
	select {
	case o := <-outcomes:
		t.Errorf("an outcome before anything is made: %v", o.err)
	default:
	}
	for len := 0; len < shelfQueue; { // until all are asked for
		s.mu.Lock()
		len = s.making
		s.mu.Unlock()
	}
	var refused *fault
	if _, err := get("one more"); !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || refused.After == 0 {
		t.Errorf("one too many: %v", err)
	}
	close(hold)
	for range 3 * shelfQueue {
		o := <-outcomes
		if o.err != nil {
			t.Fatal(o.err)
		}
		text, err := io.ReadAll(o.d.reader())
		if err != nil || len(text) == 0 {
			t.Errorf("read %q, %v", text, err)
		}
		s.give(o.d)
	}
	if n := len(made); n != shelfQueue-1 {
		t.Errorf("%d were made, want %d", n+1, shelfQueue)
	}
	for i := range shelfDocuments + 5 {
		d, err := get("later " + strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		s.give(d)
	}
	s.mu.Lock()
	kept := len(s.documents)
	s.mu.Unlock()
	if kept != shelfDocuments {
		t.Errorf("%d documents are kept", kept)
	}
	if entries, err := os.ReadDir(scratch); err != nil || len(entries) != 0 {
		t.Errorf("%d files have a name: %v", len(entries), err)
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "archive")
	p := startRuns(t, func(o *Options) { o.Archive = dir })
	if response, body := p.ask(t, state.Viewer, "GET", "/archive/", nil); response.StatusCode != 404 || !strings.Contains(body, "not written yet") {
		t.Errorf("without an archive: %d %s", response.StatusCode, body)
	}
	secret := filepath.Join(filepath.Dir(dir), "secret")
	for name, text := range map[string]string{
		secret: "secret", filepath.Join(dir, "index.html"): "<p>index", filepath.Join(dir, "run", "1.html"): "<p>run 1", filepath.Join(dir, ".hidden"): "hidden",
		filepath.Join(dir, ".next", "index.html"): "hidden", filepath.Join(dir, "assets", "ownmap.css"): "p{}", filepath.Join(dir, "what.exe"): "MZ",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"link": secret, "up": "../secret", "folder": filepath.Dir(secret)} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"/archive/": "<p>index", "/archive/index.html": "<p>index", "/archive/run/1.html": "<p>run 1", "/archive/assets/ownmap.css": "p{}", "/archive/what.exe": "MZ",
		"/archive/run": "", "/archive/run/": "", "/archive/.hidden": "", "/archive/.next/index.html": "", "/archive/link": "", "/archive/up": "", "/archive/folder/secret": "",
		"/archive/%2e%2e/secret": "", "/archive/..%2fsecret": "", "/archive/run%2f..%2f..%2fsecret": "", "/archive/nothing": "", "/archive/%00": "", "/archive/a%5c..%5cb": "",
	} {
		response, body := p.ask(t, state.Viewer, "GET", path, nil)
		switch {
		case want == "" && (response.StatusCode == 200 || strings.Contains(body, "secret\n") || body == "secret" || body == "hidden"):
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		case want != "" && (response.StatusCode != 200 || body != want || response.Header.Get("Content-Security-Policy") != archivePolicy):
			t.Errorf("%s: %d %s %v", path, response.StatusCode, body, response.Header)
		}
	}
	response, _ := p.ask(t, state.Viewer, "GET", "/archive/what.exe", nil)
	if kind := response.Header.Get("Content-Type"); kind != "application/octet-stream" {
		t.Errorf("a file of a kind that we do not make is called %s", kind)
	}
	response, _ = p.ask(t, state.Viewer, "GET", "/archive/index.html", nil)
	tag := response.Header.Get("ETag")
	if again, _ := p.ask(t, state.Viewer, "GET", "/archive/index.html", nil, "If-None-Match", tag); again.StatusCode != http.StatusNotModified {
		t.Errorf("the same page again: %d", again.StatusCode)
	}
	// A new edition takes the place of the folder.
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o750), os.WriteFile(filepath.Join(dir, "index.html"), []byte("<p>new index"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, body := p.ask(t, state.Viewer, "GET", "/archive/", nil, "If-None-Match", tag); body != "<p>new index" {
		t.Errorf("after a new edition: %s", body)
	}
	external, _ := url.Parse("https://tools.example.org/ownmap/")
	below := startRuns(t, func(o *Options) { o.Archive, o.External = dir, external })
	if response, _ := below.ask(t, state.Viewer, "GET", "/ownmap/archive", nil); response.Header.Get("Location") != "/ownmap/archive/" {
		t.Errorf("sent to %s", response.Header.Get("Location"))
	}
}

func TestMemo(t *testing.T) {
	t.Parallel()
	m := newMemo[int](2, nil)
	made := 0
	get := func(key string, fault error) (int, error) {
		return m.get(t.Context(), key, func(context.Context) (int, error) { made++; return made, fault })
	}
	for _, step := range []struct {
		key   string
		fault error
		want  int
	}{{"a", nil, 1}, {"a", nil, 1}, {"b", nil, 2}, {"a", nil, 1}, {"c", nil, 3}, {"a", nil, 1}, {"b", nil, 4}, {"bad", io.EOF, 0}, {"bad", nil, 6}} {
		got, err := get(step.key, step.fault)
		if !errors.Is(err, step.fault) || err == nil && got != step.want {
			t.Errorf("%s: %d, %v; want %d", step.key, got, err, step.want)
		}
		if step.fault != nil { // it is forgotten before the next one asks
			for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
				m.mu.Lock()
				_, there := m.of[step.key]
				m.mu.Unlock()
				if !there {
					break
				}
			}
		}
	}
}
