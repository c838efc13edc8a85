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

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

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
