package scan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// What the process that is to be killed is told by its environment.
const (
	victimDir  = "OWNMAP_TEST_VICTIM" // its scratch directory
	victimNmap = "OWNMAP_TEST_NMAP"   // its nmap, empty for the real one
)

// beTheVictim makes this process one that scans until it is killed, if a test
// started it for that.
func beTheVictim() {
	dir := os.Getenv(victimDir)
	if dir == "" {
		return
	}
	var group errgroup.Group
	for i := range 2 {
		shard := state.Shard{RunID: 9, No: i + 1, Profile: state.Profile{Ports: state.PortsOf(1, 2, 3, 4, 5, 6, 7, 8, 9)}}
		for host := range 200 {
			shard.Hosts = append(shard.Hosts, state.ShardHost{Address: netip.AddrFrom4([4]byte{127, 67, byte(i), byte(host + 1)})})
		}
		s := New(Options{Dir: dir, Binary: os.Getenv(victimNmap), Rate: 5}) // each with a budget of its own
		group.Go(func() error { _, err := s.Scan(context.Background(), shard, nil); return err })
	}
	fmt.Println(group.Wait())
	os.Exit(1)
}

// victim starts a process that scans.
func victim(t *testing.T, dir, nmap string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir, victimNmap+"="+nmap)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// dies kills a victim and waits until alive is false, for two seconds at most.
func dies(t *testing.T, cmd *exec.Cmd, alive func() bool) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	killed := time.Now()
	eventually(t.Context(), t, "no nmap", func() bool { return !alive() })
	if took := time.Since(killed); took > 2*time.Second {
		t.Errorf("the last nmap lived for %s", took)
	}
}

// No nmap outlives OwnMap, whatever killed it.
func TestNmapDiesWithItsParent(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "scratch")
	cmd := victim(t, dir, "")
	first, second := filepath.Join(dir, "run-9-shard-1-slice-1.targets"), filepath.Join(dir, "run-9-shard-2-slice-1.targets")
	eventually(t.Context(), t, "two nmaps", func() bool { return findProcess(first) > 0 && findProcess(second) > 0 })
	if info, err := os.Stat(first); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("list of targets: %v, %v", info, err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("scratch directory: %v, %v", info, err)
	}
	dies(t, cmd, func() bool { return findProcess(dir) > 0 })
}

// The same of an nmap that prints nothing: no broken pipe tells it that its
// parent is gone.
func TestSilentNmapDiesWithItsParent(t *testing.T) {
	t.Parallel()
	fake := lab.NewFakeNmap(t, `echo $$ >> "$DIR/pids"; exec sleep 30`, nil)
	cmd := victim(t, filepath.Join(t.TempDir(), "scratch"), fake.Path)
	eventually(t.Context(), t, "two processes", func() bool { return len(strings.Fields(fake.File("pids"))) == 2 })
	dies(t, cmd, func() bool {
		for pid := range strings.FieldsSeq(fake.File("pids")) {
			n, err := strconv.Atoi(pid)
			if err != nil || !errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
				return true
			}
		}
		return false
	})
}
