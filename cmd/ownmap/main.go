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
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: errorStream(),
		env: os.Getenv, now: time.Now, replace: syscall.Exec,
	}
	return a.main(ctx, os.Args[1:])
}
