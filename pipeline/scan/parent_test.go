package scan

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// victimDir names the scratch directory of the process that is to be killed.
const victimDir = "OWNMAP_TEST_VICTIM"

// beTheVictim makes this process one that scans until it is killed, if a test
// started it for that.
func beTheVictim() {
	dir := os.Getenv(victimDir)
	if dir == "" {
		return
	}
	s := New(Options{Dir: dir, Rate: 5, MaxParallel: 2})
	var shards []state.Shard
	for i := range 2 {
		shards = append(shards, state.Shard{RunID: 9, No: i + 1, Profile: state.Profile{Ports: state.PortsOf(1, 2, 3, 4, 5, 6, 7, 8, 9), UDP: state.PortSet{}}})
		for host := range 200 {
			shards[i].Hosts = append(shards[i].Hosts, state.ShardHost{Address: netip.AddrFrom4([4]byte{127, 67, byte(i), byte(host + 1)})})
		}
	}
	fmt.Println(s.Scan(context.Background(), shards, func(state.ShardResult) error { return nil }))
	os.Exit(1)
}

// No nmap outlives OwnMap by more than two seconds, whatever killed it.
func TestNmapDiesWithItsParent(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "scratch")
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), victimDir+"="+dir)
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	first, second := filepath.Join(dir, "run-9-shard-1.targets"), filepath.Join(dir, "run-9-shard-2.targets")
	eventually(t.Context(), t, "two nmaps", func() bool { return findProcess(first) > 0 && findProcess(second) > 0 })
	if info, err := os.Stat(first); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("list of targets: %v, %v", info, err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("scratch directory: %v, %v", info, err)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	killed := time.Now()
	eventually(t.Context(), t, "no nmap", func() bool { return findProcess(dir) == 0 })
	if took := time.Since(killed); took > 2*time.Second {
		t.Errorf("the last nmap lived for %s", took)
	}
}
