package main

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/jackc/pgx/v5"
)

// canaries are secrets by name, and all the forms in which each could be seen.
type canaries struct {
	forms map[string][]string

	mu   sync.Mutex
	hits map[string]bool
}

// newCanaries looks for these secrets. What follows a secret, or stands before it, does
// not matter: it is found within any text.
func newCanaries(secrets map[string]string) *canaries {
	c := &canaries{forms: map[string][]string{}, hits: map[string]bool{}}
	for name, secret := range secrets {
		inJSON, _ := json.Marshal(secret)
		list := []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(inJSON), `"`),
			hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))), strings.ToLower(secret), strings.ToUpper(secret),
		}
		var wide strings.Builder // as PDFs have it
		for _, unit := range utf16.Encode([]rune(secret)) {
			wide.WriteString(string([]byte{byte(unit >> 8), byte(unit)}))
		}
		list = append(list, wide.String())
		for before := range 3 { // where it stands in a text decides how it looks in base64
			padded := strings.Repeat("\x00", before) + secret
			whole := len(padded) / 3 * 3
			for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				first := []int{0, 2, 3}[before] // characters that depend on what stands before
				list = append(list, encoding.EncodeToString([]byte(padded[:whole]))[first:])
			}
		}
		slices.Sort(list)
		c.forms[name] = slices.Compact(list)
	}
	return c
}

// search notes every secret that is in some data, but for those that may be there.
func (c *canaries) search(where string, data []byte, but ...string) {
	for _, view := range views(data) {
		for name, forms := range c.forms {
			if slices.Contains(but, name) {
				continue
			}
			for _, form := range forms {
				at := bytes.Index(view, []byte(form))
				if at < 0 {
					continue
				}
				c.mu.Lock()
				c.hits[fmt.Sprintf("%s is in %s: %q", name, where, view[max(0, at-60):min(len(view), at+len(form)+20)])] = true
				c.mu.Unlock()
				break
			}
		}
	}
}

// views are some data as they are, without line ends (of base64 and of quoted-printable),
// and unpacked (the streams of a PDF).
func views(data []byte) [][]byte {
	lines := strings.NewReplacer("=\r\n", "", "=\n", "", "\r\n", "", "\n", "", "\r\n ", "", "\n ", "")
	list := [][]byte{data, []byte(lines.Replace(string(data)))}
	for rest := data; ; {
		_, after, found := bytes.Cut(rest, []byte("stream\n"))
		if !found {
			return list
		}
		if r, err := zlib.NewReader(bytes.NewReader(after)); err == nil {
			if text, err := io.ReadAll(r); err == nil {
				list = append(list, text)
			}
		}
		rest = after
	}
}

// files searches all files under a folder but some.
func (c *canaries) files(t *testing.T, dir string, but ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || slices.Contains(but, path) {
			return err
		}
		data, err := os.ReadFile(path)
		c.search(path, append([]byte(path+"\n"), data...))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// database searches every row of every table, and what the server shows of its sessions.
func (c *canaries) database(t *testing.T, url string) {
	t.Helper()
	for table, rows := range rowsOf(t, url) {
		c.search("table "+table, []byte(rows))
	}
}

// rowsOf returns all that a database holds, by table.
func rowsOf(t *testing.T, url string) map[string]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	rows, err := conn.Query(t.Context(), `select format('%I.%I', schemaname, tablename) from pg_tables
		where schemaname not in ('pg_catalog', 'information_schema') union all select 'pg_stat_activity'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 20 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	all := make(map[string]string, len(tables))
	for _, table := range tables {
		rows, err := conn.Query(t.Context(), "select t::text from "+table+" t")
		if err != nil {
			t.Fatal(err)
		}
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		all[table] = strings.Join(texts, "\n")
	}
	return all
}

// watchProcesses searches the command lines of all processes until the test ends, and
// says which programs were among them.
func (c *canaries) watchProcesses(t *testing.T) (programs func() map[string]bool) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	seen := map[string]bool{}
	var done sync.WaitGroup
	done.Go(func() {
		looked := map[string]int{} // a process has another command line once it executes its program
		for ctx.Err() == nil {
			list, _ := os.ReadDir("/proc")
			for _, entry := range list {
				pid := entry.Name()
				if pid[0] < '0' || pid[0] > '9' || looked[pid] > 3 {
					continue
				}
				looked[pid]++
				line, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
				if err != nil || len(line) == 0 {
					continue // it has ended
				}
				c.search("a command line", line)
				program, _, _ := bytes.Cut(line, []byte{0})
				seen[filepath.Base(string(program))] = true
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() map[string]bool {
		end()
		done.Wait()
		return seen
	}
}

// parrot is a web server that answers as it is told, and repeats all that it got.
type parrot struct {
	*httptest.Server
	mu     sync.Mutex
	mode   string
	calls  map[string]int // by the first part of the path
	bodies []string       // "/path" and what was posted there
}

func newParrot(t *testing.T) *parrot {
	t.Helper()
	p := &parrot{calls: map[string]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(p.answer))
	t.Cleanup(p.Close)
	return p
}

func (p *parrot) set(mode string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
}

func (p *parrot) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	p.mu.Lock()
	mode := p.mode
	p.calls[first]++
	p.bodies = append(p.bodies, "/"+first+"\n"+string(body))
	p.mu.Unlock()
	said := fmt.Sprint(r.URL, " ", r.RequestURI, " ", r.Header)
	status := http.StatusOK
	switch mode {
	case "cut":
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = connection.Close()
		}
		return
	case "garbage":
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(connection, said)
			_ = connection.Close()
		}
		return
	case "redirect":
		w.Header().Set("Location", "http://127.0.0.1:1"+r.RequestURI)
		status = http.StatusFound
	default:
		_, _ = fmt.Sscan(mode, &status)
	}
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(status)
	text, _ := json.Marshal(map[string]any{"ok": false, "error": said, "message": said, "body": string(body)})
	_, _ = w.Write(text)
}
