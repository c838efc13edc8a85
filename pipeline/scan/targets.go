package scan

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
)

// targetList is the file that tells nmap what to scan: one address a line, made
// by netip. No text of a user's or a host's gets into it, or onto the command
// line.
type targetList struct {
	path string
	dir  string // a temporary directory to remove with it, or empty
}

// writeTargets writes the addresses of a look into a file that only we can read.
// Its name is the look's: what a crash left is overwritten when the shard is
// scanned again.
func (s *Scanner) writeTargets(name string, addresses []netip.Addr) (targetList, error) {
	list := targetList{}
	fail := func(err error) (targetList, error) {
		return list, fmt.Errorf("write the list of addresses to scan: %w", err)
	}
	dir, err := s.scratch()
	if err != nil {
		return fail(err)
	}
	if s.options.Dir == "" {
		list.dir = dir
	}
	list.path = filepath.Join(dir, name+".targets")
	file, err := os.OpenFile(list.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		list.remove()
		return fail(err)
	}
	lines := bufio.NewWriter(file)
	for _, a := range addresses {
		fmt.Fprintln(lines, a.Unmap().WithZone(""))
	}
	if err := errors.Join(lines.Flush(), file.Close()); err != nil {
		list.remove()
		return fail(err)
	}
	return list, nil
}

// scratch returns the directory for lists of targets. A name in /tmp that others
// can guess would let them put a link there: without a directory of our own it
// is a new one.
func (s *Scanner) scratch() (string, error) {
	if s.options.Dir == "" {
		return os.MkdirTemp("", "ownmap-scan-")
	}
	dir, err := filepath.Abs(s.options.Dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// remove takes the file away. If that fails, the next run overwrites it.
func (t targetList) remove() {
	_ = os.Remove(t.path)
	if t.dir != "" {
		_ = os.Remove(t.dir)
	}
}
