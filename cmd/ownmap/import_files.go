package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// badFilesError are files that cannot be imported, each with its fault.
type badFilesError struct{ faults []error }

func (e *badFilesError) Error() string   { return errors.Join(e.faults...).Error() }
func (e *badFilesError) Unwrap() []error { return e.faults }

// olderFilesError are files whose scans are older than the newest run.
type olderFilesError struct{ faults []error }

// mostTold is how many files of a kind are told one by one.
const mostTold = 10

// Error names some of them: years of files have one cause.
func (e *olderFilesError) Error() string {
	told := e.faults[:min(len(e.faults), mostTold)]
	text := errors.Join(told...).Error()
	if more := len(e.faults) - len(told); more > 0 {
		text += fmt.Sprintf("\nand so are %d more files", more)
	}
	return text
}

func (e *olderFilesError) Unwrap() []error { return e.faults }

// importPaths returns the files of a command line: of a folder those in it that look like
// scans, and of "-" a copy of stdin, which remove removes.
func (a *app) importPaths(args []string) (paths []string, remove func(), err error) {
	remove = func() {}
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case arg == "-":
			dir, err := os.MkdirTemp("", "ownmap-import-")
			if err != nil {
				return nil, remove, err
			}
			remove = func() { _ = os.RemoveAll(dir) }
			path := filepath.Join(dir, "stdin")
			if err := copyTo(path, a.stdin); err != nil {
				return nil, remove, err
			}
			paths = append(paths, path)
		case err != nil:
			return nil, remove, err
		case info.IsDir():
			inside, err := scansIn(arg)
			if err != nil {
				return nil, remove, err
			}
			paths = append(paths, inside...)
		default:
			paths = append(paths, arg)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), remove, nil
}

func copyTo(path string, in io.Reader) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// scansIn returns the files in a folder whose names are those of scans.
func scansIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		name := strings.TrimSuffix(strings.ToLower(entry.Name()), ".gz")
		if !entry.IsDir() && slices.Contains([]string{".xml", ".json", ".jsonl", ".ndjson"}, filepath.Ext(name)) {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: there is no file in it that is called *.xml, *.json or *.jsonl, packed or not", dir)
	}
	return paths, nil
}

// archiveImported brings the archive up to date once, after an import. The imported runs have
// a short page there, all but the newest: `ownmap site build` makes them whole.
func (h *house) archiveImported(ctx context.Context, last state.Run) error {
	report, err := h.book.Report(ctx, last.ID)
	if err != nil {
		return err
	}
	if err := h.site.Write(ctx, report); err != nil {
		return fmt.Errorf("the runs are kept; archive: %w", err)
	}
	return nil
}
