package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"ownmap/templates"
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

// publisher writes files below one folder, each by rename and only if its bytes
// differ: a reader sees the old file or the new one, and an unchanged archive is
// not touched.
type publisher struct {
	dir     string
	lock    *os.File
	written int // files
}

func newPublisher(ctx context.Context, dir string) (*publisher, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, lock, dir); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &publisher{dir: dir, lock: lock}, nil
}

// wait takes the lock. It dies with the process, so no stale one is ever left.
func wait(ctx context.Context, lock *os.File, dir string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lockWait, &BusyError{dir})
	defer cancel()
	for {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// close gives the lock back.
func (p *publisher) close() { _ = p.lock.Close() }

// page renders a page and writes it.
func (p *publisher) page(file, name string, v view) error {
	content, err := render(file, name, v)
	if err != nil {
		return fmt.Errorf("page %s: %w", file, err)
	}
	return p.file(file, content)
}

// data writes a file of another format.
func (p *publisher) data(file string, write func(io.Writer) error) error {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return p.file(file, content.Bytes())
}

// assets writes the stylesheet and the script.
func (p *publisher) assets() error {
	for _, name := range []string{"ownmap.css", "ownmap.js"} {
		content, err := fs.ReadFile(templates.FS, "site/"+name)
		if err != nil {
			return err
		}
		if err := p.file("assets/"+name, content); err != nil {
			return err
		}
	}
	return nil
}

// file writes one file, unless it is there with the same bytes.
func (p *publisher) file(name string, content []byte) error {
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	temporary := path + ".new" // what a killed builder left there is written over
	if err := os.WriteFile(temporary, content, fileMode); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	p.written++
	return nil
}
