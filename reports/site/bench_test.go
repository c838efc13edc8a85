package site

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// A benchmark of the archive runs each publish in a process of its own, for the CPU time
// and the memory that it takes.
const (
	benchEnv   = "OWNMAP_SITE_BENCH" // "NIGHTS full|write"
	benchHosts = 10_000
)

// spent is what a process took.
type spent struct {
	CPU  float64 // seconds, user and system
	Peak float64 // MB
	Wall float64 // seconds
}

// source is the demo with its runs counted beforehand, which takes a database a moment
// and the demo as long as a report of each.
type source struct {
	demo.Network

	runs []state.RunSummary
}

func (s source) Runs(context.Context, int) ([]state.RunSummary, error) { return s.runs, nil }

// TestMain is also the process that a benchmark, or a test that kills one, starts.
func TestMain(m *testing.M) {
	dir := os.Args[len(os.Args)-1]
	var err error
	switch order, kill := os.Getenv(benchEnv), os.Getenv(killEnv); {
	case order != "":
		err = publishOnce(order, dir)
	case kill != "":
		err = publishUntilKilled(dir)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func publishOnce(order, dir string) error {
	var nights int
	var how string
	if _, err := fmt.Sscan(order, &nights, &how); err != nil {
		return err
	}
	d := demo.Large(benchHosts, 5, nights)
	ctx := context.Background()
	runs, err := d.Runs(ctx, allRuns)
	if err != nil {
		return err
	}
	s := New(Options{Dir: dir, Source: source{d, runs}, Formats: []Format{{"json", func(w io.Writer, r state.Report) error { return json.NewEncoder(w).Encode(r.Coverage) }}}})
	begin, before := time.Now(), usage()
	if how == "full" {
		err = s.Build(ctx)
	} else {
		report := d.At(nights)
		runtime.GC()
		begin, before = time.Now(), usage()
		err = s.Write(ctx, report)
	}
	if err != nil {
		return err
	}
	after := usage()
	return json.NewEncoder(os.Stdout).Encode(spent{CPU: cpu(after) - cpu(before), Peak: float64(after.Maxrss) / 1024, Wall: time.Since(begin).Seconds()})
}

func usage() unix.Rusage {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u
}

func cpu(u unix.Rusage) float64 {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// BenchmarkArchive publishes the archive of 10,000 hosts with 5 ports each: whole, after
// a night in which one host in a hundred changed, and when nothing has.
func BenchmarkArchive(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, dir, order string) spent {
		b.Helper()
		cmd := exec.CommandContext(b.Context(), self, dir)
		cmd.Env = append(os.Environ(), benchEnv+"="+order)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			b.Fatal(err)
		}
		var s spent
		if err := json.Unmarshal(out, &s); err != nil {
			b.Fatal(err)
		}
		return s
	}
	dir := filepath.Join(b.TempDir(), "archive")
	for _, step := range []struct{ name, order string }{
		{"full", "2 full"}, {"cloned", "3 write"}, {"changed", "4 write"}, {"unchanged", "4 write"}, {"rebuilt", "4 full"},
	} {
		b.Run(step.name, func(b *testing.B) {
			if b.N > 1 {
				b.Skip("a publish changes what the next one finds: -benchtime 1x")
			}
			s := run(b, dir, step.order)
			b.ReportMetric(s.CPU, "cpu-s")
			b.ReportMetric(s.Peak, "peak-MB")
			b.ReportMetric(s.Wall, "wall-s")
			b.ReportMetric(0, "ns/op")
		})
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || !strings.Contains(strings.Join(names, " "), "index.html") {
		b.Errorf("no archive: %q, %v", names, err)
	}
}
