package siem

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"ownmap/pipeline/state"
)

// FileOptions is which file events are written to.
type FileOptions struct {
	Path    string
	Timeout time.Duration // of a try; 0: DefaultTimeout
}

// File appends events to a file, a line of JSON each.
type File struct{ options FileOptions }

// NewFile checks the options. The file is opened by each Send: who rotates it needs not
// tell OwnMap.
func NewFile(options FileOptions) (*File, error) {
	if options.Path == "" {
		return nil, errors.New("JSON lines: no path")
	}
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	return &File{options}, nil
}

// RenderLines makes the lines of a message, each with its line end; see Event.
func RenderLines(m state.Message) ([][]byte, error) {
	var lines [][]byte
	for _, event := range Events(m) {
		var line bytes.Buffer
		e := json.NewEncoder(&line)
		e.SetEscapeHTML(false)
		if err := e.Encode(event); err != nil {
			return nil, fmt.Errorf("JSON lines: %w", err)
		}
		lines = append(lines, line.Bytes())
	}
	return lines, nil
}

// Send appends the events of a message. It returns nil when they are on the disk (fsync).
// A file that is not there is made for its owner alone (0600); whatever is no regular
// file, a symbolic link too, is refused. Every error is worth another try. Then events may
// stand there twice: with the same id.
func (f *File) Send(ctx context.Context, m state.Message) error {
	lines, err := RenderLines(m)
	if err != nil {
		return &state.SendError{Err: err, Permanent: true}
	}
	ctx, cancel := context.WithTimeout(ctx, f.options.Timeout)
	defer cancel()
	if err := f.append(ctx, lines); err != nil {
		return &state.SendError{Err: fmt.Errorf("JSON lines: %w", err), Unreachable: true}
	}
	return nil
}

func (f *File) append(ctx context.Context, lines [][]byte) error {
	// O_NONBLOCK: a pipe without a reader is refused, not waited for.
	file, err := os.OpenFile(f.options.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if errors.Is(err, syscall.ELOOP) {
		return fmt.Errorf("%s is a symbolic link", f.options.Path)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return err
	}
	if !about.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", f.options.Path)
	}
	if torn(file, about.Size()) {
		lines = append([][]byte{[]byte("\n")}, lines...)
	}
	for _, line := range lines {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := file.Write(line); err != nil {
			return err
		}
	}
	return errors.Join(file.Sync(), file.Close())
}

// torn says whether the last line has no end, as after a full disk: the next one must not
// become a part of it.
func torn(file io.ReaderAt, size int64) bool {
	last := []byte("\n")
	if size > 0 {
		_, _ = file.ReadAt(last, size-1) // what cannot be read is taken for whole
	}
	return last[0] != '\n'
}
