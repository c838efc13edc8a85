// Command benchscan measures OwnMap side by side with what it replaces: bare nmap, the cron script of nmap and
// ndiff, and masscan and naabu where they are installed. All scan the same network of package netlab, whose open
// ports are known. `make bench-scan` runs it; it needs root.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchscan:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var b bench
	names := flag.String("cells", "", "only cells whose name begins with one of these words, separated by commas")
	flag.IntVar(&b.repeats, "repeats", 3, "how often each is measured; the median counts")
	flag.IntVar(&b.nightsEach, "nights", nightsEach, "how many nights without any change the cells of nights have, and again with one each")
	flag.StringVar(&b.program, "ownmap", "bin/ownmap", "the program that is measured")
	flag.IntVar(&b.rate, "rate", 100_000, "scan.rate of OwnMap where a cell does not say: what the link carries")
	flag.StringVar(&b.only, "only", "", "measure only \"ownmap\" or only the \"others\"")
	flag.BoolVar(&b.verbose, "v", false, "print what OwnMap says while it scans")
	flag.StringVar(&b.saved, "saved", "", "`file` with the figures of others that take over two minutes: read, and written as they are measured")
	list := flag.Bool("list", false, "only list the cells")
	flag.Parse()
	chosen, err := choose(cells(), *names)
	if err != nil {
		return err
	}
	if *list {
		for _, c := range chosen {
			fmt.Printf("%-22s %s\n", c.name, c.work())
		}
		return nil
	}
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
	b.log = os.Stderr
	rows, err := b.measure(ctx, chosen)
	fmt.Print(table(rows))
	if err != nil {
		return err
	}
	var over []string
	for _, r := range rows {
		if !r.good() {
			over = append(over, r.cell+" "+r.tool)
		}
	}
	if len(over) > 0 {
		return fmt.Errorf("over the limit, or not the truth: %s", strings.Join(over, ", "))
	}
	return nil
}
