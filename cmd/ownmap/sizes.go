package main

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"

	"ownmap/pipeline/backup"
	"ownmap/pipeline/state"
)

// sizes says how much room everything takes.
func (h *house) sizes(ctx context.Context) (*state.Sizes, error) {
	s, err := h.book.Sizes(ctx)
	if err != nil {
		return nil, err
	}
	s.Archive = folderSize(h.archive())
	if h.config.Backup.Dir == "" {
		return &s, nil
	}
	files, err := backup.Files(h.config.Backup.Dir)
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		if s.Backups += file.Bytes; i == 0 {
			s.Backup = &file.At
		}
	}
	return &s, nil
}

// lastBackup is when the newest backup was made; zero: there is none, or it cannot be seen.
func (h *house) lastBackup() time.Time {
	newest, _, err := backup.Newest(h.config.Backup.Dir)
	if err != nil {
		return time.Time{}
	}
	return newest.At
}

// folderSize is how many bytes the files of a folder have; what cannot be read counts nothing.
func folderSize(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // the next one
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
