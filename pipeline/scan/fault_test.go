package scan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// Pieces of a fake nmap's output.
const (
	xmlProlog = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
`
	xmlHead = xmlProlog + `<nmaprun scanner="nmap" args="nmap" start="1700000000" version="7.93" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="2" services="22,80"/>
`
	xmlHost = `<host starttime="1" endtime="2"><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh" method="table" conf="3"/></port>
<port protocol="tcp" portid="80"><state state="closed" reason="reset"/></port></ports></host>
`
	xmlOther = `<host starttime="1" endtime="2"><status state="up" reason="user-set"/><address addr="192.0.2.2" addrtype="ipv4"/>
<ports><extraports state="filtered" count="2"><extrareasons reason="no-response" count="2" proto="tcp" ports="22,80"/></extraports></ports></host>
`
	xmlStats = `<runstats><finished time="1700000001" elapsed="1" exit="success"/><hosts up="2" down="0" total="2"/></runstats>
`
	xmlEnd  = "</nmaprun>\n"
	xmlGood = xmlHead + xmlHost + xmlOther + xmlStats + xmlEnd
)

// What a broken nmap does ends as "not scanned" and a note, never as a closed
// port; hosts that were complete before still count.
func TestBrokenNmap(t *testing.T) {
	t.Parallel()
	print := `cat "$DIR/out.xml"`
	laughs := `<!DOCTYPE nmaprun [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	for _, c := range []struct {
		name, body, out string
		first, second   state.CoverageStatus // of 192.0.2.1 and 192.0.2.2
		note            string
	}{
		{"good", print, xmlGood, state.Answered, state.Silent, ""},
		{"empty", print, "", state.NotScanned, state.NotScanned, "ends half-way"},
		{"garbage", print, "Segmentation fault\n", state.NotScanned, state.NotScanned, "text outside"},
		{"not nmap", print, "<html><body/></html>", state.NotScanned, state.NotScanned, "no output of nmap"},
		{"exit 1", print + "; echo 'fwrite returned 0. Quitting.' >&2; exit 1", xmlHead, state.NotScanned, state.NotScanned, "fwrite returned 0"},
		{"exit 1 after the end", print + "; exit 1", xmlGood, state.Answered, state.Silent, "exit status 1"},
		{"killed", print + "; kill -9 $$", xmlHead + xmlHost, state.Answered, state.NotScanned, "signal killed"},
		{"segmentation fault", print + "; kill -SEGV $$", xmlHead + xmlHost, state.Answered, state.NotScanned, "signal segmentation fault"},
		{"hangs", print + "; exec sleep 1000", xmlHead + xmlHost, state.Answered, state.NotScanned, "hung"},
		{"hangs with a child", print + "; sleep 1000; :", xmlHead + xmlHost, state.Answered, state.NotScanned, "hung"},
		{"leaves a child that holds the pipe", print + "; sleep 1000 & exit 0", xmlGood, state.Answered, state.Silent, ""},
		{"truncated in a host", print, xmlHead + xmlHost + xmlOther[:len(xmlOther)-30], state.Answered, state.NotScanned, "ends half-way"},
		{"no runstats", print, xmlHead + xmlHost + xmlOther + xmlEnd, state.Answered, state.Silent, "no <runstats>"},
		{"exit=error", print, xmlHead + xmlHost + `<runstats><finished time="1" exit="error" errormsg="bad 100%d %s"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>`, state.Answered, state.NotScanned, "bad 100%d %s"},
		{"entities", print, laughs + strings.TrimPrefix(xmlHead, xmlProlog) + "&b;" + xmlEnd, state.NotScanned, state.NotScanned, "document type"},
		{"undefined entity", print, xmlHead + "&xxe;" + xmlHost + xmlOther + xmlStats + xmlEnd, state.NotScanned, state.NotScanned, "entity"},
		{"invalid UTF-8", print, xmlHead + "<x y=\"\xff\xfe\"/>" + xmlEnd, state.NotScanned, state.NotScanned, "UTF-8"},
		{"illegal character", print, xmlHead + "<x y=\"&#27;\"/>" + xmlEnd, state.NotScanned, state.NotScanned, "illegal"},
		{"two roots", print, xmlGood + "<nmaprun></nmaprun>", state.Answered, state.Silent, "second root"},
		{"trailing garbage", print, xmlGood + "oops", state.Answered, state.Silent, "outside"},
		{"deep", print, xmlHead + strings.Repeat("<a>", 100), state.NotScanned, state.NotScanned, "deeper"},
		{"a host missing", print, xmlHead + xmlHost + xmlStats + xmlEnd, state.Answered, state.NotScanned, "did not account"},
		{"counts that do not add up", print, xmlHead + xmlHost + strings.Replace(xmlStats, `down="0"`, `down="1"`, 1) + xmlEnd, state.Answered, state.NotScanned, "do not make"},
		{"one down and unnamed", print, xmlHead + xmlHost + strings.Replace(xmlStats, `up="2" down="0"`, `up="1" down="1"`, 1) + xmlEnd, state.Answered, state.Silent, ""},
		{"another host", print, strings.Replace(xmlGood, `"192.0.2.2"`, `"192.0.2.9"`, 1), state.Answered, state.NotScanned, "not asked for"},
		{"fewer ports than asked", print, strings.Replace(xmlGood, "<scaninfo", "<scanned", 1), state.NotScanned, state.NotScanned, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			defer within(t, 8*time.Second, "the scan")()
			fake := lab.NewFakeNmap(t, c.body, map[string]string{"out.xml": c.out})
			s := newScanner(t, Options{Binary: fake.Path, Stall: 2 * time.Second})
			got := scanOne(t, s, shardOf(profile(t, "22,80"), "192.0.2.1", "192.0.2.2"))
			if len(got.Hosts) != 2 {
				t.Fatalf("%d hosts", len(got.Hosts))
			}
			for i, want := range []state.CoverageStatus{c.first, c.second} {
				line := got.Hosts[i].Covered(state.TCP)
				if line.Status != want || (want != state.Answered && line.Ports.Len() > 0) {
					t.Errorf("host %d: %+v, want %s", i+1, line, want)
				}
			}
			if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, c.note) || (c.note == "" && notes != "") {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

// A real nmap that is killed half-way loses its shard and closes nothing.
func TestNmapKilled(t *testing.T) {
	t.Parallel()
	lab.Listen(t, endpoint("127.66.0.1", tcp(2222), lab.SSH()))
	s := newScanner(t, Options{Rate: 20}) // slow enough to be met alive
	shard := shardOf(profile(t, "2200-2299"), "127.66.0.1", "127.66.0.2")
	shard.No = os.Getpid() // tells this nmap by its list of targets
	go func() {
		var pid int
		eventually(t.Context(), t, "an nmap to kill", func() bool { pid = nmapOf(shard.No); return pid > 0 })
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}()
	got := scanOne(t, s, shard)
	for _, h := range got.Hosts {
		if c := h.Covered(state.TCP); c.Status != state.NotScanned || c.Reason != state.ScanFailed {
			t.Errorf("%s: %+v", h.Address, c)
		}
	}
	if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, "signal killed") || !strings.Contains(notes, "2 of 2 hosts not scanned") {
		t.Errorf("notes %q", notes)
	}
}

// nmapOf returns the process whose list of targets belongs to a shard, or 0.
func nmapOf(shard int) int {
	return findProcess(fmt.Sprintf("shard-%d-", shard))
}

// findProcess returns a process whose command line holds a text, or 0.
func findProcess(text string) int {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if strings.Contains(string(line), text) {
			return pid
		}
	}
	return 0
}

// When ctx ends, Scan returns at once, its nmaps are dead, and what was not
// finished was not kept. goleak finds what is left running in here.
func TestCancel(t *testing.T) {
	t.Parallel()
	fake := lab.NewFakeNmap(t, `echo $$ >> "$DIR/pids"; sleep 1000; :`, nil)
	s := newScanner(t, Options{Binary: fake.Path, MaxParallel: 2})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		eventually(t.Context(), t, "a process", func() bool { return fake.File("pids") != "" })
	}()
	// The first of them takes the whole budget, the others wait for it.
	group, inner := errgroup.WithContext(ctx)
	for i := range 4 {
		shard := shardOf(profile(t, "22"), "192.0.2.1")
		shard.No = i + 1
		group.Go(func() error {
			result, err := s.Scan(inner, shard, nil)
			if err == nil || len(result.Hosts) > 0 {
				t.Errorf("a result: %+v", result)
			}
			return err
		})
	}
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("Scan: %v", err)
	}
	for pid := range strings.FieldsSeq(fake.File("pids")) {
		n, _ := strconv.Atoi(pid)
		eventually(t.Context(), t, "an empty process group", func() bool { return errors.Is(syscall.Kill(-n, 0), syscall.ESRCH) })
	}
}

func TestNoNmap(t *testing.T) {
	t.Parallel()
	s := newScanner(t, Options{})
	s.options.Binary = ""
	top := state.Profile{Top: 10}
	for _, p := range []state.Profile{top, profile(t, "22")} {
		_, err := s.Scan(t.Context(), shardOf(p, "127.0.0.1"), nil)
		if !errors.Is(err, ErrNoNmap) {
			t.Errorf("Scan without nmap: %v", err)
		}
	}
	s.options.Binary = "/nonexistent/nmap"
	if _, err := s.Scan(t.Context(), shardOf(profile(t, "22"), "127.0.0.1"), nil); !errors.Is(err, ErrNoNmap) {
		t.Errorf("Scan with a wrong path: %v", err)
	}
}
