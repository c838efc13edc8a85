package private

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxLog is the size in bytes from which server.log is put aside at a start.
const maxLog = 8 << 20

// initialize makes the data directory with its database under a name of its own
// and renames it only when it is whole and on disk.
func (s *Server) initialize(ctx context.Context, bin binaries, running *flock, out *output) error {
	name := fmt.Sprintf("data.init-%d-%d", os.Getpid(), time.Now().UnixNano())
	dir := filepath.Join(s.path("pg"), name)
	steps := []struct {
		stdin string
		argv  []string
	}{
		// C: a new libc cannot break the indexes. Synced once, by the last step.
		{argv: []string{"initdb", "-D", dir, "-U", role, "-A", "peer", "-k", "-N", "--locale=C", "-E", "UTF8", "--no-instructions"}},
		{argv: []string{"postgres", "--single", "-F", "-D", dir, "-c", "exit_on_error=on", "postgres"}, stdin: "CREATE DATABASE " + role + ";\n"},
		{argv: []string{"initdb", "-S", "-D", dir}},
	}
	if slices.Contains(s.settings, "fsync=off") {
		steps = steps[:2]
	}
	for _, step := range steps {
		cmd := s.command(ctx, filepath.Join(bin.dir, step.argv[0]), step.argv[1:], running, out)
		cmd.Stdin = strings.NewReader(step.stdin)
		if err := cmd.Run(); err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("create the database in %s: %s: %w: %s", s.dir, step.argv[0], err, out.tail()))
		}
	}
	return s.inside(func(pg *os.Root) error {
		if err := pg.Rename(name, "data"); err != nil {
			return err
		}
		here, err := pg.Open(".")
		if err != nil {
			return err
		}
		return errors.Join(here.Sync(), here.Close())
	})
}

// spawn starts the server. The shell in between makes it nobody's child, so that
// it leaves no zombie when it ends before this program.
func (s *Server) spawn(ctx context.Context, bin binaries, running *flock, out *output) error {
	root, err := userName(ctx, os.Geteuid())
	if err != nil {
		return err
	}
	hba := "local all " + role + " peer map=" + role + "\n"
	ident := fmt.Sprintf("%s %q %s\n%[1]s %[4]q %[3]s\n", role, root, role, s.account.name)
	if err := errors.Join(s.write("pg_hba.conf", hba), s.write("pg_ident.conf", ident)); err != nil {
		return err
	}
	argv := []string{"-c", `"$0" "$@" </dev/null &`, filepath.Join(bin.dir, "postgres"), "-D", s.data()}
	for _, setting := range append([]string{
		"listen_addresses=", "port=5432", "cluster_name=ownmap",
		"unix_socket_directories=" + s.socket, "unix_socket_permissions=0700",
		"hba_file=" + s.path("pg_hba.conf"), "ident_file=" + s.path("pg_ident.conf"),
		"logging_collector=off", "log_destination=stderr", "log_checkpoints=off",
		"timezone=UTC", "log_timezone=UTC", "shared_buffers=64MB", "jit=off",
		// A killed client's statement ends, and its locks go, within this time.
		"client_connection_check_interval=5s",
	}, s.settings...) {
		argv = append(argv, "-c", setting)
	}
	if err := s.command(ctx, "/bin/sh", argv, running, out).Run(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("start PostgreSQL in %s: %w", s.dir, err))
	}
	return nil
}

// halt stops the server, if there is one, and waits until its last process is gone.
func (s *Server) halt(ctx context.Context) error {
	var told bool
	var trouble error
	for next := time.Now(); ; {
		gone, err := free(s.path("server.lock"))
		if err != nil {
			return err
		}
		if gone {
			if s.socket != s.path("run") {
				_ = s.account.do(func() error { return os.Remove(s.socket) })
			}
			return nil
		}
		// A server that has just begun has no pid file yet: told until it hears.
		if !told && !time.Now().Before(next) {
			trouble = s.tell(ctx)
			told = trouble == nil
			next = time.Now().Add(10 * tick)
		}
		if err := pause(ctx); err != nil {
			return errors.Join(err, trouble)
		}
	}
}

// tell asks the server to stop, as its own user: a pid file can name any process.
func (s *Server) tell(ctx context.Context) error {
	major, err := s.major()
	if err != nil {
		return err
	}
	bin, err := s.find(ctx, major)
	if err != nil {
		return err
	}
	cmd := s.command(ctx, filepath.Join(bin.dir, "pg_ctl"), []string{"stop", "-D", s.data(), "-m", "fast", "-W"}, nil, nil)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_ctl stop: %w: %s", err, strings.TrimSpace(string(text)))
	}
	return nil
}

// command prepares a program of PostgreSQL, which inherits the running lock. When
// ctx ends it is killed with all of its session's processes.
func (s *Server) command(ctx context.Context, path string, args []string, running *flock, out *output) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // a PostgreSQL program that find chose
	cmd.SysProcAttr, cmd.Env, cmd.Dir = s.account.process(), environment(), s.path("pg")
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	if running != nil {
		cmd.ExtraFiles = []*os.File{running.file}
	}
	if out != nil {
		cmd.Stdout, cmd.Stderr = out.file, out.file
	}
	return cmd
}

// write replaces a file of the state directory that the server may read.
func (s *Server) write(name, text string) error {
	temporary := s.path(name + ".new")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		return err
	}
	// Not left to the umask: the server's user must be able to read it.
	if err := os.Chmod(temporary, 0o644); err != nil { //nolint:gosec // no secret in it
		return err
	}
	return os.Rename(temporary, s.path(name))
}

// output is server.log and where this start began in it.
type output struct {
	file  *os.File
	start int64
}

// openLog opens server.log for the server to append to, and puts a long one aside.
func (s *Server) openLog() (*output, error) {
	path := s.path("server.log")
	if info, err := os.Lstat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	start, err := f.Seek(0, io.SeekEnd)
	return &output{f, start}, err
}

func (o *output) close() { _ = o.file.Close() }

// tail returns the end of what PostgreSQL printed since this start, on one line.
func (o *output) tail() string {
	text, err := io.ReadAll(io.NewSectionReader(o.file, o.start, maxLog))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-6):], "; ")
}
