package sshlab

import (
	"os"
	"strings"
	"testing"
)

// TestFarm holds that hosts are hosts of their own, and that nothing is left of
// them.
func TestFarm(t *testing.T) { //nolint:tparallel // what the hosts leave is counted after them
	t.Parallel()
	var bridge string
	t.Run("hosts", func(t *testing.T) {
		f := Start(t, Options{Services: true}, Options{})
		bridge = f.bridge
		if _, err := os.Stat("/sys/class/net/" + bridge); err != nil {
			t.Error(err)
		}
		for i, want := range []int{7, 2} {
			out := f.Hosts[i].Exec(t, `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do n=$(ss -H -tuln | wc -l); [ $n = `+string(rune('0'+want))+` ] && break; sleep 0.2; done; echo $n; tr '\0' ' ' </proc/1/cmdline; id -un `+User)
			if fields := strings.Fields(out); fields[0] != string(rune('0'+want)) || fields[1] != "sleep" || fields[len(fields)-1] != User {
				t.Errorf("host %d: %q, want %d sockets", i, out, want)
			}
		}
	})
	if _, err := os.Stat("/sys/class/net/" + bridge); err == nil {
		t.Errorf("%s is still there", bridge)
	}
}
