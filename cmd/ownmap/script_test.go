package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/queue"
)

// TestMain lets the test binary be the ownmap program, so that scripts and
// crash tests run the real main in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(labMain{m}, map[string]func(){"ownmap": main, measuredOwnmap: measured})
}

// labMain keeps the lab's server running over all tests.
type labMain struct{ m *testing.M }

// Run runs the tests.
func (l labMain) Run() int { return lab.Main(l.m, &filled) }

// filled is a database as the first command leaves it: with the schemas of the book
// and of the queue. The script story begins with an empty one.
var filled = lab.Template{Fill: func(ctx context.Context, url string) error {
	book, err := persist.Open(ctx, url, time.UTC, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer book.Close()
	return queue.Migrate(ctx, book.Pool())
}}

// TestScripts runs the command line against real nmap, a real database and real
// listeners. Each script owns its addresses in 127/8.
func TestScripts(t *testing.T) {
	t.Parallel()
	var doors doors
	t.Cleanup(doors.closeAll)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			url := filled.Database(t)
			if filepath.Base(env.WorkDir) == "script-story" { // where a first run makes the schema
				url = lab.Database(t)
			}
			env.Setenv("DATABASE_URL", url)
			env.Setenv("STATE_DIRECTORY", env.Cd+"/state")
			env.Setenv("USER", "tester")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"listen": doors.listen,
			"shut":   doors.shut,
		},
	})
}

// exits runs a program and wants one exit code: exits 4 ownmap run.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// doors are the listeners that scripts open and shut.
type doors struct {
	mu   sync.Mutex
	open map[string]net.Listener
}

// listen opens a TCP listener that greets with a banner: listen ADDR:PORT
// [BANNER], the banner in Go's quoting.
func (d *doors) listen(ts *testscript.TestScript, _ bool, args []string) {
	banner := ""
	if len(args) > 1 {
		var err error
		banner, err = strconv.Unquote(`"` + args[1] + `"`)
		ts.Check(err)
	}
	ts.Check(d.add(args[0], banner))
}

// add opens a listener at an address.
func (d *doors) add(address, banner string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		d.open = map[string]net.Listener{}
	}
	d.open[address] = listener
	go greet(listener, banner)
	return nil
}

func greet(listener net.Listener, banner string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = strings.NewReader(banner).WriteTo(conn)
		_ = conn.Close()
	}
}

func (d *doors) shut(ts *testscript.TestScript, _ bool, args []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	listener, ok := d.open[args[0]]
	if !ok {
		ts.Fatalf("%s is not open", args[0])
	}
	ts.Check(listener.Close())
	delete(d.open, args[0])
}

func (d *doors) closeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, listener := range d.open {
		_ = listener.Close()
	}
}
