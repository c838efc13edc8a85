package queue

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// Of the worker processes that tests start: this test binary, with these in its
// environment.
const (
	envURL      = "OWNMAP_QUEUE_TEST_URL"
	envID       = "OWNMAP_QUEUE_TEST_ID"
	envVersion  = "OWNMAP_QUEUE_TEST_VERSION"
	envScan     = "OWNMAP_QUEUE_TEST_SCAN"
	envParallel = "OWNMAP_QUEUE_TEST_PARALLEL"
)

func TestMain(m *testing.M) {
	if os.Getenv(envURL) != "" {
		if err := workerProcess(); err != nil {
			panic(err)
		}
		return
	}
	lab.Main(m, &filled)
}

// workerProcess is a worker of vantage local in a process of its own. It ends
// with SIGTERM.
func workerProcess() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pool, err := pgxpool.New(ctx, os.Getenv(envURL))
	if err != nil {
		return err
	}
	defer pool.Close()
	patience, err := time.ParseDuration(os.Getenv(envScan))
	if err != nil {
		return err
	}
	parallel, err := strconv.Atoi(os.Getenv(envParallel))
	if err != nil {
		return err
	}
	return Worker{
		ID: os.Getenv(envID), Version: os.Getenv(envVersion), Parallel: parallel, Pool: pool,
		Store: &store{pool}, Scanner: sleeper{patience, os.Stdout}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}.Run(ctx)
}

// sleeper is a scanner that waits, as one does whose network is slow, and says
// which shard it begins with.
type sleeper struct {
	patience time.Duration
	w        io.Writer
}

func (s sleeper) Scan(ctx context.Context, shard state.Shard, watch func(float64, int, int)) (state.ShardResult, error) {
	_, _ = io.WriteString(s.w, "scanning "+strconv.Itoa(shard.No)+"\n")
	watch(0.5, 0, 0)
	select {
	case <-ctx.Done():
		return state.ShardResult{}, ctx.Err()
	case <-time.After(s.patience):
	}
	return state.ShardResult{Shard: shard}, nil
}

// process is a worker process.
type process struct {
	tb    testing.TB
	id    string
	cmd   *exec.Cmd
	lines chan string
}

type processOptions struct {
	id, version string
	scan        time.Duration
	parallel    int
}

// process starts a worker process, which is killed when the test ends.
func (w *world) process(o processOptions) *process {
	w.tb.Helper()
	if o.version == "" {
		o.version = testVersion
	}
	cmd := exec.CommandContext(w.tb.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envURL+"="+w.url, envID+"="+o.id, envVersion+"="+o.version, envScan+"="+o.scan.String(), envParallel+"="+strconv.Itoa(o.parallel))
	cmd.Stderr = w.tb.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.tb.Fatal(err)
	}
	p := &process{tb: w.tb, id: o.id, cmd: cmd, lines: make(chan string, 1000)}
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
		close(p.lines)
	}()
	w.tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return p
}

// scanning waits until the process scans a shard, and returns its number.
func (p *process) scanning() int {
	p.tb.Helper()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.tb.Fatalf("worker %s ended", p.id)
			}
			if no, found := strings.CutPrefix(line, "scanning "); found {
				n, err := strconv.Atoi(no)
				if err != nil {
					p.tb.Fatal(err)
				}
				return n
			}
		case <-time.After(20 * time.Second):
			p.tb.Fatalf("worker %s scans nothing", p.id)
		}
	}
}

func (p *process) signal(s syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.tb.Fatal(err)
	}
}
