package private_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/persist/private"
)

// childVar makes the test binary a program that starts the server of the
// directory it names, says so, and stops when its standard input ends.
const childVar = "OWNMAP_TEST_PRIVATE_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if err := os.RemoveAll(seed.home); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// seed is a state directory that a server was started in once, and what it lies in. Who
// wants no first start copies it: initdb takes seconds.
var seed struct {
	once sync.Once
	home string
	err  error
}

// installed is a state directory of the test's own, as a first start leaves it.
func installed(t *testing.T) string {
	t.Helper()
	dir := stateDir(t)
	seed.once.Do(func() {
		if seed.home, seed.err = os.MkdirTemp(filepath.Dir(filepath.Dir(dir)), "ownmap-seed-"); seed.err != nil { //nolint:usetesting // it outlives this test: others copy it
			return
		}
		if seed.err = os.Chmod(seed.home, 0o711); seed.err != nil {
			return
		}
		server, err := startIn(t.Context(), filepath.Join(seed.home, "state"))
		if err == nil {
			err = server.Stop(t.Context())
		}
		seed.err = err
	})
	if seed.err != nil {
		t.Fatal(seed.err)
	}
	copied(t, filepath.Join(seed.home, "state"), dir)
	return dir
}

// copied copies a directory with its owners and modes.
func copied(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func child(dir string) error {
	ctx := context.Background()
	server, err := startIn(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Println("up")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return server.Stop(ctx)
}

// program is a running child.
type program struct {
	*exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

func launch(t *testing.T, dir string) *program {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &program{Cmd: cmd, stdin: stdin, out: bufio.NewReader(stdout)}
}

func (p *program) up(t *testing.T) {
	t.Helper()
	if line, err := p.out.ReadString('\n'); line != "up\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
}

func (p *program) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
}

// stateDir is a state directory. Whatever server is left in it is stopped.
func stateDir(tb testing.TB) string {
	tb.Helper()
	dir := lab.StateDir(tb)
	tb.Cleanup(func() {
		if postmaster(dir) == 0 {
			return
		}
		if server, err := startIn(context.Background(), dir); err == nil {
			_ = server.Stop(context.Background())
		}
	})
	return dir
}

// startIn starts a server that does not sync: no test pulls the plug.
func startIn(ctx context.Context, dir string) (*private.Server, error) {
	return private.Start(ctx, dir, slog.New(slog.DiscardHandler), "fsync=off")
}

func start(tb testing.TB, dir string) *private.Server {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	server, err := startIn(ctx, dir)
	if err != nil {
		tb.Fatal(err)
	}
	return server
}

func stop(tb testing.TB, server *private.Server) {
	tb.Helper()
	if err := server.Stop(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// query runs one statement and returns its first column.
func query(t *testing.T, server *private.Server, sql string) string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	rows, err := c.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(values, " ")
}

// postmaster returns the process id in postmaster.pid, or 0.
func postmaster(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "pg", "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	var pid int
	_, _ = fmt.Sscan(string(text), &pid)
	return pid
}

// serverLives asks the lock that every process of the server holds.
func serverLives(t *testing.T, dir string) bool {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "server.lock"))
	if os.IsNotExist(err) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil
}

func waitGone(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); serverLives(t, dir); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("processes of the server are left")
		}
	}
}

// tree describes every file below dir, for "untouched".
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime().UnixNano(), info.Sys().(*syscall.Stat_t).Uid)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// asServer gives a file of the test to the server's user.
func asServer(t *testing.T, dir, path string) {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "pg"))
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	if err := os.Lchown(path, int(stat.Uid), int(stat.Gid)); err != nil {
		t.Fatal(err)
	}
}

// sleeper is a process of the server's user that has nothing to do with it.
func sleeper(t *testing.T, dir, cwd string) int {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "pg"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "600")
	cmd.Dir = cwd
	if os.Geteuid() == 0 {
		stat := info.Sys().(*syscall.Stat_t)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

func rewrite(t *testing.T, path, old, now string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), old, now, 1))
	if _, err := f.WriteAt(text, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(int64(len(text))); err != nil {
		t.Fatal(err)
	}
}
