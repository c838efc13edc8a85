// Command benchweb measures the web page at scale: 50,000 hosts with 1,000,000 ports in a
// real PostgreSQL, the real program in front of it, and clients that ask for one page after
// the other. `make bench-web` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchweb:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	var b bench
	flag.StringVar(&b.program, "ownmap", "bin/ownmap", "the program that is measured")
	flag.IntVar(&b.hosts, "hosts", 50_000, "hosts in the database")
	flag.IntVar(&b.ports, "ports", 1_000_000, "ports in the database")
	flag.IntVar(&b.clients, "clients", 8, "clients at once, each with one request at a time")
	flag.DurationVar(&b.each, "each", 5*time.Second, "how long each page is asked for")
	flag.IntVar(&b.bulk, "approve", 10_000, "ports that are approved by filter at once")
	flag.StringVar(&b.only, "only", "", "only the pages whose name holds this")
	flag.Parse()
	if b.program, err = filepath.Abs(b.program); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "ownmap-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := os.Chmod(b.dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs as a user of its own below it
		return err
	}
	return b.measure(ctx)
}
