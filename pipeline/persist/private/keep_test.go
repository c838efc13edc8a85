package private_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Who keeps the server up notices when it ends, and stops it for all who use it.
func TestKeeper(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	keeper := start(t, dir)
	other := start(t, dir)

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := keeper.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait for a server that lives: %v", err)
	}
	if err := keeper.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if serverLives(t, dir) {
		t.Fatal("the server lives on after Shutdown, though another program uses it")
	}
	if err := keeper.Shutdown(t.Context()); err != nil {
		t.Errorf("second call: %v", err)
	}
	stop(t, other)

	keeper = start(t, dir)
	if err := unix.Kill(postmaster(dir), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := keeper.Wait(t.Context()); err != nil {
		t.Errorf("wait for a server that was killed: %v", err)
	}
	waitGone(t, dir)
}
