package site

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// upTo is the demo network as it was known after a night. The demo's own last night is
// of another kind: much happens in it.
type upTo struct {
	demo.Network

	whole demo.Network
	night int
}

const allNights = 60

// allRunsOnce counts the runs of all nights, which takes the demo a while.
var allRunsOnce = sync.OnceValues(func() ([]state.RunSummary, error) {
	return demo.Nights(allNights).Runs(context.Background(), allRuns)
})

func until(night int) upTo {
	return upTo{demo.Nights(night), demo.Nights(allNights), night}
}

func (u upTo) Runs(context.Context, int) ([]state.RunSummary, error) {
	runs, err := allRunsOnce()
	return slices.DeleteFunc(slices.Clone(runs), func(r state.RunSummary) bool { return r.StartedAt.After(demo.Night(u.night)) }), err
}

func (u upTo) Report(ctx context.Context, id int64) (state.Report, error) {
	return u.whole.Report(ctx, id)
}

// write brings an archive up to a night, as a run does.
func write(t *testing.T, s *Site, night int) {
	t.Helper()
	if err := s.Write(t.Context(), demo.Nights(allNights).At(night)); err != nil {
		t.Fatal(err)
	}
}

func siteOf(dir string, night int) *Site {
	return New(Options{Dir: dir, Source: until(night), Formats: formats()})
}

// fresh returns the files of an archive that is built at once.
func fresh(t *testing.T, night int) map[string]string {
	t.Helper()
	dir := newDir(t)
	build(t, dir, until(night))
	return files(t, dir)
}

// differing names the files that are not the same.
func differing(want, got map[string]string) (names []string) {
	for name, content := range want {
		if is, there := got[name]; !there || is != content {
			names = append(names, name)
		}
	}
	for name := range got {
		if _, wanted := want[name]; !wanted {
			names = append(names, "not wanted: "+name)
		}
	}
	slices.Sort(names)
	return names
}

// TestNightByNight holds that an archive which is brought up to date night by night is
// the one that is built anew, whichever way it is published.
func TestNightByNight(t *testing.T) {
	t.Parallel()
	want := fresh(t, 49)
	for name, exchange := range map[string]func(a, b string) error{
		"exchanged": exchangeFolders,
		"in place":  func(string, string) error { return unix.EINVAL },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newDir(t)
			for _, night := range []int{1, 2, 3, 5, 12, 20, 21, 33, 34, 35, 41, 43, 46, 47, 48, 49, 49} {
				s := siteOf(dir, night)
				s.exchange = exchange
				write(t, s, night)
			}
			if d := differing(want, files(t, dir)); len(d) > 0 {
				t.Errorf("not as built anew: %q", d)
			}
		})
	}
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestNothingOfOthersIsLost holds that what somebody else put into the folder stays
// there, whenever he did, and that an earlier version's archive is taken over.
func TestNothingOfOthersIsLost(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	put(t, filepath.Join(dir, "index.html"), "the start page of a distribution")
	put(t, filepath.Join(dir, ".htaccess"), "Require ip 192.0.2.0/24")
	put(t, filepath.Join(dir, "own/notes.txt"), "one")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o2750); err != nil {
		t.Fatal(err)
	}
	others := map[string]string{".htaccess": "Require ip 192.0.2.0/24", "own/notes.txt": "one", "index.html.before-ownmap": "the start page of a distribution"}
	check := func(night int) {
		t.Helper()
		want := fresh(t, night)
		maps.Copy(want, others)
		if d := differing(want, files(t, dir)); len(d) > 0 {
			t.Errorf("night %d: %q", night, d)
		}
	}
	write(t, siteOf(dir, 45), 45)
	check(45)
	put(t, filepath.Join(dir, "robots.txt"), "User-agent: *")
	others["robots.txt"] = "User-agent: *"
	write(t, siteOf(dir, 46), 46)
	check(46)
	put(t, sibling(dir, "previous")+"/late.txt", "in the moment before the exchange")
	others["late.txt"] = "in the moment before the exchange"
	if err := os.Remove(filepath.Join(dir, ".htaccess")); err != nil {
		t.Fatal(err)
	}
	delete(others, ".htaccess")
	replaced := filepath.Join(dir, "own/notes.txt")
	put(t, replaced+"~", "two")
	if err := os.Rename(replaced+"~", replaced); err != nil {
		t.Fatal(err)
	}
	others["own/notes.txt"] = "two"
	for night := 47; night <= 49; night++ {
		write(t, siteOf(dir, night), night)
		check(night)
	}
	if info, err := os.Stat(filepath.Join(dir, "empty")); err != nil || !info.IsDir() {
		t.Errorf("the empty folder is lost: %v", err)
	}
}

