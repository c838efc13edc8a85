package site

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// exchangeFolders puts two folders each in the place of the other, in one step.
func exchangeFolders(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}

// canExchange tries whether the folder of the archive can be exchanged with one beside
// it: nothing stands against it where it is no mount point, where its parent may be
// written, and where the file system knows how.
func canExchange(dir string, exchange func(a, b string) error) bool {
	var about unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_BASIC_STATS, &about); err != nil {
		return false
	}
	if about.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return false
	}
	probe := sibling(dir, "probe")
	if err := os.RemoveAll(probe); err != nil { // of a builder that was killed
		return false
	}
	a, b := filepath.Join(probe, "a"), filepath.Join(probe, "b")
	err := errors.Join(os.MkdirAll(a, 0o700), os.MkdirAll(b, 0o700))
	if err == nil {
		err = exchange(a, b)
	}
	return errors.Join(err, os.RemoveAll(probe)) == nil
}

// syncTree waits until what was written to the file system of a folder is on the disk:
// after a power cut the exchange must not lead to files that are empty.
func syncTree(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}

// syncFolder waits until the names in a folder are on the disk.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) { // some file systems cannot
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
