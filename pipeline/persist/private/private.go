// Package private runs a PostgreSQL of OwnMap's own from the system's binaries,
// for installations that name no database. It listens on a Unix socket only and
// keeps its data under the state directory:
//
//	start.lock   held while a program decides to start or stop the server
//	users.lock   held shared by every program that uses the server
//	server.lock  held by the server's own processes, initdb's too
//	server.log   what the server prints; pg_hba.conf and pg_ident.conf beside it
//	pg/          the data directory's room
//	run/         the socket
//
// All locks are flock(2) locks, which the kernel drops when the last process that
// holds them dies: nothing has to be cleaned up after kill -9, and no process id
// is ever trusted. Started by root, the server runs as an unprivileged user, who
// owns pg and run and nothing else; work in there is done with that user's rights.
package private

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Errors of Start. Each comes wrapped in a message that names the place and the
// remedy.
var (
	// ErrNoBinaries says that no usable PostgreSQL server is installed.
	ErrNoBinaries = errors.New("no PostgreSQL server programs")
	// ErrWrongMajor says that the data needs another major version of PostgreSQL.
	ErrWrongMajor = errors.New("wrong PostgreSQL major version")
	// ErrAccess says that the state directory, or the way to it, is not for the
	// user who starts the server or not for the user who runs it.
	ErrAccess = errors.New("no access")
	// ErrNoUser says that there is no user to run the server as.
	ErrNoUser = errors.New("no user to run PostgreSQL as")
	// ErrInUse says that a PostgreSQL that OwnMap did not start uses the data.
	ErrInUse = errors.New("data directory in use")
)

const (
	role     = "ownmap" // database superuser, and the database's name
	minMajor = 14       // oldest PostgreSQL that OwnMap runs on
	tick     = 20 * time.Millisecond
	patience = 60 * time.Second // how long a server may give no sign of life
	farewell = 15 * time.Second // how long a failed start waits for its server to stop
)

// Server is this program's share in the private server of a state directory.
type Server struct {
	dir      string
	socket   string // directory of the socket
	account  account
	log      *slog.Logger
	settings []string
	share    *flock
}

// Start returns a share in the private server of the state directory dir, made
// if it is missing. It starts the server unless one runs already, creates the
// data on the first start, and never deletes or upgrades data. Settings are
// further name=value settings for a server that this very call starts; the tests
// turn fsync off that way.
//
// When ctx ends Start gives up and takes back what it began. The errors are
// ErrNoBinaries, ErrWrongMajor, ErrAccess, ErrNoUser, ErrInUse, or what
// PostgreSQL itself said.
func Start(ctx context.Context, dir string, log *slog.Logger, settings ...string) (*Server, error) {
	dir, err := stateDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, log: log, settings: settings}
	decision, err := acquire(ctx, s.path("start.lock"), unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer decision.release()
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	if s.share, err = acquire(ctx, s.path("users.lock"), unix.LOCK_SH); err != nil {
		return nil, err
	}
	if err := s.ensure(ctx); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		return nil, errors.Join(err, s.leave(ctx))
	}
	return s, nil
}

// URL returns the connection string for pgx: the database ownmap as its
// superuser ownmap over the Unix socket.
func (s *Server) URL() string {
	u := url.URL{Scheme: "postgres", Path: "/" + role}
	u.RawQuery = url.Values{
		"host": {s.socket}, "port": {"5432"}, "user": {role}, "sslmode": {"disable"},
	}.Encode()
	return u.String()
}

// Stop gives back this program's share; connections should be closed before. The
// last program to go stops the server and waits until it is gone, for which ctx
// should allow some seconds. Further calls do nothing. Stop is not for several
// goroutines at once.
func (s *Server) Stop(ctx context.Context) error {
	if s.share == nil {
		return nil
	}
	decision, err := acquire(ctx, s.path("start.lock"), unix.LOCK_EX)
	if err != nil {
		s.share.release()
		s.share = nil
		return err
	}
	defer decision.release()
	return s.leave(ctx)
}

// leave releases the share and stops the server if nobody else has one. The
// caller holds start.lock.
func (s *Server) leave(ctx context.Context) error {
	s.share.release()
	s.share = nil
	users, err := try(s.path("users.lock"), unix.LOCK_EX)
	if err != nil || users == nil {
		return err
	}
	defer users.release()
	if err := s.halt(ctx); err != nil {
		return fmt.Errorf("stop the private PostgreSQL in %s: %w", s.dir, err)
	}
	return nil
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// data is the data directory of the server.
func (s *Server) data() string { return filepath.Join(s.dir, "pg", "data") }

// pause waits one tick, or less when ctx ends.
func pause(ctx context.Context) error {
	timer := time.NewTimer(tick)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
