package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"ownmap/pipeline/lab"
)

// BenchmarkDiffFiles compares two files of 10,000 hosts with ten ports each, with
// ndiff and with `ownmap diff`, as processes one after the other, three times.
// It fails when they do not agree on what differs.
func BenchmarkDiffFiles(b *testing.B) {
	dir := b.TempDir()
	binary := filepath.Join(dir, "ownmap")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	files := []string{filepath.Join(dir, "a.xml"), filepath.Join(dir, "b.xml")}
	for night, file := range files {
		if err := lab.WriteNight(file, night); err != nil {
			b.Fatal(err)
		}
	}
	var theirs, ours cost
	for b.Loop() {
		theirs, ours = cost{}, cost{}
		for range 3 {
			theirs.run(b, "ndiff", files...)
			ours.run(b, binary, append([]string{"diff"}, files...)...)
		}
	}
	b.ReportMetric(theirs.median().Seconds(), "ndiff-s")
	b.ReportMetric(ours.median().Seconds(), "ownmap-s")
	b.ReportMetric(ours.median().Seconds()/theirs.median().Seconds(), "ratio")
	b.ReportMetric(theirs.peak, "ndiff-MB")
	b.ReportMetric(ours.peak, "ownmap-MB")
	b.ReportMetric(0, "ns/op") // the figures above say it
}

// cost is what some runs of a process took.
type cost struct {
	walls []time.Duration
	peak  float64 // MB of memory, the most of all
}

func (c *cost) median() time.Duration {
	slices.Sort(c.walls)
	return c.walls[len(c.walls)/2]
}

// run runs a comparison and counts the lines that say what differs.
func (c *cost) run(b *testing.B, name string, args ...string) {
	b.Helper()
	command := exec.CommandContext(b.Context(), name, args...)
	var said lines
	command.Stdout, command.Stderr = &said, os.Stderr
	start := time.Now()
	err := command.Run()
	c.walls = append(c.walls, time.Since(start))
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		b.Fatalf("%s %q: %v, want exit status 1: the files differ", name, args, err)
	}
	if said < lab.NightChanges {
		b.Fatalf("%s %q says %d lines of %d changes", name, args, said, lab.NightChanges)
	}
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("no resource usage")
	}
	c.peak = max(c.peak, float64(usage.Maxrss)/1024)
}

// lines counts lines.
type lines int

func (l *lines) Write(p []byte) (int, error) {
	for _, c := range p {
		if c == '\n' {
			*l++
		}
	}
	return len(p), nil
}
