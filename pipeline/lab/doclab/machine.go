package doclab

import (
	"bytes"
	"context"
	_ "embed" // systemctl
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Machine is the machine of a reader: this one, in namespaces of the test's own, where what
// is written to its folders is thrown away.
type Machine struct {
	Env   []string // beside what the machine says
	Limit time.Duration

	behind []*exec.Cmd // what goes on in the background
}

// Isolated returns a command that runs a program as NewMachine needs it: in mount, network
// and PID namespaces of its own, which end with it.
func Isolated(ctx context.Context, program string, args ...string) *exec.Cmd {
	outside, _ := os.Readlink(network)
	//nolint:gosec // the program is the test
	return exec.CommandContext(ctx, "unshare", append([]string{
		"--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--",
		"sh", "-c", `ip link set lo up && ` + outsideEnv + `='` + outside + `' "$0" "$@"`, program,
	}, args...)...)
}

const (
	network    = "/proc/self/ns/net"
	outsideEnv = "OWNMAP_OUTSIDE" // the network namespace of who called Isolated
)

//go:embed systemctl.sh
var systemctl []byte

// errNotAlone says that commands would change the machine of whoever runs the test.
var errNotAlone = errors.New("not in namespaces of its own: start it by Isolated")

// NewMachine makes the machine, of a process that Isolated started: from here on what the
// process and its children write to /etc, /usr, /var, /root, /run and /srv is kept in
// memory. Its network is loopback alone.
func NewMachine(tb testing.TB) *Machine {
	tb.Helper()
	inside, err := os.Readlink(network)
	if outside := os.Getenv(outsideEnv); err != nil || outside == "" || outside == inside {
		tb.Fatal(errors.Join(errNotAlone, err))
	}
	const over = "/mnt"
	script := `set -e
mount -t tmpfs none "$0"
for d in etc usr var root run srv; do
	mkdir "$0/$d" "$0/$d.work"
	mount -t overlay none -o "lowerdir=/$d,upperdir=$0/$d,workdir=$0/$d.work" "/$d"
done
`
	if out, err := exec.CommandContext(tb.Context(), "sh", "-c", script, over).CombinedOutput(); err != nil {
		tb.Fatalf("%v: %s", err, out)
	}
	if err := errors.Join(os.Rename("/usr/bin/systemctl", "/usr/bin/systemctl.real"), os.WriteFile("/usr/bin/systemctl", systemctl, 0o755)); err != nil { //nolint:gosec // a program
		tb.Fatal(err)
	}
	m := &Machine{Limit: 5 * time.Minute}
	tb.Cleanup(m.EndBackground)
	return m
}

const (
	keyboard = "/run/keyboard" // a file whose text somebody types into the next block of commands
	where    = "/run/where"    // the folder that the last commands ended in, where the next begin
)

func (m *Machine) command(ctx context.Context, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", "trap 'pwd >"+where+"' EXIT\n"+script) //nolint:gosec // of the documents
	cmd.Dir = "/root"
	if dir, err := os.ReadFile(where); err == nil {
		cmd.Dir = strings.TrimSpace(string(dir))
	}
	cmd.Env = append(os.Environ(), append([]string{"HOME=/root", "USER=alice", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_OFFLINE=1", "NO_COLOR=1"}, m.Env...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// Do runs commands until they end. It returns what they print, its errors beside it, and
// their exit code.
func (m *Machine) Do(ctx context.Context, script string) (stdout, stderr string, exit int, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.Limit)
	defer cancel()
	cmd := m.command(ctx, script)
	typed, err := os.ReadFile(keyboard)
	if err == nil {
		_ = os.Remove(keyboard)
		cmd.Stdin = bytes.NewReader(typed)
	}
	var out, faults bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &faults
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("it did not end within %s", m.Limit)
	} else if wrong := new(exec.ExitError); errors.As(err, &wrong) {
		err = nil
	}
	return out.String(), faults.String(), cmd.ProcessState.ExitCode(), err
}

// Begin starts a command that goes on until EndBackground. What it says goes to the
// file background.log of the home folder.
func (m *Machine) Begin(ctx context.Context, script string) error {
	log, err := os.OpenFile(filepath.Join("/root", "background.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := m.command(context.WithoutCancel(ctx), strings.TrimSpace(script))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	m.behind = append(m.behind, cmd)
	return nil
}

// EndBackground ends what Begin started, as Ctrl-C does.
func (m *Machine) EndBackground() {
	for _, cmd := range m.behind {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		done := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		_ = cmd.Wait()
		done.Stop()
	}
	m.behind = nil
}
