package private

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// binaries is a directory with the server programs of one PostgreSQL.
type binaries struct {
	dir   string
	major int
}

// find returns the programs of exactly the major version that the data is of, or
// the newest ones if there is no data yet (major 0).
func (s *Server) find(ctx context.Context, major int) (binaries, error) {
	var found []int
	var best binaries
	for _, dir := range candidates(os.Getenv("OWNMAP_PG_BIN"), os.Getenv("PATH"), "postgres", "initdb", "pg_ctl") {
		b := binaries{dir: dir}
		if b.major = s.majorOf(ctx, b); b.major < minMajor {
			continue
		}
		if b.major == major {
			return b, nil
		}
		found = append(found, b.major)
		if b.major > best.major {
			best = b
		}
	}
	switch {
	case ctx.Err() != nil:
		return best, fmt.Errorf("look for PostgreSQL: %w", ctx.Err())
	case len(found) == 0:
		where := "in /usr/lib/postgresql, /usr/pgsql-* and PATH"
		if dir := os.Getenv("OWNMAP_PG_BIN"); dir != "" {
			where = "in " + dir + " (OWNMAP_PG_BIN)"
		}
		return best, fmt.Errorf("%w of version %d or later %s: install PostgreSQL's server: apt-get install postgresql", ErrNoBinaries, minMajor, where)
	case major != 0:
		return best, fmt.Errorf("%w: the data in %s is of PostgreSQL %d, installed is %d; install that version's server again (apt-get install postgresql-%d), or name its programs' directory in OWNMAP_PG_BIN. The data is untouched", ErrWrongMajor, s.data(), major, slices.Max(found), major)
	}
	return best, nil
}

// candidates lists the directories that have programs of PostgreSQL. OWNMAP_PG_BIN stands
// for all others.
func candidates(own, path string, programs ...string) []string {
	if own != "" {
		return []string{own}
	}
	var dirs []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*"} {
		match, err := filepath.Glob(pattern)
		if err == nil {
			dirs = append(dirs, match...)
		}
	}
	dirs = append(dirs, filepath.SplitList(path)...)
	return slices.DeleteFunc(dirs, func(dir string) bool {
		missing := func(name string) bool {
			_, err := os.Stat(filepath.Join(dir, name))
			return err != nil
		}
		return !filepath.IsAbs(dir) || slices.ContainsFunc(programs, missing)
	})
}

// majorOf asks the server program for its version, "postgres (PostgreSQL) 15.18
// (Debian 15.18-0+deb12u1)", and returns 0 if it gives none.
func (s *Server) majorOf(ctx context.Context, b binaries) int {
	cmd := exec.CommandContext(ctx, filepath.Join(b.dir, "postgres"), "--version") //nolint:gosec // as the server's user
	cmd.SysProcAttr, cmd.Env, cmd.Dir = s.account.process(), environment(), "/"
	out, err := cmd.Output()
	if err != nil {
		s.log.DebugContext(ctx, "server program does not run", "dir", b.dir, "error", err)
		return 0
	}
	return majorIn(string(out))
}

// majorIn reads a major version in what a program says of itself; 0: there is none.
func majorIn(text string) int {
	_, version, _ := strings.Cut(text, "(PostgreSQL) ")
	digits := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	major, err := strconv.Atoi(version[:max(digits, 0)])
	if err != nil {
		return 0
	}
	return major
}

// major returns the major version of the data, or 0 if there is none yet.
func (s *Server) major() (int, error) {
	var major int
	err := s.inside(func(pg *os.Root) error {
		text, err := pg.ReadFile("data/PG_VERSION")
		if errors.Is(err, fs.ErrNotExist) {
			if _, none := pg.Lstat("data"); errors.Is(none, fs.ErrNotExist) {
				return nil
			}
		}
		if err == nil {
			major, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		if err != nil {
			return fmt.Errorf("%s is not a PostgreSQL data directory (%w); it is left untouched: move it away", s.data(), err)
		}
		return nil
	})
	return major, err
}

// inside works in pg with the rights of the server's user and never leaves it by
// a link.
func (s *Server) inside(f func(pg *os.Root) error) error {
	return s.account.do(func() error {
		pg, err := os.OpenRoot(s.path("pg"))
		if err != nil {
			return err
		}
		return errors.Join(f(pg), pg.Close())
	})
}

// environment is what PostgreSQL's programs get: none of the caller's PG*
// variables and no locale.
func environment() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
