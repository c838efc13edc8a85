package site

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// draft is a file of an edition that is written as its content comes: that of the data of
// a large run is more than all else that an edition holds. While it is what the live
// archive has there, nothing is written.
type draft struct {
	live   *os.File // nil: there is none, or what came differs from it
	same   int64    // bytes that are as in live
	buffer []byte   // to compare with
	create func() (*newFile, error)
	file   *newFile // nil: nothing was written yet
}

// newDraft begins a draft of what is in the live archive, or is not there: nil.
func newDraft(live *os.File, buffer []byte, create func() (*newFile, error)) *draft {
	return &draft{live: live, buffer: buffer, create: create}
}

// openRegular opens what was found as this kind of file, if it is, or leads to, a regular
// one; else it is nil.
func openRegular(path string, kind fs.FileMode) *os.File {
	if !kind.IsRegular() {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return nil
		}
	}
	f, _ := os.Open(path)
	return f
}

func (d *draft) Write(p []byte) (int, error) {
	if d.file == nil {
		if d.live != nil && d.goesOn(p) {
			d.same += int64(len(p))
			return len(p), nil
		}
		if err := d.begin(); err != nil {
			return 0, err
		}
	}
	return d.file.Write(p)
}

// goesOn says whether the live file goes on with just this.
func (d *draft) goesOn(p []byte) bool {
	for len(p) > 0 {
		chunk := d.buffer[:min(len(d.buffer), len(p))]
		if n, err := io.ReadFull(d.live, chunk); err != nil || !bytes.Equal(chunk, p[:n]) {
			return false
		}
		p = p[len(chunk):]
	}
	return true
}

// begin makes the file, with what was the same until now.
func (d *draft) begin() (err error) {
	if d.file, err = d.create(); err != nil || d.same == 0 {
		return err
	}
	_, err = io.Copy(d.file, io.NewSectionReader(d.live, 0, d.same))
	return err
}

// end ends the draft after an error, or none, of its content. It says whether there is a
// new file.
func (d *draft) end(err error) (written bool, _ error) {
	if d.live != nil {
		defer func() { _ = d.live.Close() }()
	}
	if err == nil && d.file == nil {
		if d.live != nil {
			if _, over := d.live.Read(d.buffer[:1]); errors.Is(over, io.EOF) {
				return false, nil
			}
		}
		err = d.begin()
	}
	if d.file == nil {
		return false, err
	}
	return true, d.file.end(err)
}

// newFile is a file that is being written.
type newFile struct {
	*os.File

	path string // where it is to stand
}

// createFile makes a new file, or one that is put by rename in the place of one that is
// there: what a hard link leads to elsewhere stays as it is.
func createFile(path string) (*newFile, error) {
	f, err := createAt(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
			return nil, err
		}
		f, err = createAt(path)
	}
	if errors.Is(err, fs.ErrExist) {
		return createBeside(path)
	}
	return &newFile{f, path}, err
}

// createBeside makes a file that is put by rename in the place of another.
func createBeside(path string) (*newFile, error) {
	f, err := createAt(path + newSuffix)
	if errors.Is(err, fs.ErrExist) { // a killed builder left it there
		if err := os.Remove(path + newSuffix); err != nil {
			return nil, err
		}
		f, err = createAt(path + newSuffix)
	}
	return &newFile{f, path}, err
}

func createAt(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
}

// newSuffix ends the name of a file that is to take the place of another.
const newSuffix = ".new"

// end closes the file and puts it in its place, unless there was an error.
func (f *newFile) end(err error) error {
	if err = errors.Join(err, f.Close()); err != nil || f.Name() == f.path {
		return err
	}
	return os.Rename(f.Name(), f.path)
}

// writeFile writes a file whole.
func writeFile(create func(path string) (*newFile, error), path string, content []byte) error {
	f, err := create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return f.end(err)
}
