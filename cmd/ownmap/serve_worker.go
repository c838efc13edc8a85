package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// How soon a worker that ended is started again: the more often, the later.
const (
	workerAgain   = time.Second
	workerSeldom  = time.Minute
	workerSettled = time.Minute      // after which it counts as one that works
	workerStop    = 15 * time.Second // for it to end by itself
)

// keepWorker keeps a worker beside the page, as a process of its own: the page has no part
// in scans, and holds no key of SSH. It ends with ctx.
func (a *app) keepWorker(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	pause := workerAgain
	for {
		began := time.Now()
		err := a.runWorker(ctx, program)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end, and so were we
		}
		if time.Since(began) > workerSettled {
			pause = workerAgain
		}
		fmt.Fprintf(a.stderr, "ownmap: warning: the worker of the web page ended (%v); it is started again in %v\n", ended(err), pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, workerSeldom)
	}
}

func ended(err error) string {
	if err == nil {
		return "by itself"
	}
	return err.Error()
}

// runWorker runs a worker until it ends, or ctx. However this process ends, the worker
// does too: its death signal follows the thread that started it, which is kept.
func (a *app) runWorker(ctx context.Context, program string) error {
	cmd := exec.CommandContext(ctx, program, append(a.ownFlags(), "worker")...) //nolint:gosec // this program itself
	cmd.Stdout, cmd.Stderr = a.stderr, a.stderr
	cmd.SysProcAttr = workerAttributes()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = workerStop
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- cmd.Run()
	}()
	err := <-done
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// ownFlags are the flags that this call has and another command needs as well.
func (a *app) ownFlags() []string {
	var flags []string
	if a.configFile != "" {
		flags = append(flags, "--config", a.configFile)
	}
	if a.stateDir != "" {
		flags = append(flags, "--state-dir", a.stateDir)
	}
	if a.verbose {
		flags = append(flags, "--verbose")
	}
	if a.noColor {
		flags = append(flags, "--no-color")
	}
	return flags
}
