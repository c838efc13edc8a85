package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// crashConfig makes three shards, so that a kill can fall between two of them.
const crashConfig = `
database: {url: "${DATABASE_URL}"}
targets:
  - {hosts: 127.9.5.0/29, profile: a}
  - {hosts: 127.9.5.8/29, profile: b}
  - {hosts: 127.9.5.16/29, profile: c}
profiles:
  a: {ports: "20501-20540", services: false}
  b: {ports: "20501-20541", services: false}
  c: {ports: "20501-20542", services: false}
scan: {max_parallel: 1, rate: 50000}
`

// killSteps is how often TestKill kills; OWNMAP_KILLS names another number.
const killSteps = 3

// TestKill kills ownmap with SIGKILL at moments of its run, runs it again, and wants
// the state and the changes of an undisturbed twin, and no nmap left behind.
func TestKill(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 20))
	killed, twin := newInstance(t, crashConfig), newInstance(t, crashConfig)
	world := map[string]net.Listener{}
	t.Cleanup(func() {
		for _, l := range world {
			_ = l.Close()
		}
	})

	undisturbed := time.Duration(0)
	steps := killSteps
	if n, err := strconv.Atoi(os.Getenv("OWNMAP_KILLS")); err == nil {
		steps = n
	}
	for step := range steps {
		for range 6 {
			toggle(t, world, fmt.Sprintf("127.9.5.%d:%d", 1+random.IntN(22), 20501+random.IntN(40)))
		}
		begin := time.Now()
		twin.run(t, 0)
		undisturbed = max(undisturbed, time.Since(begin))

		killed.kill(t, time.Duration(random.Int64N(int64(undisturbed))))
		killed.run(t, 0)
		if diff := cmp.Diff(twin.changes(t), killed.changes(t)); diff != "" {
			t.Fatalf("step %d: changes differ from those of the undisturbed twin (-twin +killed):\n%s", step, diff)
		}
		if diff := cmp.Diff(twin.openPorts(t), killed.openPorts(t)); diff != "" {
			t.Fatalf("step %d: state differs (-twin +killed):\n%s", step, diff)
		}
		if len(world) != len(twin.openPorts(t)) {
			t.Fatalf("step %d: %d listeners, %d open ports", step, len(world), len(twin.openPorts(t)))
		}
	}
}

func toggle(t *testing.T, world map[string]net.Listener, address string) {
	t.Helper()
	if l, open := world[address]; open {
		_ = l.Close()
		delete(world, address)
		return
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	world[address] = l
	go greet(l, "")
}

// TestLocked starts two runs at once: the second ends with 4 and names the
// first.
func TestLocked(t *testing.T) {
	t.Parallel()
	slow := newInstance(t, `
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.6.1, profile: slow}]
profiles: {slow: {ports: "20601-20700", services: false}}
scan: {rate: 1, max_parallel: 1}
`)
	first := slow.start(t)
	waitFor(t, 20*time.Second, "the first run to hold the lock", func() bool {
		out, _, _ := slow.call(t, "runs", "--json")
		return strings.Contains(out, `"scanning"`)
	})
	_, stderr, code := slow.call(t, "run")
	if code != 4 || !strings.Contains(stderr, fmt.Sprintf("pid %d", first.Process.Pid)) {
		t.Errorf("second run: exit code %d, want 4 and the pid %d in %q", code, first.Process.Pid, stderr)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	slow.noNmapLeft(t)
}

// instance is an installation of its own: config, state directory, database.
type instance struct {
	dir   string
	env   []string
	shown map[int64][]string // the changes of runs that are done
}

func newInstance(t *testing.T, config string) instance {
	t.Helper()
	i := instance{dir: t.TempDir(), shown: map[int64][]string{}}
	if err := os.WriteFile(filepath.Join(i.dir, "ownmap.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	i.env = append(os.Environ(),
		"DATABASE_URL="+filled.Database(t), "OWNMAP_CONFIG="+filepath.Join(i.dir, "ownmap.yaml"),
		"STATE_DIRECTORY="+filepath.Join(i.dir, "state"), "TMPDIR="+i.dir)
	return i
}

func (i instance) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ownmap", args...)
	cmd.Dir, cmd.Env = i.dir, i.env
	return cmd
}

func (i instance) call(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := i.command(t.Context(), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (i instance) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	out, stderr, code := i.call(t, append([]string{"run"}, args...)...)
	if code != want {
		t.Fatalf("ownmap run %v: exit code %d, want %d\n%s", args, code, want, stderr)
	}
	return out
}

func (i instance) start(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := i.command(context.WithoutCancel(t.Context()), "run", "--quiet")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// kill starts a run and ends it with SIGKILL after a time.
func (i instance) kill(t *testing.T, after time.Duration) {
	t.Helper()
	cmd := i.start(t)
	time.Sleep(after)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	i.noNmapLeft(t)
}

// noNmapLeft wants no nmap of this instance 2 seconds from now: nmap reads its
// targets from a file under the instance's directory.
func (i instance) noNmapLeft(t *testing.T) {
	t.Helper()
	waitFor(t, 2*time.Second, "nmap to be gone", func() bool { return !i.nmapRuns() })
}

// nmapRuns says whether an nmap of this instance runs.
func (i instance) nmapRuns() bool {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	return slices.ContainsFunc(lines, func(path string) bool {
		line, _ := os.ReadFile(path)
		return bytes.Contains(line, []byte("nmap")) && bytes.Contains(line, []byte(i.dir))
	})
}

func waitFor(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", limit, what)
		}
	}
}

// changes returns every change of every run, oldest first, as text.
func (i instance) changes(t *testing.T) []string {
	t.Helper()
	var runs []struct {
		ID    int64  `json:"id"`
		State string `json:"state"`
	}
	i.json(t, &runs, "runs", "--json", "-n", "1000")
	var all []string
	for _, run := range slices.Backward(runs) {
		if run.State == "failed" {
			continue
		}
		if changes, known := i.shown[run.ID]; known {
			all = append(all, changes...)
			continue
		}
		var report struct {
			Changes []struct {
				Kind, Address, Protocol string
				Port                    int
			}
		}
		i.json(t, &report, "show", strconv.FormatInt(run.ID, 10), "--json")
		var changes []string
		for _, c := range report.Changes {
			changes = append(changes, fmt.Sprintf("%s %s %d/%s", c.Kind, c.Address, c.Port, c.Protocol))
		}
		i.shown[run.ID] = changes
		all = append(all, changes...)
	}
	return all
}

// openPorts returns the open ports that ownmap knows.
func (i instance) openPorts(t *testing.T) []string {
	t.Helper()
	var ports []struct {
		Address, Protocol, State string
		Port                     int
	}
	i.json(t, &ports, "ports", "--json")
	var all []string
	for _, p := range ports {
		all = append(all, fmt.Sprintf("%s %d/%s %s", p.Address, p.Port, p.Protocol, p.State))
	}
	return all
}

func (i instance) json(t *testing.T, into any, args ...string) {
	t.Helper()
	out, stderr, code := i.call(t, args...)
	if code != 0 {
		t.Fatalf("ownmap %v: exit code %d\n%s", args, code, stderr)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("ownmap %v: %v\n%s", args, err, out)
	}
}
