package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

func TestMain(m *testing.M) { lab.Main(m) }

// newDatabase returns an empty database.
func newDatabase(t *testing.T) Database {
	t.Helper()
	at := time.Date(2026, 9, 1, 2, 3, 11, 0, time.UTC)
	return Database{URL: lab.Database(t), Zone: time.UTC, Log: slog.New(slog.DiscardHandler), Now: func() time.Time {
		at = at.Add(time.Minute)
		return at
	}}
}

func (d Database) book(t *testing.T) *persist.Book {
	t.Helper()
	book, err := persist.Open(t.Context(), d.URL, time.UTC, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// nights fills a database with three runs, and returns their reports.
func (d Database) nights(t *testing.T) []state.Report {
	t.Helper()
	book := d.book(t)
	defer book.Close()
	booklab.Night(t, book, booklab.Up("127.0.0.1", "a.example.org", booklab.Port(22, "ssh", "OpenSSH", "9.2"), booklab.Port(80, "http", "nginx", "1.22")))
	if _, err := book.Approve(t.Context(), state.Grant{Scope: state.Scope{All: true}, By: "alice", Via: "cli", Reason: "baseline"}); err != nil {
		t.Fatal(err)
	}
	booklab.Night(t, book, booklab.Up("127.0.0.1", "a.example.org", booklab.Port(22, "ssh", "OpenSSH", "9.2")))
	booklab.Night(t, book, booklab.Up("127.0.0.1", "a.example.org", booklab.Port(22, "ssh", "Dropbear", "2022"), booklab.Port(8080, "http", "", "")))
	return reports(t, book)
}

func reports(t *testing.T, book *persist.Book) []state.Report {
	t.Helper()
	var list []state.Report
	for run := range int64(3) {
		r, err := book.Report(t.Context(), run+1)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

func (d Database) exec(t *testing.T, sql string) {
	t.Helper()
	conn, err := d.connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// left returns the databases that a test left beside its own.
func (d Database) left(t *testing.T) (names []string) {
	t.Helper()
	conn, err := d.elsewhere(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	own := conn.Config().Database
	if config, err := d.config(""); err == nil {
		own = config.Database
	}
	rows, err := conn.Query(t.Context(), "select datname from pg_database where starts_with(datname, $1) or starts_with(datname, $2) and datname <> $3", scratchPrefix(own), shortened(own, 40), own)
	if err != nil {
		t.Fatal(err)
	}
	if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestBackupIsPutBack(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	before := d.nights(t)
	dir := filepath.Join(t.TempDir(), "backups")
	made, err := d.DumpInto(t.Context(), dir, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(made.Path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != made.Bytes || !made.Tried || made.Rows < 20 || made.Found.Runs != 3 || made.Note != "" {
		t.Errorf("made %+v, file %v, %v", made, info, err)
	}
	d.exec(t, "insert into audit (actor, via, action, subject) values ('bob', 'cli', 'later', 'than the backup')")

	var full *NotEmptyError
	if _, err := d.Restore(t.Context(), made.Path, How{}); !errors.As(err, &full) {
		t.Errorf("restored over what is there: %v", err)
	}
	book := d.book(t)
	var used *InUseError
	if _, err := d.Restore(t.Context(), made.Path, How{Replace: true}); !errors.As(err, &used) {
		t.Errorf("restored under the feet of a book: %v", err)
	}
	book.Close()
	d.Now = func() time.Time { return time.Date(2026, 9, 2, 3, 4, 5, 0, time.UTC) }
	put, err := d.Restore(t.Context(), made.Path, How{Replace: true})
	if err != nil || !strings.HasSuffix(put.Old, "_before_20260902_030405") || put.Found.Runs != 3 {
		t.Fatalf("%+v, %v", put, err)
	}
	if left := d.left(t); len(left) != 1 || left[0] != put.Old {
		t.Errorf("beside the database: %q, want the old one, %s", left, put.Old)
	}
	book = d.book(t)
	if after := reports(t, book); !reflect.DeepEqual(before, after) {
		t.Errorf("the reports are\n%+v\nwere\n%+v", after, before)
	}
	lines, err := book.Audit(t.Context(), 10)
	if err != nil || strings.Contains(fmt.Sprint(lines), "later") {
		t.Errorf("what came later is still there: %v, %v", lines, err)
	}
	// The next run goes on in the chain.
	booklab.Night(t, book, booklab.Up("127.0.0.1", "a.example.org"))
	if v, err := book.Verify(t.Context(), persist.Verify{}); err != nil || len(v.Deviations) > 0 || v.Runs != 4 {
		t.Errorf("%+v, %v", v, err)
	}
	book.Close()
	old := put.Old
	d.Now = time.Now
	if put, err = d.Restore(t.Context(), made.Path, How{Replace: true, DropOld: true}); err != nil || put.Old != "" {
		t.Errorf("%+v, %v", put, err)
	}
	if left := d.left(t); len(left) != 1 || left[0] != old {
		t.Errorf("beside the database: %q", left)
	}
	conn, err := d.elsewhere(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := dropDatabase(t.Context(), conn, old); err != nil {
		t.Error(err)
	}
}

func TestRestoreIntoAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	from, to := newDatabase(t), newDatabase(t)
	before := from.nights(t)
	path := filepath.Join(t.TempDir(), "ownmap.dump")
	if made, err := from.Dump(t.Context(), path, false); err != nil || made.Tried {
		t.Fatalf("%+v, %v", made, err)
	}
	for _, schema := range []bool{false, true} {
		if schema { // of a new machine, on which a command was called
			to = newDatabase(t)
			to.book(t).Close()
		}
		if put, err := to.Restore(t.Context(), path, How{}); err != nil || put.Old != "" {
			t.Fatalf("schema %v: %+v, %v", schema, put, err)
		}
		book := to.book(t)
		if after := reports(t, book); !reflect.DeepEqual(before, after) {
			t.Errorf("the reports are\n%+v\nwere\n%+v", after, before)
		}
		book.Close()
		if left := to.left(t); len(left) != 0 {
			t.Errorf("beside the database: %q", left)
		}
	}
}

// TestWhatComesMeanwhileIsKept holds that an empty database in which somebody writes between the
// look into it and the swap is kept beside the backup, as one that kept something.
func TestWhatComesMeanwhileIsKept(t *testing.T) {
	t.Parallel()
	from, to := newDatabase(t), newDatabase(t)
	from.nights(t)
	path := filepath.Join(t.TempDir(), "ownmap.dump")
	if _, err := from.Dump(t.Context(), path, false); err != nil {
		t.Fatal(err)
	}
	to.book(t).Close()
	empty := to
	to.Now = func() time.Time { // of the swap
		empty.exec(t, "insert into audit (at, actor, via, action, subject, detail) values (now(), 'alice', 'cli', 'approve', '127.0.0.1 22/tcp', '{}')")
		return empty.Now()
	}
	put, err := to.Restore(t.Context(), path, How{DropOld: true})
	if err != nil || put.Old == "" {
		t.Fatalf("%+v, %v", put, err)
	}
	if kept, err := to.contents(t.Context(), put.Old); err != nil || kept.audit != 1 {
		t.Errorf("kept %+v, %v", kept, err)
	}
	conn, err := to.elsewhere(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := dropDatabase(t.Context(), conn, put.Old); err != nil {
		t.Error(err)
	}
}

// TestWhatIsNotPutBack holds that a file which is not what it should be leaves the database as
// it is.
func TestWhatIsNotPutBack(t *testing.T) {
	t.Parallel()
	d, other := newDatabase(t), newDatabase(t)
	before := d.nights(t)
	dir := t.TempDir()
	good := filepath.Join(dir, "good.dump")
	if _, err := d.Dump(t.Context(), good, false); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dumpOf := func(d Database, name string) string {
		path := filepath.Join(dir, name)
		if _, err := d.Dump(t.Context(), path, false); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other.exec(t, "create table invoice (id int)")
	foreign := dumpOf(other, "foreign.dump")
	other = newDatabase(t)
	other.nights(t)
	other.exec(t, "update port_change set kind = 'port-found' where rev = 2")
	tampered := dumpOf(other, "tampered.dump")
	other.exec(t, "update schema_version set version = 999")
	newer := dumpOf(other, "newer.dump")
	damaged := append([]byte{}, content...)
	for i := len(damaged) * 3 / 4; i < len(damaged)*3/4+200; i++ {
		damaged[i] ^= 0x55
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "none.dump"), "no such file"},
		{write("empty.dump", nil), "no backup of OwnMap"},
		{write("plain.sql", []byte("create table run (id int);")), "no backup of OwnMap"},
		{write("begun.dump", content[:100]), "may not be whole"},
		{write("half.dump", content[:len(content)/2]), ""},
		{write("most.dump", content[:len(content)-40]), ""},
		{write("damaged.dump", damaged), ""},
		{foreign, "no backup of OwnMap"},
		{tampered, "run 2: port_change: a row of 1 was changed"},
		{newer, "schema version 999"},
	} {
		if _, err := d.Restore(t.Context(), c.path, How{Replace: true}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", filepath.Base(c.path), err, c.want)
		}
	}
	if left := d.left(t); len(left) != 0 {
		t.Errorf("beside the database: %q", left)
	}
	book := d.book(t)
	defer book.Close()
	if after := reports(t, book); !reflect.DeepEqual(before, after) {
		t.Error("the database is not what it was")
	}
}

func TestOldBackupsGo(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.book(t).Close()
	dir := t.TempDir()
	for _, name := range []string{"ownmap-latest.dump", "notes.txt", ".ownmap-1.dump", ".ownmap-2.dump"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := d.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, ".ownmap-1.dump"), old, old); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := d.DumpInto(t.Context(), dir, false, 2); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(dir)
	if err != nil || len(files) != 2 || !files[0].At.After(files[1].At) || files[0].Bytes == 0 {
		t.Errorf("%+v, %v", files, err)
	}
	for name, there := range map[string]bool{"ownmap-latest.dump": true, "notes.txt": true, ".ownmap-1.dump": false, ".ownmap-2.dump": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
	if newest, ok, err := Newest(filepath.Join(dir, "missing")); ok || err != nil {
		t.Errorf("a directory that is not there: %v, %v", newest, err)
	}
}

// TestBackupWithoutTheRight holds that a role which may create no database gets a backup, and
// is told that nobody tried it.
func TestBackupWithoutTheRight(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.nights(t)
	d.exec(t, "do $$ begin create role backup_reader; exception when duplicate_object or unique_violation then null; end $$; grant pg_read_all_data to backup_reader")
	d.URL += "&role=backup_reader"
	path := filepath.Join(t.TempDir(), "ownmap.dump")
	made, err := d.Dump(t.Context(), path, true)
	if err != nil || made.Tried || !strings.Contains(made.Note, "may not create databases") {
		t.Errorf("%+v, %v", made, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != made.Bytes {
		t.Error(err)
	}
}

func TestOneBackupAtATime(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	conn, err := d.connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := alone(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := d.Dump(t.Context(), filepath.Join(dir, "x.dump"), true); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left %v, %v", entries, err)
	}
}

// TestPasswordsAreInNoArgument runs programs that write down what they are called with.
func TestPasswordsAreInNoArgument(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://ownmap:s%20cret@db.example.org:5433/inventory?sslmode=require&pool_max_conns=3",
		`host=db.example.org port=5433 user=ownmap password='s cret' dbname=inventory sslmode = require`,
	} {
		env, err := Database{URL: url}.environment()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		script := "#!/bin/sh\nfor a in \"$@\"; do echo \"argument $a\"; done\nenv\n"
		if err := os.WriteFile(filepath.Join(dir, "pg_dump"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		out, err := programs{dir, env}.output(t.Context(), "pg_dump", "--format=custom")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"argument --format=custom\n", "PGHOST=db.example.org\n", "PGPORT=5433\n", "PGUSER=ownmap\n", "PGPASSWORD=s cret\n", "PGDATABASE=inventory\n", "PGSSLMODE=require\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", url, want, out)
			}
		}
		if strings.Count(out, "cret") != 1 || strings.Count(out, "argument") != 1 {
			t.Errorf("%s: %s", url, out)
		}
	}
}

func TestNamesOfOtherDatabases(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"postgres://u:p@h:1/a?sslmode=disable":              "postgres://u:p@h:1/b?sslmode=disable",
		"postgres:///a?host=%2Frun&dbname=c&port=5432":      "postgres:///b?host=%2Frun&port=5432",
		"host=/run dbname=a user='x y'":                     "host=/run dbname=a user='x y' dbname=b",
		"postgresql://h/a%2Fb?application_name=x%20y&c=%26": "postgresql://h/b?application_name=x+y&c=%26",
	} {
		if got := named(raw, "b"); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}
