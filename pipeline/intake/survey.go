package intake

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// Survey looks at files without keeping anything: what each is, and when its scan was made.
// It returns them from the oldest scan to the newest, which is the order in which they become
// runs; faults are FileErrors, in the order of paths.
func Survey(ctx context.Context, paths []string, o Options) (files []File, faults []error) {
	found, errs := make([]File, len(paths)), make([]error, len(paths))
	var group sync.WaitGroup
	places := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range places {
				found[i], errs[i] = surveyFile(paths[i], o)
			}
		})
	}
	for i := range paths {
		if ctx.Err() == nil {
			places <- i
		}
	}
	close(places)
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, []error{err}
	}
	for i, err := range errs {
		if err != nil {
			faults = append(faults, &FileError{paths[i], err})
			continue
		}
		files = append(files, found[i])
	}
	slices.SortStableFunc(files, func(a, b File) int {
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start), strings.Compare(a.Name, b.Name))
	})
	return files, faults
}

// future is by how much the clock of who scanned may be ahead.
const future = time.Hour

func surveyFile(path string, o Options) (File, error) {
	c, err := openFile(path)
	if err != nil {
		return File{}, err
	}
	defer func() { _ = c.Close() }()
	file := File{Path: path, Name: state.Clean(filepath.Base(path))}
	if file.Format, err = c.format(); err != nil {
		return File{}, err
	}
	if file.Format == FormatNmap {
		file.Start, file.End, err = nmapTimes(c)
	} else {
		var found findings
		if found, err = readFindings(c); err == nil {
			file.Start, file.End = found.Start, found.End
		}
	}
	if err != nil {
		return File{}, err
	}
	if file.SHA256, err = c.total(); err != nil {
		return File{}, err
	}
	if file.End.IsZero() {
		file.Start, file.End = o.At, o.At
	}
	now := o.Now().UTC()
	if file.End.After(now) && !file.End.After(now.Add(future)) {
		file.End = now // nothing is kept as of a time that is still to come
	}
	switch {
	case file.End.IsZero():
		return File{}, errors.New("it does not say when the scan was made: say so with --at, as in --at 2026-11-22T02:00:00Z")
	case file.End.After(now):
		return File{}, fmt.Errorf("its scan ended %s, which is not yet: the clock was wrong, there or here", file.End.Format(time.RFC3339))
	case file.Start.IsZero() || file.Start.After(file.End):
		file.Start = file.End
	}
	return file, nil
}

// endBytes is how much of the end of a file is looked at for the end of the scan.
const endBytes = 16 << 10

// nmapTimes returns when the scan of an XML file began and ended. What stands between is
// only read where it has to be: to say what is wrong.
func nmapTimes(c *content) (start, end time.Time, err error) {
	head, err := c.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return start, end, err
	}
	start = timeIn(head, "<nmaprun", "start")
	tail := make([]byte, 0, 2*endBytes)
	part := make([]byte, endBytes)
	for {
		n, err := c.Read(part)
		if len(tail)+n > cap(tail) {
			tail = tail[:copy(tail, tail[len(tail)-endBytes+min(n, endBytes):])]
		}
		tail = append(tail, part[:n]...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return start, end, err
		}
	}
	if end = timeIn(tail[max(0, bytes.LastIndex(tail, []byte("<runstats"))):], "<finished", "time"); !end.IsZero() {
		return start, end, nil
	}
	// It has no end, or one that is written otherwise.
	again, err := openFile(c.file.Name())
	if err != nil {
		return start, end, err
	}
	defer func() { _ = again.Close() }()
	doc, err := scan.Read(again, "")
	if err != nil {
		return start, end, unnamed(err)
	}
	return doc.Start, doc.Finished, nil
}

// timeIn returns the seconds since 1970 of an attribute of the first such tag; zero: there is
// none.
func timeIn(text []byte, tag, attribute string) time.Time {
	_, rest, found := bytes.Cut(text, []byte(tag))
	if !found {
		return time.Time{}
	}
	rest, _, _ = bytes.Cut(rest, []byte(">"))
	_, rest, found = bytes.Cut(rest, []byte(" "+attribute+`="`))
	if !found {
		return time.Time{}
	}
	digits, _, _ := bytes.Cut(rest, []byte(`"`))
	seconds, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// unnamed takes the name of the file off an error of package scan, where it is empty.
func unnamed(err error) error {
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), ": ") {
		return inner
	}
	return err
}
