// Package filedrop writes each message as a file into a folder, for other programs of
// the user's to pick up.
package filedrop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"ownmap/pipeline/state"
)

// DefaultMode of a file: its owner writes it, and its group reads it.
const DefaultMode fs.FileMode = 0o640

// Options is where the files go, and what is in them.
type Options struct {
	Folder string // which has to be there
	// Extension of the files, without its dot; empty: "txt".
	Extension string
	// Render makes what a file says; nil: Text. It has to make the same bytes of the same
	// message.
	Render func(state.Message) ([]byte, error)
	Mode   fs.FileMode // of a file; 0: DefaultMode
}

// Channel delivers messages into a folder.
type Channel struct{ options Options }

// New checks the options, and that the folder is there.
func New(options Options) (*Channel, error) {
	if options.Extension == "" {
		options.Extension = "txt"
	}
	if options.Render == nil {
		options.Render = func(m state.Message) ([]byte, error) { return []byte(Text(m)), nil }
	}
	if options.Mode == 0 {
		options.Mode = DefaultMode
	}
	if !regexp.MustCompile(`^[a-z0-9]{1,16}$`).MatchString(options.Extension) {
		return nil, fmt.Errorf("file: extension %q is not of up to 16 small letters and digits", options.Extension)
	}
	about, err := os.Stat(options.Folder)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	if !about.IsDir() {
		return nil, fmt.Errorf("file: %s is no folder", options.Folder)
	}
	return &Channel{options}, nil
}

// Name returns what the file of a message is called: its ID and the extension.
func (c *Channel) Name(m state.Message) (string, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$`).MatchString(m.ID) {
		return "", errors.New("file: the message has no ID that can be a file's name")
	}
	return m.ID + "." + c.options.Extension, nil
}

// Send writes the file of a message. It appears under its name when it is whole and on
// the disk (fsync); until then it begins with a dot. A second try makes the same file
// again. Errors are worth another try, but for a message that has no name or cannot be
// rendered.
func (c *Channel) Send(ctx context.Context, m state.Message) error {
	name, err := c.Name(m)
	if err != nil {
		return &state.SendError{Err: err, Permanent: true}
	}
	text, err := c.options.Render(m)
	if err != nil {
		return &state.SendError{Err: fmt.Errorf("file: %w", err), Permanent: true}
	}
	if err := ctx.Err(); err != nil {
		return &state.SendError{Err: fmt.Errorf("file: %w", err)}
	}
	if err := c.write(name, text); err != nil {
		return &state.SendError{Err: fmt.Errorf("file: %s: %w", filepath.Join(c.options.Folder, name), err), Unreachable: true}
	}
	return nil
}

// write goes through os.Root: whoever may write into the folder cannot lead out of it by
// a link.
func (c *Channel) write(name string, text []byte) error {
	root, err := os.OpenRoot(c.options.Folder)
	if err != nil {
		return err
	}
	defer root.Close()
	partial := "." + name + ".part"
	if err := root.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a try that was cut off
		return err
	}
	file, err := root.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Chmod(c.options.Mode), file.Sync(), file.Close()); err != nil {
		return errors.Join(err, root.Remove(partial))
	}
	if err := root.Rename(partial, name); err != nil {
		return errors.Join(err, root.Remove(partial))
	}
	folder, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
