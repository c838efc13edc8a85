package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"ownmap/pipeline/state"
)

// grace is how long a process may take to end, and its pipes to close, once it
// has nothing more to say.
const grace = time.Second

var (
	// errStalled says that nmap printed nothing for too long.
	errStalled = errors.New("nmap hung and was stopped")
	// errEndless says that nmap went on for longer than its work can take.
	errEndless = errors.New("nmap did not come to an end and was stopped")
)

// process is one nmap to be run.
type process struct {
	binary string
	args   []string
	stall  time.Duration // how long it may print nothing
	limit  time.Duration // how long it may take
}

func (s *Scanner) process(args []string, limit time.Duration) process {
	return process{binary: s.options.Binary, args: args, stall: s.options.Stall, limit: limit}
}

// ending says how a process ended.
type ending struct {
	exit   error  // nil: exit status 0
	read   error  // what the reader of its output said
	stderr string // the last 64 KiB
}

// describe returns why a process failed in one line, with nmap's last words.
func (e ending) describe() string {
	what := ""
	if e.exit != nil {
		what = "nmap ended with " + strings.Replace(e.exit.Error(), "signal: ", "signal ", 1)
	}
	if e.read != nil && (e.exit == nil || !errors.Is(e.read, errTruncated)) {
		what = e.read.Error()
	}
	if last := lastLine(e.stderr); last != "" {
		what += ": " + last
	}
	return state.Clean(what)
}

// moved says whether nmap ended because an interface came or went between its list of them and
// its question for a route, as they do on a machine with containers (libnetutil/netutil.cc).
func (e ending) moved() bool {
	return e.exit != nil && strings.Contains(lastLine(e.stderr), "can't find interface")
}

// run starts the process and hands its standard output to read. It returns when
// the process and all of its group are gone; ctx kills them. The error says that
// the process could not be started.
func (p process) run(ctx context.Context, read func(io.Reader) error) (ending, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return ending{}, fmt.Errorf("start nmap: %w", err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, p.limit, errEndless)
	defer cancel()
	stderr := &tail{}
	cmd := exec.CommandContext(ctx, p.binary, p.args...) //nolint:gosec // the arguments are built from typed values only
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Stdout, cmd.Stderr = w, stderr
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = grace

	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		// The death signal follows the thread that started the process: keep it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_ = w.Close() // the child has its own
		started <- err
		if err != nil {
			return
		}
		err = cmd.Wait()
		_ = killGroup(cmd.Process.Pid) // whatever it left behind
		ended <- err
	}()
	if err := <-started; err != nil {
		if p.binary == "" || errors.Is(err, fs.ErrNotExist) {
			err = ErrNoNmap
		}
		return ending{}, fmt.Errorf("start nmap %s: %w", p.binary, err)
	}

	reading := make(chan error, 1)
	go func() { reading <- read(&patientReader{file: r, patience: p.stall}) }()
	end := ending{}
	select {
	case end.read = <-reading:
		end.exit = p.await(ended, cancel, end.read)
	case end.exit = <-ended:
		// What escaped the group may hold the pipe open still.
		closing := time.AfterFunc(grace, func() { _ = r.Close() })
		end.read = <-reading
		closing.Stop()
	}
	if errors.Is(end.exit, exec.ErrWaitDelay) {
		end.exit = nil // it succeeded, and left a child that held its standard error
	}
	if cause := context.Cause(ctx); errors.Is(cause, errEndless) && end.exit != nil {
		end.exit, end.read = nil, errEndless
	}
	end.stderr = stderr.String()
	return end, nil
}

// await lets a process that closed its output go by itself, and kills one whose
// output is not read any further.
func (p process) await(ended <-chan error, cancel context.CancelFunc, read error) error {
	if read != nil && !errors.Is(read, errTruncated) {
		cancel()
		<-ended
		return nil // it was killed because of what it printed: that is the fault to tell
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case exit := <-ended:
		return exit
	case <-timer.C:
		cancel()
		return <-ended
	}
}

// killGroup kills a process with all that it started.
func killGroup(pid int) error {
	err := syscall.Kill(-pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// patientReader reads a pipe and gives up when nothing comes for too long.
type patientReader struct {
	file     *os.File
	patience time.Duration
}

func (p *patientReader) Read(b []byte) (int, error) {
	if err := p.file.SetReadDeadline(time.Now().Add(p.patience)); err != nil {
		return 0, io.EOF // the pipe was closed: its writer is gone
	}
	n, err := p.file.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, fmt.Errorf("%w: it printed nothing for %s", errStalled, p.patience)
	case errors.Is(err, os.ErrClosed):
		return n, io.EOF
	}
	return n, err
}
