package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// program is an instance whose commands run in this process: with the clock and the names
// of the test.
type program struct {
	instance
	now      func() time.Time
	resolver *net.Resolver
}

func (p program) call(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, env: p.getenv, now: p.clock(), resolver: p.resolver}
	code = a.main(t.Context(), args)
	return out.String(), errs.String(), code
}

func (p program) getenv(key string) string {
	for _, pair := range p.env {
		if value, ok := strings.CutPrefix(pair, key+"="); ok {
			return value
		}
	}
	return ""
}

func (p program) clock() func() time.Time {
	if p.now == nil {
		return time.Now
	}
	return p.now
}

// wants calls a command, wants its exit code and returns all that it printed.
func (p program) wants(t *testing.T, code int, args ...string) string {
	t.Helper()
	out, stderr, got := p.call(t, args...)
	if got != code {
		t.Fatalf("ownmap %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, stderr)
	}
	return out + stderr
}

// configure puts another config in the place of the instance's.
func (i instance) configure(t *testing.T, config string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(i.dir, "ownmap.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// holds wants a text to hold others.
func holds(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s: %q is not in\n%s", what, part, text)
		}
	}
}

// lacks wants a text to hold none of others.
func lacks(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%s: %q is in\n%s", what, part, text)
		}
	}
}

// posting is what a receiver was sent.
type posting struct {
	at     time.Time
	header http.Header
	body   string
	form   url.Values
	file   string // that was uploaded
}

// receivers are a web server with all that messages go to over HTTP, by path: what has
// the shape of Slack's API, a webhook of the user's, services that shoutrrr knows, and
// one that watches for silence.
type receivers struct {
	*httptest.Server

	mu     sync.Mutex
	got    map[string][]posting // by path
	answer map[string]http.HandlerFunc
}

func receive(t *testing.T) *receivers {
	t.Helper()
	r := &receivers{got: map[string][]posting{}, answer: map[string]http.HandlerFunc{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (s *receivers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := posting{at: time.Now(), header: r.Header.Clone()}
	body, _ := io.ReadAll(r.Body)
	a.body, r.Body = string(body), io.NopCloser(bytes.NewReader(body))
	if file, _, err := r.FormFile("file"); err == nil {
		content, _ := io.ReadAll(file)
		a.file = string(content)
	}
	_ = r.ParseForm()
	a.form = r.Form
	s.mu.Lock()
	s.got[r.URL.Path] = append(s.got[r.URL.Path], a)
	n, answer := len(s.got[r.URL.Path]), s.answer[r.URL.Path]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case answer != nil:
		answer(w, r)
	case strings.HasPrefix(r.URL.Path, "/services/"):
		_, _ = io.WriteString(w, "ok")
	case r.URL.Path == "/api/chat.postMessage":
		fmt.Fprintf(w, `{"ok":true,"channel":"C0123456789","ts":"%d.%06d","message":{"thread_ts":%q}}`, a.at.Unix(), n, a.form.Get("thread_ts"))
	case r.URL.Path == "/api/files.getUploadURLExternal":
		fmt.Fprintf(w, `{"ok":true,"upload_url":"%s/upload","file_id":"F1"}`, s.URL)
	case r.URL.Path == "/api/files.completeUploadExternal":
		_, _ = io.WriteString(w, `{"ok":true,"files":[{"id":"F1","title":"x"}]}`)
	case r.URL.Path == "/message": // Gotify
		_, _ = io.WriteString(w, `{"id":1}`)
	case r.URL.Path == "/alerts": // ntfy
		_, _ = io.WriteString(w, `{"id":"x","event":"message"}`)
	}
}

// at returns what was sent to a path.
func (s *receivers) at(path string) []posting {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]posting(nil), s.got[path]...)
}

// answers has a path answered otherwise; nil: as always.
func (s *receivers) answers(path string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer[path] = answer
}

func (s *receivers) host() string { return strings.TrimPrefix(s.URL, "http://") }

// certified returns a certificate for 127.0.0.1 and example.com, and the file (PEM) by
// which a client trusts it.
func certified(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.TLS.Certificates[0], file
}

// collector takes syslog over TCP or TLS, in frames with their length before them (RFC
// 6587, 3.4.1; RFC 5425, 4.3).
type collector struct {
	address string

	mu     sync.Mutex
	frames []string
	fault  error
}

func collect(t *testing.T, certificate *tls.Certificate) *collector {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{address: listener.Addr().String()}
	if certificate != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*certificate}})
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if err := c.read(conn); err != nil {
					c.mu.Lock()
					defer c.mu.Unlock()
					c.fault = errors.Join(c.fault, err)
				}
			}()
		}
	}()
	return c
}

func (c *collector) read(conn net.Conn) error {
	b := bufio.NewReader(conn)
	for {
		var size int
		if _, err := fmt.Fscanf(b, "%d ", &size); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(b, frame); err != nil {
			return err
		}
		c.mu.Lock()
		c.frames = append(c.frames, string(frame))
		c.mu.Unlock()
	}
}

// taken returns the frames that came, and fails the test if one was broken.
func (c *collector) taken(t *testing.T) []string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault != nil {
		t.Errorf("syslog: %v", c.fault)
	}
	return append([]string(nil), c.frames...)
}
