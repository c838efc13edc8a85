package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ownmap/pipeline/lab"
)

// ingest is the cell of two files that are read and compared.
func ingest() cell {
	return cell{
		name: "ingest", alone: (*bench).ingest, limit: 0.10, memory: 60,
		about: fmt.Sprintf("two XML files of %d hosts with ten ports each, compared", lab.NightHosts),
	}
}

// ingest compares two files with ndiff and with `ownmap diff`. That both agree on what differs is what the tests of
// the command are for; here both have to find differences.
func (b *bench) ingest(ctx context.Context, c cell) ([]row, error) {
	var files []string
	for night := range 2 {
		file := filepath.Join(b.dir, fmt.Sprintf("night-%d.xml", night))
		if err := lab.WriteNight(file, night); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	ndiff, own := row{cell: c.name, tool: "ndiff"}, row{cell: c.name, tool: "OwnMap", judged: true, limit: c.limit, ownLimit: c.memory}
	var theirs, ours []sample
	for range b.repeats {
		if b.only != "ownmap" {
			s, err := compareFiles(ctx, "ndiff", files...)
			if err != nil {
				return nil, err
			}
			theirs = append(theirs, s)
			ndiff.own, ndiff.repeats = max(ndiff.own, s.memory.own), ndiff.repeats+1
		}
		if b.only != "others" {
			s, err := compareFiles(ctx, b.program, append([]string{"diff"}, files...)...)
			if err != nil {
				return nil, err
			}
			ours = append(ours, s)
			own.own, own.repeats = max(own.own, s.memory.own), own.repeats+1
		}
	}
	var rows []row
	if len(theirs) > 0 {
		ndiff.median(theirs)
		ndiff.remark = fmt.Sprintf("%d MB itself", ndiff.own)
		ndiff.own = 0
		rows = append(rows, ndiff)
	}
	if len(ours) > 0 {
		own.median(ours)
		if ndiff.took > 0 {
			own.ratio = own.took.Seconds() / ndiff.took.Seconds()
		}
		rows = append(rows, own)
	}
	return rows, nil
}

// compareFiles runs a comparison whose exit code is that of diff(1).
func compareFiles(ctx context.Context, name string, args ...string) (s sample, err error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the programs that are compared
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, os.Stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return s, err
	}
	ended, most := make(chan struct{}), make(chan int)
	go func() { most <- highWater(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	s.took = time.Since(start)
	close(ended)
	s.memory.own = <-most
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return s, fmt.Errorf("%s: %w, and exit status 1 was to be expected: the files differ", cmd, err)
	}
	if lines := bytes.Count(said.Bytes(), []byte("\n")); lines < lab.NightChanges {
		return s, fmt.Errorf("%s says %d lines of %d changes", cmd, lines, lab.NightChanges)
	}
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return s, nil
}

// highWater returns the most memory that a process had resident until it ended, in MB, as proc(5) tells it (VmHWM).
// What wait4(2) tells is no less than what this program had itself when it started the other.
func highWater(pid int, ended <-chan struct{}) (most int) {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return most
		case <-ticker.C:
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // nothing when it has ended
			_, peak, _ := bytes.Cut(status, []byte("VmHWM:"))
			kilobytes := 0
			_, _ = fmt.Sscan(string(peak), &kilobytes)
			most = max(most, (kilobytes+1023)/1024)
		}
	}
}
