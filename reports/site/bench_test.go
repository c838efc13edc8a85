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
	"strconv"
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
	CPU    float64 // seconds of the publish, user and system, without the source's
	Source float64 // seconds of the source alone
	Peak   float64 // MB of the whole process, from its start to the end of the publish
	Wall   float64 // seconds
}

// source is the demo, which holds no hosts, as the database holds none in the process. It
// remembers what it was asked.
type source struct {
	demo.Network

	runs  []state.RunSummary
	asked []func(context.Context) error // asks the same once more
}

func (s *source) Runs(context.Context, int) ([]state.RunSummary, error) { return s.runs, nil }

func (s *source) Report(ctx context.Context, id int64) (state.Report, error) {
	s.asked = append(s.asked, func(ctx context.Context) error {
		_, err := s.Network.Report(ctx, id)
		return err
	})
	return s.Network.Report(ctx, id)
}

func (s *source) Hosts(ctx context.Context, yield func(state.HostReport) error) error {
	s.asked = append(s.asked, func(ctx context.Context) error {
		return s.Network.Hosts(ctx, func(state.HostReport) error { return nil })
	})
	return s.Network.Hosts(ctx, yield)
}

func (s *source) Histories(ctx context.Context, since state.Mark, yield func(state.HostHistory) error) (state.Mark, error) {
	s.asked = append(s.asked, func(ctx context.Context) error {
		_, err := s.Network.Histories(ctx, since, func(state.HostHistory) error { return nil })
		return err
	})
	return s.Network.Histories(ctx, since, yield)
}

// alone asks again what a publish asked, and returns the CPU seconds of that: they are
// the source's own work.
func (s *source) alone(ctx context.Context) (float64, error) {
	before := cpu()
	for _, ask := range s.asked {
		if err := ask(ctx); err != nil {
			return 0, err
		}
	}
	return cpu() - before, nil
}

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

// ready is a source that hands over what was made before: the hosts of the run's own
// report, and the histories since the night before it and since its own, whichever the
// archive has. What a publish takes is all its own.
type ready struct {
	source

	hosts []state.HostReport
	since map[state.Mark][]state.HostHistory
	mark  state.Mark
}

func readyFor(ctx context.Context, s source, report state.Report) (*ready, error) {
	r := &ready{source: s, hosts: report.Hosts, since: make(map[state.Mark][]state.HostHistory)}
	for _, night := range []int64{report.Run.ID - 1, report.Run.ID} {
		since := state.Mark(strconv.FormatInt(night, 10))
		var err error
		r.mark, err = s.Network.Histories(ctx, since, func(h state.HostHistory) error {
			r.since[since] = append(r.since[since], h)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *ready) Hosts(_ context.Context, yield func(state.HostReport) error) error {
	for _, h := range r.hosts {
		if err := yield(h); err != nil {
			return err
		}
	}
	return nil
}

func (r *ready) Histories(_ context.Context, since state.Mark, yield func(state.HostHistory) error) (state.Mark, error) {
	if since != r.mark && r.since[since] == nil {
		return "", fmt.Errorf("nothing was made since %q", since)
	}
	for _, h := range r.since[since] {
		if err := yield(h); err != nil {
			return "", err
		}
	}
	return r.mark, nil
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
	from := &source{Network: d, runs: runs}
	options := Options{Dir: dir, Formats: []Format{{"json", func(w io.Writer, r state.Report) error { return json.NewEncoder(w).Encode(r.Coverage) }}}}
	var publish func(context.Context) error
	if how == "full" { // as the process of `ownmap site build`
		options.Source = Frugal(from)
		publish = New(options).Build
	} else { // as that of a run, which holds its report
		Brisk()
		report := d.At(nights)
		if options.Source, err = readyFor(ctx, *from, report); err != nil {
			return err
		}
		publish = func(ctx context.Context) error { return New(options).Write(ctx, report) }
	}
	runtime.GC() // what was made before the clock starts, as package testing does
	start, before, took := time.Now(), cpu(), spent{}
	if err := publish(ctx); err != nil {
		return err
	}
	took.CPU, took.Wall, took.Peak = cpu()-before, time.Since(start).Seconds(), memory("VmHWM:")
	if took.Source, err = from.alone(ctx); err != nil {
		return err
	}
	took.CPU -= took.Source
	return json.NewEncoder(os.Stdout).Encode(took)
}

// memory reads a line of /proc/self/status (proc(5)), in MB.
func memory(key string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), key)
	kilobytes, _ := strconv.Atoi(strings.Fields(rest)[0])
	return float64(kilobytes) / 1024
}

// cpu is the processor time of this process so far, in seconds.
func cpu() float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// BenchmarkArchive publishes the archive of 10,000 hosts with 5 ports each: whole, after
// a night in which one host in a hundred changed, and when nothing has. Its memory is that
// of a whole process, with the report of the run. The source's own work does not count: a
// night's is done before, that of a whole archive, which no process holds, is taken off.
// The benchmark in cmd/ownmap is of the program, with the database and all data beside the pages.
func BenchmarkArchive(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, dir, order string) (s spent) {
		b.Helper()
		cmd := exec.CommandContext(b.Context(), self, dir)
		cmd.Env = append(os.Environ(), benchEnv+"="+order)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			b.Fatal(err)
		}
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
			b.ReportMetric(s.Source, "source-cpu-s")
			b.ReportMetric(s.Peak, "peak-MB")
			b.ReportMetric(s.Wall, "wall-s")
			b.ReportMetric(0, "ns/op")
		})
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || !strings.Contains(strings.Join(names, " "), "index.html") {
		b.Errorf("no archive: %q, %v", names, err)
	}
}
