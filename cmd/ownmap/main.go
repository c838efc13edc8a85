// Command ownmap scans the hosts its users own, remembers every port and tells
// what changed and what nobody approved.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // the binary knows the time zones where the machine does not
)

// version is set by the linker (Makefile); without it the build info tells.
var version string

func main() {
	os.Exit(call())
}

// call runs the program until it ends or is told to, and returns its exit code.
func call() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Who reads our output may go before its end, as head(1) does: a write fails then, and
	// the call ends in order. Without this the process would die and leave its database up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: errorStream(),
		env: os.Getenv, now: time.Now, replace: syscall.Exec,
	}
	return a.main(ctx, os.Args[1:])
}
