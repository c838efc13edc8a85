package site

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The archive is read by a web server's account; the umask of the process says
// how much of these modes it grants.
const (
	dirMode  = 0o755
	fileMode = 0o644
)

// lockWait is how long a second builder waits for the first.
const lockWait = time.Minute

// BusyError says that another process has been writing the archive for longer
// than one waits.
type BusyError struct{ Dir string }

// Error names the folder and the remedy.
func (e *BusyError) Error() string {
	return e.Dir + ": another process is writing it; try again when it is done"
}

// sibling returns the name of a hidden file or folder beside the archive: in it, it
// would be exchanged along with everything else.
func sibling(dir, what string) string {
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+"."+what)
}

// lockArchive takes the lock of the archive in dir, which it makes; unlock gives it
// back. The lock dies with the process, so no stale one is ever left. It lies beside
// the archive, or in it where nothing may be written beside it.
func lockArchive(ctx context.Context, dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(sibling(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		lock, err = os.OpenFile(filepath.Join(dir, oldLock), os.O_CREATE|os.O_RDWR, 0o600)
	}
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, lock, dir); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}

// oldLock is where earlier versions had their lock.
const oldLock = ".lock"

func wait(ctx context.Context, lock *os.File, dir string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lockWait, &BusyError{dir})
	defer cancel()
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil || !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
