package scan

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"ownmap/pipeline/state"
)

// targetList is the file that tells nmap what to scan: one address a line, made
// by netip. No text of a user's or a host's gets into it, or onto the command
// line.
type targetList struct{ path string }

// writeTargets writes a shard's addresses into a file that only we can read. Its
// name is the shard's: what a crash left is overwritten when the shard is scanned
// again.
func (s *Scanner) writeTargets(shard state.Shard) (targetList, error) {
	list := targetList{}
	fail := func(err error) (targetList, error) {
		return list, fmt.Errorf("write the list of addresses to scan: %w", err)
	}
	dir, err := filepath.Abs(s.options.Dir)
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	list.path = filepath.Join(dir, fmt.Sprintf("run-%d-shard-%d.targets", shard.RunID, shard.No))
	file, err := os.OpenFile(list.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fail(err)
	}
	lines := bufio.NewWriter(file)
	for _, h := range shard.Hosts {
		fmt.Fprintln(lines, h.Address.Unmap().WithZone(""))
	}
	if err := lines.Flush(); err != nil {
		file.Close()
		list.remove()
		return fail(err)
	}
	if err := file.Close(); err != nil {
		return fail(err)
	}
	return list, nil
}

// remove takes the file away. If that fails, the next run overwrites it.
func (t targetList) remove() { _ = os.Remove(t.path) }
