package private

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// flock is a held flock(2) lock. It belongs to the open file, so that a child
// that is given the file holds the lock too, for as long as it lives.
type flock struct{ file *os.File }

// try takes the lock at path, LOCK_SH or LOCK_EX, or returns nil if others hold
// it. The file is made on the way; it is never a followed link.
func try(path string, how int) (*flock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil {
		return &flock{f}, nil
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock %s (does its file system know flock?): %w", path, err)
}

// acquire takes the lock at path, waiting for others to release it.
func acquire(ctx context.Context, path string, how int) (*flock, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("wait for %s: %w", path, err)
		}
		l, err := try(path, how)
		if l != nil || err != nil {
			return l, err
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("wait for %s: %w", path, err)
		}
	}
}

// free says whether nobody holds the lock at path.
func free(path string) (bool, error) {
	l, err := try(path, unix.LOCK_EX)
	if l != nil {
		l.release()
	}
	return l != nil, err
}

// release gives the lock up, also in a child that is just being forked.
func (l *flock) release() {
	_ = unix.Flock(int(l.file.Fd()), unix.LOCK_UN)
	_ = l.file.Close()
}

// pass closes this program's hold on the lock and leaves it to the children that
// were given the file. It may be called twice.
func (l *flock) pass() { _ = l.file.Close() }
