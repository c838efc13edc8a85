package sshlab

import (
	"os/exec"
	"runtime"
	"testing"
)

// keeper starts processes that die with this one. The kernel sends the signal when
// the thread ends that started them, so one thread starts all of them and lives as
// long as the test.
type keeper struct {
	wanted  chan *exec.Cmd
	results chan error
}

func newKeeper(tb testing.TB) *keeper {
	tb.Helper()
	k := &keeper{make(chan *exec.Cmd), make(chan error)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var started []*exec.Cmd
		for cmd := range k.wanted {
			err := cmd.Start()
			if err == nil {
				started = append(started, cmd)
			}
			k.results <- err
		}
		for _, cmd := range started {
			_ = cmd.Process.Kill() // the first process of a PID namespace: all others die with it
		}
		for _, cmd := range started {
			_ = cmd.Wait()
		}
	}()
	tb.Cleanup(func() {
		close(k.wanted)
		<-ended
	})
	return k
}

// start starts a process. Callers take turns: only the one whose process was taken
// waits for a result.
func (k *keeper) start(cmd *exec.Cmd) error {
	k.wanted <- cmd
	return <-k.results
}
