package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// unfinished is the pattern of the names of files that are being written.
const unfinished = ".ownmap-*.dump"

// nameTime is how the files of a directory of backups are named: by the time in UTC.
const nameTime = "ownmap-20060102-150405.dump"

// File is a backup in a directory of backups.
type File struct {
	Path  string
	At    time.Time // UTC
	Bytes int64
}

// Files returns the backups that DumpInto wrote into a directory, the newest first. A
// directory that is not there has none.
func Files(dir string) ([]File, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []File
	for _, entry := range entries {
		at, err := time.Parse(nameTime, entry.Name())
		if err != nil || !entry.Type().IsRegular() {
			continue // somebody else's
		}
		info, err := entry.Info()
		if err != nil {
			continue // it has just gone
		}
		files = append(files, File{filepath.Join(dir, entry.Name()), at, info.Size()})
	}
	slices.SortFunc(files, func(a, b File) int { return b.At.Compare(a.At) })
	return files, nil
}

// Newest returns the newest backup of a directory; ok is false if there is
// none.
func Newest(dir string) (newest File, ok bool, err error) {
	files, err := Files(dir)
	if err != nil || len(files) == 0 {
		return File{}, false, err
	}
	return files[0], true, nil
}

// DumpInto is Dump into a directory, which is made if it is missing, under a name that tells
// the time. It then removes the oldest backups of its own there, so that keep remain; 0: all
// do. Other files are left alone.
func (d Database) DumpInto(ctx context.Context, dir string, try bool, keep int) (Made, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Made{}, fmt.Errorf("directory of backups: %w", err)
	}
	path := filepath.Join(dir, d.Now().UTC().Format(nameTime))
	if _, err := os.Lstat(path); err == nil {
		return Made{}, fmt.Errorf("%s was written this very second: try again", path)
	}
	made, err := d.Dump(ctx, path, try)
	if err != nil {
		return made, err
	}
	return made, prune(dir, keep, d.Now())
}

// prune removes old backups, and what killed programs left of some.
func prune(dir string, keep int, now time.Time) error {
	files, err := Files(dir)
	if err != nil {
		return err
	}
	var faults []error
	if keep > 0 && len(files) > keep {
		for _, file := range files[keep:] {
			faults = append(faults, os.Remove(file.Path))
		}
	}
	left, err := filepath.Glob(filepath.Join(strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir), unfinished))
	if err != nil {
		return err
	}
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && now.Sub(info.ModTime()) > 24*time.Hour {
			faults = append(faults, os.Remove(path))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("remove old backups: %w", err)
	}
	return nil
}
