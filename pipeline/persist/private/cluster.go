package private

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sys/unix"
)

// ensure makes sure that a server answers. The caller holds start.lock.
func (s *Server) ensure(ctx context.Context) error {
	alive, err := s.settle(ctx)
	if err != nil || alive {
		return err
	}
	running, err := try(s.path("server.lock"), unix.LOCK_EX)
	if err != nil {
		return err
	}
	if running == nil {
		return fmt.Errorf("%w: another program holds server.lock in %s", ErrInUse, s.dir)
	}
	defer running.pass()
	major, err := s.major()
	if err != nil {
		return err
	}
	bin, err := s.find(ctx, major)
	if err != nil {
		return err
	}
	if err := s.tidy(ctx); err != nil {
		return err
	}
	begun := time.Now()
	out, err := s.openLog()
	if err != nil {
		return err
	}
	defer out.close()
	if major == 0 {
		if err := s.initialize(ctx, bin, running, out); err != nil {
			return err
		}
	}
	if err := s.spawn(ctx, bin, running, out); err != nil {
		return err
	}
	running.pass() // now the lock shows whether the server lives
	if alive, err = s.settle(ctx); err == nil && !alive {
		err = fmt.Errorf("PostgreSQL %d in %s ended at once: %s", bin.major, s.dir, out.tail())
	}
	if err == nil {
		s.log.DebugContext(ctx, "private PostgreSQL started", "dir", s.dir, "major", bin.major, "user", s.account.name, "took", time.Since(begun))
	}
	return err
}

// settle waits until the server answers (true) or no process of it, nor of an
// initdb, is left (false). A server that says it is starting up, recovering or
// shutting down may take its time.
func (s *Server) settle(ctx context.Context) (bool, error) {
	for deadline := time.Now().Add(patience); ; {
		var refused *pgconn.PgError
		err := s.ping(ctx)
		switch {
		case err == nil:
			return true, nil
		case ctx.Err() != nil:
			return false, fmt.Errorf("wait for PostgreSQL in %s: %w", s.dir, ctx.Err())
		case !errors.As(err, &refused):
		case strings.HasPrefix(refused.Code, "57P"): // cannot_connect_now and its like
			deadline = time.Now().Add(patience)
		case refused.Code == "53300": // too_many_connections: alive
			return true, nil
		default:
			return false, fmt.Errorf("PostgreSQL in %s: %w", s.dir, err)
		}
		if gone, err := free(s.path("server.lock")); err != nil || gone {
			return false, err
		}
		if time.Now().After(deadline) {
			return false, fmt.Errorf("PostgreSQL in %s gave no sign of life for %s, see its server.log: %w", s.dir, patience, err)
		}
		if err := pause(ctx); err != nil {
			return false, fmt.Errorf("wait for PostgreSQL in %s: %w", s.dir, err)
		}
	}
}

// ping connects to the server. One that is paused accepts and never answers.
func (s *Server) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience/6)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	return connection.Close(ctx)
}

// tidy removes what dead servers left in the way. Holding server.lock proves that
// no process of OwnMap's server or of an initdb is left.
func (s *Server) tidy(ctx context.Context) error {
	err := s.inside(func(pg *os.Root) error {
		list, err := pg.Open(".")
		if err != nil {
			return err
		}
		names, err := list.Readdirnames(-1)
		for _, name := range names {
			if strings.HasPrefix(name, "data.init-") { // never became the data
				s.log.DebugContext(ctx, "removing an initdb that did not finish", "name", name)
				err = errors.Join(err, pg.RemoveAll(name))
			}
		}
		return errors.Join(err, list.Close(), s.unlock(pg, "data/postmaster.pid"))
	})
	if err != nil {
		return err
	}
	return s.account.do(func() error {
		run, err := os.OpenRoot(s.socket)
		if err != nil {
			return err
		}
		return errors.Join(s.unlock(run, ".s.PGSQL.5432.lock"), run.Close())
	})
}

// unlock removes a lock file of PostgreSQL whose process id has gone to a process
// that has nothing to do with it: PostgreSQL would refuse to start. All other
// stale ones it finds out about by itself.
func (s *Server) unlock(dir *os.Root, name string) error {
	text, err := dir.ReadFile(name)
	if err != nil {
		return nil //nolint:nilerr // no lock file, nothing in the way
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 0 || errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return nil //nolint:nilerr // nobody there
	}
	// Where the process's directory cannot be read, PostgreSQL's second interlock,
	// the shared memory of the data directory, still keeps two servers apart.
	sits, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if err == nil {
		if data, err := os.Stat(s.data()); err == nil && os.SameFile(sits, data) {
			return fmt.Errorf("%w: a PostgreSQL that OwnMap did not start (process %d) runs in %s: stop it first", ErrInUse, pid, s.data())
		}
	}
	return dir.Remove(name)
}
