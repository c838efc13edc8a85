package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"ownmap/pipeline"
	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/persist/private"
	"ownmap/pipeline/queue"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// The exit codes. 1 is for "different" only, as diff and ndiff have it.
const (
	exitDone        = 0
	exitDifferent   = 1
	exitTrouble     = 2
	exitPartial     = 3
	exitLocked      = 4
	exitInterrupted = 130
	exitUnread      = 141 // as a shell tells of SIGPIPE
)

// errDifferent ends a command that found differences and was asked to say so by
// its exit code. It is not reported.
var errDifferent = errors.New("different")

// errPartial ends a run that finished in part; the report says what is missing.
var errPartial = errors.New("the run finished in part")

// usageError is a fault of the command line itself.
type usageError struct {
	err     error
	command string // that was called, for its --help; empty is ownmap
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef makes a usageError.
func usagef(format string, args ...any) error { return &usageError{err: fmt.Errorf(format, args...)} }

// lostServerError says that the private database ended while it was in use.
type lostServerError struct {
	err error
	dir string // state directory
}

func (e *lostServerError) Error() string {
	return "the private database in " + e.dir + " was lost: " + e.err.Error()
}
func (e *lostServerError) Unwrap() error { return e.err }

// exit reports an error to stderr, with a hint where there is one, and returns
// the exit code.
func (a *app) exit(ctx context.Context, err error) int {
	var running *persist.RunningError
	var writer *pipeline.WriterError
	var undelivered *undeliveredError
	var older *olderFilesError
	var upkeep *upkeepError
	code := exitTrouble
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errDifferent):
		return exitDifferent
	case errors.Is(err, syscall.EPIPE):
		return exitUnread
	case errors.Is(err, errPartial), errors.As(err, &writer), errors.As(err, &undelivered), errors.As(err, &older), errors.As(err, &upkeep):
		code = exitPartial
	case errors.As(err, &running):
		code = exitLocked
	case ctx.Err() != nil:
		fmt.Fprintln(a.stderr, "ownmap: interrupted; the next run goes on from here")
		return exitInterrupted
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(a.stderr, "ownmap: error: "+state.Clean(strings.TrimSpace(line)))
	}
	if h := cmp.Or(hint(err), a.asWhom(err)); h != "" {
		fmt.Fprintln(a.stderr, "ownmap: hint: "+h)
	}
	return code
}

// hint returns the remedy for an error that does not carry its own.
func hint(err error) string {
	var running *persist.RunningError
	var usage *usageError
	var config load.Errors
	var noRun *persist.NoRunError
	var connect *pgconn.ConnectError
	var writer *pipeline.WriterError
	var lost *lostServerError
	var cancelled *queue.CancelledError
	var undelivered *undeliveredError
	var bad *badFilesError
	var older *olderFilesError
	var upkeep *upkeepError
	switch {
	case errors.As(err, &bad):
		return "nothing of such a file is kept; repair it or take it away and import again, what was imported is passed over then, or go on without it: --skip-bad"
	case errors.As(err, &older):
		return "import them into a database of their own (--state-dir DIR, or another database.url), or all files into an empty one before its first run"
	case errors.As(err, &upkeep):
		return "the run is kept and reported; `ownmap db backup DIR` and `ownmap db prune` try again"
	case errors.As(err, &cancelled):
		return "the state is as it was before the run"
	case errors.As(err, &lost):
		return "its log is server.log there; the next command starts it again, and the next run goes on with what is kept"
	case errors.As(err, &connect):
		return "is PostgreSQL running, and database.url right? What is finished is kept; the next run goes on from there"
	case errors.As(err, &usage):
		return "see `" + cmp.Or(usage.command, "ownmap") + " --help`"
	case errors.As(err, &running):
		return "wait for it to end; `ownmap status` says how far it is"
	case errors.As(err, &config):
		return "nothing was done; config.example.yaml documents every key"
	case errors.As(err, &noRun):
		return "`ownmap runs` lists the runs; `ownmap run` makes one"
	case errors.Is(err, scan.ErrNoNmap):
		return "install nmap, for example with `apt-get install nmap`"
	case errors.Is(err, private.ErrNoBinaries):
		return "or set database.url in ownmap.yaml to use a PostgreSQL of your own"
	case errors.Is(err, pipeline.ErrNoTargets):
		return "add one with `ownmap targets add HOST`, or under `targets:` in ownmap.yaml"
	case errors.As(err, &writer):
		return "the state is kept; the next run writes what is missing, and so does `ownmap site build`"
	case errors.As(err, &undelivered) && undelivered.parked():
		return "`ownmap deliveries list` says why; `ownmap deliveries retry ID` tries again, `ownmap deliveries drop ID` gives it up"
	case errors.As(err, &undelivered):
		return "nothing is lost: `ownmap deliveries list` says why; a worker, the next run and `ownmap deliveries send` try again"
	case errors.Is(err, errPartial):
		return "the report's coverage says what was not looked at and why"
	}
	return ""
}
