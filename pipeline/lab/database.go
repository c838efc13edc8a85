package lab

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"ownmap/pipeline/persist/private"
)

// databaseURL names a PostgreSQL to test against, as a URL of a role that may
// create databases, instead of the lab's own server.
const databaseURL = "OWNMAP_TEST_DATABASE_URL"

// Database returns the URL of a fresh, empty database, dropped when the test
// ends. All tests of a `go test ./...` share one server, which nothing survives:
// it does not sync, and the last test to end stops it. OWNMAP_TEST_DATABASE_URL
// names another server to use.
func Database(tb testing.TB) string {
	tb.Helper()
	base := os.Getenv(databaseURL)
	if base == "" {
		base = server(tb)
	}
	return create(tb, base, "template0")
}

// create makes a database as a copy of another, and returns its URL. One connection
// does it all: a new one costs the server more than the copy.
func create(tb testing.TB, base, template string) string {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context()) // which ends before the cleanup
	c := connect(ctx, tb, base)
	dropForgotten(ctx, tb, c)
	name, err := copyDatabase(ctx, c, template)
	if err != nil {
		tb.Fatalf("create a database for the test: %v", err)
	}
	tb.Cleanup(func() {
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	return at(tb, base, name)
}

// copyDatabase copies a database to one of a new name. Files are copied as they are: to
// write all of it to the log costs five times as much.
func copyDatabase(ctx context.Context, c *pgx.Conn, template string) (name string, err error) {
	name = fmt.Sprintf("lab_%d_%s", time.Now().Unix(), strings.ToLower(rand.Text()[:12]))
	statement := "CREATE DATABASE " + name + " TEMPLATE " + template
	if c.PgConn().ParameterStatus("server_version") >= "15" { // older ones know no other way
		statement += " STRATEGY file_copy"
	}
	_, err = c.Exec(ctx, statement)
	return name, err
}

// at is the URL of another database of a server.
func at(tb testing.TB, base, name string) string {
	tb.Helper()
	u, err := url.Parse(base)
	if err != nil || u.Scheme == "" {
		tb.Fatalf("%s is not a URL: %v", databaseURL, err)
	}
	u.Path = "/" + name
	return u.String()
}

// Main runs a package's tests with the server kept running from the first to the
// last, which saves serial tests a start and a stop each, and returns their result. It
// drops the templates that they made:
//
//	func TestMain(m *testing.M) { lab.Main(m) } // the testing package exits with its result
//
// It panics when the server does not start or stop.
func Main(m interface{ Run() int }, templates ...*Template) int {
	ctx := context.Background() //nolint:forbidigo // a TestMain has no other
	if os.Getenv(databaseURL) == "" {
		s, err := start(ctx)
		if err != nil {
			panic("start the lab's database: " + err.Error())
		}
		defer func() {
			if err := s.Stop(ctx); err != nil {
				panic("stop the lab's database: " + err.Error())
			}
		}()
	}
	code := m.Run()
	for _, t := range templates {
		if err := t.drop(ctx); err != nil {
			panic("drop a template: " + err.Error())
		}
	}
	return code
}

// server holds a share in the lab's server until the test has ended.
func server(tb testing.TB) string {
	tb.Helper()
	s, err := start(tb.Context())
	if err != nil {
		tb.Fatalf("start the lab's database: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(tb.Context())); err != nil {
			tb.Errorf("stop the lab's database: %v", err)
		}
	})
	return s.URL()
}

// StateDir returns the path of a state directory, not made yet, for a private
// server. The server's user must be able to pass to it, which it cannot to a
// directory of tb.TempDir when root runs the tests. A server started in it is to
// be stopped before the test's earlier clean-ups run.
func StateDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp(cmp.Or(memory(), openTemp()), "ownmap-test-") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // open to pass, not to read
		tb.Fatal(err)
	}
	return filepath.Join(dir, "state")
}

// openTemp is the directory for temporary files, or /tmp if root's is closed to
// others.
func openTemp() string {
	temp := os.TempDir()
	for dir := temp; os.Geteuid() == 0 && dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode()&0o001 == 0 {
			return "/tmp"
		}
	}
	return temp
}

// memory is a directory for files that is no disk, or nothing where there is none with room:
// ext4 takes up to ten times as long to make the hundreds of files of a database. Who names
// a directory in TMPDIR gets that one.
func memory() string {
	const dir, room = "/dev/shm", 2 << 30
	var fs unix.Statfs_t
	if os.Getenv("TMPDIR") != "" || unix.Statfs(dir, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return dir
}

func start(ctx context.Context) (*private.Server, error) {
	dir := filepath.Join(cmp.Or(memory(), openTemp()), "ownmap-lab-"+strconv.Itoa(os.Geteuid()))
	s, err := private.Start(ctx, dir, slog.New(slog.DiscardHandler),
		"fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300",
		// Databases live for seconds: nothing is to be cleaned up, counted or copied elsewhere.
		"autovacuum=off", "track_counts=off", "wal_level=minimal", "max_wal_senders=0", "update_process_title=off",
		"min_wal_size=32MB", "max_wal_size=256MB")
	if errors.Is(err, private.ErrWrongMajor) {
		err = fmt.Errorf("%w (nothing in the lab is worth keeping: rm -r %s)", err, dir)
	}
	return s, err
}

func connect(ctx context.Context, tb testing.TB, url string) *pgx.Conn {
	tb.Helper()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		tb.Fatalf("connect to the lab's database: %v", err)
	}
	return c
}

// dropForgotten drops databases of tests that were killed over an hour ago.
func dropForgotten(ctx context.Context, tb testing.TB, c *pgx.Conn) {
	tb.Helper()
	rows, err := c.Query(ctx, `SELECT datname FROM pg_database
		WHERE datname ~ '^lab_[0-9]+_' AND split_part(datname, '_', 2)::bigint < extract(epoch FROM now()) - 3600`)
	if err != nil {
		tb.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		tb.Fatal(err)
	}
	for _, name := range names {
		// Another test may be quicker.
		if _, err := c.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
			tb.Logf("drop a forgotten database: %v", err)
		}
	}
}
