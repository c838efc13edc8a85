package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// judgement counts how two files compare for OwnMap and for ndiff.
type judgement map[string]int

// judge compares two files with both programs. Every difference between them
// must have a reason; the reasons are counted.
func judge(t *testing.T, n *ndiffs, a, b string) judgement {
	t.Helper()
	before, err := scan.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	after, err := scan.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	count := judgement{}
	said, now := ours(before, after)
	if a == b {
		for verdict := range said {
			t.Errorf("%s differs from itself: %q", filepath.Base(a), verdict)
		}
		return count
	}
	their := n.theirs(t, a, b)
	if their == nil {
		count["ndiff ends with a traceback"]++
		return count
	}
	pair := fmt.Sprintf("%s, %s", filepath.Base(a), filepath.Base(b))
	for verdict := range their {
		word, _, _ := strings.Cut(verdict, " ")
		if said[verdict] {
			count["both: "+word]++
			continue
		}
		if word == "other:" {
			kind, _, _ := strings.Cut(verdict, ",")
			count["no word of OwnMap's: "+strings.TrimPrefix(kind, "other: ")]++
			continue
		}
		reason := whyNotOurs(t, verdict, before.Hosts, now)
		if reason == "" {
			t.Errorf("%s: only ndiff says %q", pair, verdict)
		}
		count["only ndiff: "+word+": "+reason]++
	}
	for verdict := range said {
		if their[verdict] {
			continue
		}
		word, _, _ := strings.Cut(verdict, " ")
		reason := whyNotTheirs(t, verdict, before.Hosts, now)
		if reason == "" {
			t.Errorf("%s: only OwnMap says %q", pair, verdict)
		}
		count["only OwnMap: "+word+": "+reason]++
	}
	return count
}

// place finds what a verdict is about in a state.
func place(t *testing.T, verdict string, hosts []state.Host) (state.Host, state.Port, state.PortStatus) {
	t.Helper()
	fields := strings.Fields(verdict)
	i := slices.IndexFunc(hosts, func(h state.Host) bool { return h.Address.String() == fields[1] })
	if i < 0 {
		return state.Host{}, state.Port{}, state.PortStatus{}
	}
	if len(fields) == 2 {
		return hosts[i], state.Port{}, state.PortStatus{}
	}
	port, err := state.ParsePort(fields[2])
	if err != nil {
		t.Fatal(err)
	}
	status, _ := hosts[i].Find(port)
	return hosts[i], port, status
}

// whyNotOurs returns why OwnMap does not say what ndiff says, or nothing.
func whyNotOurs(t *testing.T, verdict string, was, now []state.Host) string {
	t.Helper()
	before, _, old := place(t, verdict, was)
	host, port, seen := place(t, verdict, now)
	word, _, _ := strings.Cut(verdict, " ")
	covered := host.Covered(port.Protocol)
	switch {
	case word == "gone" && host.Status() == state.NotScanned, word == "closed" && host.Status() == state.NotScanned, word == "uncertain" && host.Status() == state.NotScanned:
		return "the host was not looked at in the second scan"
	case word == "gone" && before.State != state.Up:
		return "the host gave no answer in the first scan either"
	case word == "gone" && host.Status() == state.Silent && silentNow(now) >= 3:
		return "so many hosts fell silent at once that the scanner is to blame"
	case (word == "new" || word == "back") && host.Status() != state.Answered:
		return "nothing came back from the host"
	case (word == "closed" || word == "uncertain") && host.Status() == state.Silent:
		return "the host is silent: one change, its ports keep their state"
	case word == "closed" && seen.State == state.OpenFiltered:
		return "open|filtered is no evidence of closed"
	case (word == "closed" || word == "uncertain") && !covered.Conclusive(port):
		return "the port was not looked at, or gave no conclusive answer"
	case word == "service" && !seen.Service.Probed:
		return "service detection did not look in the second scan"
	case word == "service" && old.Service.Described() != seen.Service.Described() && old.Service.Product == seen.Service.Product && old.Service.Version == seen.Service.Version && old.Service.String() == seen.Service.String():
		return "only the extra information differs, which may be volatile"
	case word == "renamed" && host.Status() != state.Answered:
		return "the host is silent: one change, its name stays"
	case word == "renamed" && slices.Contains(before.Names, host.Name()) && slices.Contains(host.Names, before.Name()):
		return "the same names in another order"
	}
	return ""
}

func silentNow(hosts []state.Host) int {
	n := 0
	for _, h := range hosts {
		if h.Status() == state.Silent {
			n++
		}
	}
	return n
}

