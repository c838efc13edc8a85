package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/lab"
)

// importSeries is a network for tests of imports.
func importSeries(nights int) lab.Series {
	return lab.Series{Hosts: 60, Nights: nights, First: time.Date(2025, 3, 1, 2, 0, 0, 0, time.UTC), Busy: 40}
}

// TestImportKill kills an import with SIGKILL again and again while it makes a run of each
// file, and wants in the end what an undisturbed one brings: no run is missing or doubled,
// and history and coverage are the same.
func TestImportKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := importSeries(30).Write(dir); err != nil {
		t.Fatal(err)
	}
	const config = "database: {url: \"${DATABASE_URL}\"}\n"
	killed, twin := newInstance(t, config), newInstance(t, config)
	if _, stderr, code := twin.call(t, "import", dir); code != 0 {
		t.Fatal(code, stderr)
	}
	runs := func() int {
		out, _, _ := killed.call(t, "runs", "-n", "100")
		return strings.Count(out, "imported from")
	}
	for begun := 0; begun < 20; {
		var out watched
		cmd := killed.command(t.Context(), "import", dir)
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, 30*time.Second, "some runs", func() bool { return strings.Count(out.String(), "\nrun ") >= 5 })
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		now := runs()
		if now <= begun || begun == 0 && now == 30 {
			t.Fatalf("%d runs after %d: it was not killed in the middle", now, begun)
		}
		begun = now
	}
	out, stderr, code := killed.call(t, "import", dir)
	if code != 0 || !strings.Contains(out, "files were imported before") {
		t.Fatal(code, out, stderr)
	}
	for _, args := range [][]string{{"runs", "-n", "100"}, {"export"}, {"export", "--at", "2025-03-10"}, {"ports", "--json"}, {"show", "29", "--json"}, {"host", "10.64.0.1", "--json"}} {
		a, _, _ := killed.call(t, args...)
		b, _, _ := twin.call(t, args...)
		if a != b || len(a) < 100 {
			t.Errorf("ownmap %v: %d and %d bytes differ", args, len(a), len(b))
		}
	}
}

// watched is what a process has printed so far.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestExportRoundTrip imports an export into an empty database, and exports that: the same
// bytes come out, of now and of any time.
func TestExportRoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := importSeries(6).Write(dir); err != nil {
		t.Fatal(err)
	}
	const config = "database: {url: \"${DATABASE_URL}\"}\n"
	first := newInstance(t, config)
	if _, stderr, code := first.call(t, "import", dir); code != 0 {
		t.Fatal(code, stderr)
	}
	for _, at := range []string{"2025-03-03", "last"} {
		second := newInstance(t, config)
		one, other := filepath.Join(first.dir, at+".xml"), filepath.Join(second.dir, at+".xml")
		for _, call := range []struct {
			i    instance
			args []string
		}{
			{first, []string{"export", "--at", at, "-o", one}},
			{second, []string{"import", one}},
			{second, []string{"export", "--output", other}},
		} {
			if out, stderr, code := call.i.call(t, call.args...); code != 0 {
				t.Fatal(call.args, code, out, stderr)
			}
		}
		a, err := os.ReadFile(one)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) || bytes.Count(a, []byte("<host")) < 60 {
			t.Errorf("the export of %s is another one after an import", at)
		}
		if out, code := startNdiff(t).compare(t, one, other); code != 0 {
			t.Errorf("ndiff: exit code %d, %s", code, out)
		}
	}
}
