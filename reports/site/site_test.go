package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

func formats() []Format {
	return []Format{
		{"json", func(w io.Writer, r state.Report) error {
			_, err := io.WriteString(w, `{"verdict":"`+r.Verdict()+`"}`)
			return err
		}},
		{"csv", func(w io.Writer, _ state.Report) error { _, err := io.WriteString(w, "host\r\n"); return err }},
	}
}

// newDir returns a folder for an archive, with room beside it.
func newDir(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "archive")
}

// build makes the archive of the demo network in dir and returns it.
func build(t *testing.T, dir string, source Source) *Site {
	t.Helper()
	s := New(Options{Dir: dir, Source: source, Formats: formats()})
	if err := s.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// files returns the content of every file of an archive.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	content := make(map[string]string)
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == manifestFile {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		content[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestDemo leaves the archive where OWNMAP_DEMO says, for a person to look at.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("OWNMAP_DEMO")
	if dir == "" {
		dir = newDir(t)
	}
	d := demo.Nights(49)
	build(t, dir, d)
	var out bytes.Buffer
	if err := Standalone(&out, d.At(48), nil, state.Brand{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "standalone.html"), out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	one, two := newDir(t), newDir(t)
	build(t, one, demo.Nights(49))
	build(t, two, demo.Nights(49))
	if d := cmp.Diff(files(t, one), files(t, two)); d != "" {
		t.Error(d)
	}
}

func TestUnchangedArchiveIsNotTouched(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := build(t, dir, demo.Nights(49))
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for path := range files(t, dir) {
		if err := os.Chtimes(filepath.Join(dir, path), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Write(t.Context(), demo.Nights(49).At(49)); err != nil {
		t.Fatal(err)
	}
	if err := s.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path := range files(t, dir) {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || !info.ModTime().Equal(past) {
			t.Errorf("%s was written again (%v)", path, err)
		}
	}
}

// noReports is a source that has no reports any more.
type noReports struct{ Source }

func (noReports) Report(_ context.Context, id int64) (state.Report, error) {
	return state.Report{}, fmt.Errorf("the report of run %d is read", id)
}

// TestNothingToTell holds that no report, the largest thing that there is to read, is read
// for an archive that has all pages of its runs, and that the newest one's is as soon as
// something is otherwise.
func TestNothingToTell(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	build(t, dir, demo.Nights(49))
	before := files(t, dir)
	keep := Retention{Runs: 49}
	mute := New(Options{Dir: dir, Source: noReports{demo.Nights(49)}, Formats: formats()})
	if _, err := mute.Prune(t.Context(), keep); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "hosts.html")); err != nil {
		t.Fatal(err)
	}
	if _, err := mute.Prune(t.Context(), keep); err == nil || !strings.Contains(err.Error(), "the report of run 49 is read") {
		t.Errorf("the lists are made without the newest report: %v", err)
	}
	if _, err := New(Options{Dir: dir, Source: demo.Nights(49), Formats: formats()}).Prune(t.Context(), keep); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, files(t, dir)); d != "" {
		t.Error(d)
	}
}

// TestQuietNight holds that a night without changes leaves every old run and
// every host that nothing happened to as it was.
func TestQuietNight(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	build(t, dir, demo.Nights(45))
	before := files(t, dir)
	s := New(Options{Dir: dir, Source: demo.Nights(46), Formats: formats()})
	if err := s.Write(t.Context(), demo.Nights(46).At(46)); err != nil {
		t.Fatal(err)
	}
	changed := map[string]bool{}
	for path, content := range files(t, dir) {
		if before[path] != content {
			changed[path] = true
		}
	}
	want := map[string]bool{"index.html": true, "runs.html": true, "atom.xml": true, "run/46.html": true, "data/46.json": true, "data/46.csv": true}
	if d := cmp.Diff(want, changed); d != "" {
		t.Errorf("a quiet night changed: %s", d)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	s := New(Options{Dir: filepath.FromSlash("/srv/archive")})
	if got, want := s.RunPath(42), filepath.FromSlash("/srv/archive/run/42.html"); got != want || s.IndexPath() != filepath.FromSlash("/srv/archive/index.html") {
		t.Errorf("paths %q, %q", got, s.IndexPath())
	}
	s = New(Options{Dir: "/srv/archive", BaseURL: "https://ownmap.example.org/archive/"})
	if got, want := s.RunPath(42), "https://ownmap.example.org/archive/run/42.html"; got != want {
		t.Errorf("RunPath = %q, want %q", got, want)
	}
}

func TestTwoBuildersDoNotMix(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	unlock, err := lockArchive(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
	defer cancel()
	if _, err := lockArchive(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second builder got the lock, or failed with %v", err)
	}
	unlock()
	again, err := lockArchive(t.Context(), dir)
	if err != nil {
		t.Fatalf("the lock stays when its holder is gone: %v", err)
	}
	again()
}

func TestFaultsAreToldAndLeaveTheIndex(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	build(t, dir, demo.Nights(45))
	before := files(t, dir)["index.html"]
	fault := errors.New("disk is full")
	s := New(Options{Dir: dir, Source: demo.Nights(46), Formats: []Format{{"json", func(io.Writer, state.Report) error { return fault }}}})
	if err := s.Write(t.Context(), demo.Nights(46).At(46)); !errors.Is(err, fault) || !strings.Contains(err.Error(), "data/46.json") {
		t.Errorf("error %v does not say what failed and where", err)
	}
	if files(t, dir)["index.html"] != before {
		t.Error("the index tells of a run whose files are not there")
	}
}

func TestArchiveBeforeAnyRun(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	build(t, dir, demo.Network{})
	if got := files(t, dir)["index.html"]; !strings.Contains(got, "<h1>No run yet</h1>") {
		t.Errorf("index before any run: %s", got)
	}
}

// TestHides holds that each character that hides is found at every place of a page, and
// that none is seen where there is none.
func TestHides(t *testing.T) {
	t.Parallel()
	for before := range 17 {
		for c := range 256 {
			page := strings.Repeat("a~ ", 6)[:before] + string([]byte{byte(c)}) + strings.Repeat(" z", 9)
			if got, want := hides([]byte(page)), state.Visible(page) != page; got != want {
				t.Fatalf("%q hides something: %t, want %t", page, got, want)
			}
		}
		for hidden, want := range map[string]bool{"\u202e": true, "\u200b": true, "é": false, "日本\n": false} {
			if page := strings.Repeat("~", before) + hidden + "\n\t~~~~~~~~"; hides([]byte(page)) != want {
				t.Errorf("%q hides something: %t, want %t", page, !want, want)
			}
		}
	}
}