func TestEarlierArchiveIsTakenOver(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, siteOf(dir, 47), 47)
	for _, name := range []string{manifestFile, "atom.xml", "assets/index.js"} { // which it did not have
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, oldLock), "")
	put(t, filepath.Join(dir, "run/47.html.new"), "half a pa")
	put(t, filepath.Join(dir, "host/0f/4711.html"), "of a host that nobody knows")
	put(t, filepath.Join(dir, "robots.txt"), "User-agent: *")
	write(t, siteOf(dir, 48), 48)
	want := fresh(t, 48)
	want["robots.txt"] = "User-agent: *"
	if d := differing(want, files(t, dir)); len(d) > 0 {
		t.Errorf("not as built anew: %q", d)
	}
}

// TestDamageIsRepaired removes files of the archive.
func TestDamageIsRepaired(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, siteOf(dir, 49), 49)
	for _, name := range []string{"run/12.html", "data/30.csv", "host/08/8.html", "assets/ownmap.css", "hosts.html"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, siteOf(dir, 49), 49)
	if d := differing(fresh(t, 49), files(t, dir)); len(d) > 0 {
		t.Errorf("not as built anew: %q", d)
	}
}

func TestOtherDatabaseOfTheSameNumbers(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, siteOf(dir, 49), 49)
	other := demo.Large(30, 2, 3)
	if err := New(Options{Dir: dir, Source: other, Formats: formats()}).Write(t.Context(), other.At(3)); err != nil {
		t.Fatal(err)
	}
	whole := newDir(t)
	build(t, whole, other)
	got := files(t, dir)
	for _, name := range []string{"run/1.html", "run/2.html", "run/3.html"} { // the demo's runs begin at the same times
		delete(got, name)
	}
	want := files(t, whole)
	for name := range want {
		if _, has := got[name]; !has && !strings.HasPrefix(name, "run/") {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range got {
		if _, has := want[name]; !has {
			t.Errorf("%s of the other database is still there", name)
		}
	}
}

var errMixed = errors.New("two states at once")

// readArchive reads the index, another page and the index again, as a browser does by their
// paths, and follows every link of what it reads.
func readArchive(dir string) error {
	run := regexp.MustCompile(`<a href="run/(\d+)\.html">Run`)
	index, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		return err
	}
	newest := run.FindSubmatch(index)
	if newest == nil {
		return errors.New("the index names no run")
	}
	for _, name := range []string{"runs.html", "run/" + string(newest[1]) + ".html", "host/08/8.html"} {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if !strings.HasSuffix(strings.TrimSpace(string(page)), "</html>") {
			return fmt.Errorf("%s is cut", name)
		}
		again, err := os.ReadFile(filepath.Join(dir, "index.html"))
		if err != nil {
			return err
		}
		first := regexp.MustCompile(`<a href="run/(\d+)\.html">\d`).FindSubmatch(page)
		if string(again) == string(index) && name == "runs.html" && string(first[1]) != string(newest[1]) {
			return fmt.Errorf("%w: the index is of run %s, the list of run %s", errMixed, newest[1], first[1])
		}
		for _, link := range regexp.MustCompile(`(?:href|src)="([^"#:]+)[#"]`).FindAllSubmatch(page, -1) {
			if _, err := os.Stat(filepath.Join(dir, path.Join(path.Dir(name), string(link[1])))); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// TestReaderSeesOneState publishes the archive 50 times while somebody reads it.
func TestReaderSeesOneState(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, siteOf(dir, 1), 1)
	var stop atomic.Bool
	done := make(chan error, 1)
	reads := 0
	go func() {
		for !stop.Load() {
			if err := readArchive(dir); err != nil {
				done <- err
				return
			}
			reads++
		}
		done <- nil
	}()
	for night := 2; night <= 51; night++ {
		write(t, siteOf(dir, night), night)
	}
	stop.Store(true)
	if err := <-done; err != nil {
		t.Errorf("after %d reads: %v", reads, err)
	}
	if reads < 10 {
		t.Errorf("only %d reads", reads)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := siteOf(dir, 49)
	write(t, s, 49)
	before := files(t, dir)
	if _, err := s.Prune(t.Context(), Retention{}); err == nil {
		t.Error("prune keeps everything or nothing when told nothing")
	}
	pruned, err := s.Prune(t.Context(), Retention{Runs: 3, Days: 5}) // nights 44 to 49
	if err != nil || pruned.Runs != 43 {
		t.Fatalf("pruned %+v, %v; want 43 runs", pruned, err)
	}
	after, freed := files(t, dir), int64(0)
	for name, content := range before {
		freed += int64(len(content) - len(after[name]))
		var run int
		if n, _ := fmt.Sscanf(name, "run/%d.html", &run); n == 1 && run < 44 {
			text := textOf(parse(t, after[name]))
			if verdict := demo.Nights(allNights).At(run).Verdict(); !strings.Contains(text, verdict) || !strings.Contains(text, fmt.Sprintf("ownmap report %d --format html", run)) {
				t.Errorf("what is left of run %d does not say %q and how to make it again:\n%s", run, verdict, text)
			}
		} else if _, stays := after[name]; !stays && !strings.HasPrefix(name, "data/") || stays && after[name] != content {
			t.Errorf("pruning changed %s", name)
		}
	}
	if pruned.Bytes != freed || len(after) != len(before)-2*43 {
		t.Errorf("freed %d, want %d; %d files are left", pruned.Bytes, freed, len(after))
	}
	if left := files(t, sibling(dir, "previous")); len(left["data/1.json"])+len(left["run/1.html"]) != 0 {
		t.Error("what was pruned is still on the disk")
	}
	write(t, siteOf(dir, 49), 49)
	if d := differing(after, files(t, dir)); len(d) > 0 {
		t.Errorf("a later publish changed what is pruned: %q", d)
	}
	kept := New(Options{Dir: dir, Source: until(50), Formats: formats(), Keep: Retention{Runs: 2}})
	write(t, kept, 50)
	if names := files(t, dir); names["data/48.csv"] != "" || names["data/49.csv"] == "" || names["data/50.csv"] == "" {
		t.Error("a retention of two runs keeps others than the two newest")
	}
	if err := s.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := differing(before, files(t, dir)); len(d) > 0 {
		t.Errorf("a build does not bring back what was pruned: %q", d)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	run := func(night int) state.Run { return state.Run{StartedAt: demo.Night(night)} }
	for _, c := range []struct {
		keep  Retention
		nth   int
		night int
		want  bool
	}{
		{Retention{}, 40, 1, true},
		{Retention{Runs: 3}, 2, 1, true},
		{Retention{Runs: 3}, 3, 39, false},
		{Retention{Days: 7}, 9, 33, true},
		{Retention{Days: 7}, 9, 32, false},
		{Retention{Runs: 1, Days: 7}, 9, 34, true},
		{Retention{Days: 1}, 0, 40, true},
	} {
		if got := c.keep.keeps(c.nth, run(c.night), run(40)); got != c.want {
			t.Errorf("%+v keeps night %d, the %d. newest: %v", c.keep, c.night, c.nth, got)
		}
	}
}