// whyNotTheirs returns why ndiff does not say what OwnMap says, or nothing.
func whyNotTheirs(t *testing.T, verdict string, was, now []state.Host) string {
	t.Helper()
	before, _, old := place(t, verdict, was)
	host, _, seen := place(t, verdict, now)
	word, _, _ := strings.Cut(verdict, " ")
	switch {
	case word == "gone" && host.Status() == state.Silent, word == "back" && before.Status() == state.Silent:
		return "nmap calls a host that was scanned with -Pn up, though nothing came back"
	case word == "service" && !old.Service.Probed && seen.Service.Probed:
		return "service detection looked for the first time and agrees with nmap's table"
	}
	return ""
}

// judgeAll compares every ordered pair of the files, and each file with itself,
// and logs what the differences come to.
func judgeAll(t *testing.T, files []string) {
	t.Helper()
	n := startNdiff(t)
	results := make(chan judgement, len(files)*len(files))
	t.Cleanup(func() { logTotals(t, results) }) // after the parallel pairs
	for _, a := range files {
		for _, b := range files {
			if unrelated(a, b) {
				continue
			}
			t.Run(filepath.Base(a)+" "+filepath.Base(b), func(t *testing.T) {
				t.Parallel()
				results <- judge(t, n, a, b)
			})
		}
	}
}

func logTotals(t *testing.T, results chan judgement) {
	t.Helper()
	close(results)
	total := judgement{}
	for count := range results {
		for reason, n := range count {
			total[reason] += n
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%6d  %s", total[reason], reason)
	}
}

// unrelated says that two of the files made here are of different networks: to
// compare them too takes time and shows nothing.
func unrelated(a, b string) bool {
	night := func(file string) bool { return strings.HasPrefix(filepath.Base(file), "night-") }
	empty := func(file string) bool { return filepath.Base(file) == "empty.xml" }
	return night(a) != night(b) && !empty(a) && !empty(b)
}

// TestDiffSaysWhatNdiffSays compares OwnMap with nmap's ndiff on every pair of
// files made here.
func TestDiffSaysWhatNdiffSays(t *testing.T) {
	t.Parallel()
	judgeAll(t, writeScans(t))
}

// TestDiffSaysWhatNdiffSaysOfOtherScans does so for the files in the directory
// that OWNMAP_NDIFF_SCANS names, if it names one.
func TestDiffSaysWhatNdiffSaysOfOtherScans(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("OWNMAP_NDIFF_SCANS")
	if dir == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("OWNMAP_NDIFF_SCANS=%s: no *.xml in it (%v)", dir, err)
	}
	judgeAll(t, files)
}

// TestNothingObservedClosesNothing holds the five ways in which a port is not
// looked at (six files: -Pn is one of its own) against ndiff, which sees closed
// ports in each.
func TestNothingObservedClosesNothing(t *testing.T) {
	t.Parallel()
	const dir = "../../pipeline/scan/testdata/coverage/"
	n := startNdiff(t)
	for name, want := range map[string][]string{
		"host-timeout": nil, "narrower-ports": nil, "unresolved-name": nil,
		"stopped-answering":    {"gone 192.0.2.19"},
		"stopped-answering-pn": {"gone 198.51.100.7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := dir+name+"-a.xml", dir+name+"-b.xml"
			judge(t, n, a, b)
			before, err := scan.ReadFile(a)
			if err != nil {
				t.Fatal(err)
			}
			after, err := scan.ReadFile(b)
			if err != nil {
				t.Fatal(err)
			}
			said, _ := ours(before, after)
			if got := slices.Sorted(maps.Keys(said)); !slices.Equal(got, want) {
				t.Errorf("OwnMap says %q, want %q", got, want)
			}
			if !slices.ContainsFunc(slices.Collect(maps.Keys(n.theirs(t, a, b))), func(v string) bool { return strings.HasPrefix(v, "closed ") }) {
				t.Error("ndiff sees no closed port: the case shows nothing")
			}
		})
	}
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		if _, err := scan.ReadFile(dir + "killed-a.xml"); err != nil {
			t.Error(err)
		}
		if _, err := scan.ReadFile(dir + "killed-b.xml"); err == nil {
			t.Error("a file that is cut off is read as if it were whole")
		}
		if n.theirs(t, dir+"killed-a.xml", dir+"killed-b.xml") != nil {
			t.Error("ndiff reads the file: the case shows nothing")
		}
	})
}
