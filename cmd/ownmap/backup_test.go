package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/lab"
)

const backupConfig = `
targets: [{hosts: 127.9.27.0/29, profile: few, tags: [prod], owner: web-team@example.org}]
profiles: {few: {ports: "22701-22708", services: false}}
`

// ok calls ownmap and wants exit code 0.
func (i instance) ok(t *testing.T, args ...string) string {
	t.Helper()
	out, stderr, code := i.call(t, args...)
	if code != 0 {
		t.Fatalf("ownmap %v: exit code %d: %s", args, code, stderr)
	}
	return out
}

// invented takes some nights through a house, without nmap.
func (i instance) invented(t *testing.T, nights int) {
	t.Helper()
	h := i.open(t)
	defer h.close(context.WithoutCancel(t.Context()))
	for n := range nights {
		network := newStoryNetwork()
		for port := range 3 + n%3 {
			happen(t, network, fmt.Sprintf("127.9.27.%d opens %d/tcp", 1+n%2, 22701+port))
		}
		if _, err := h.runInvented(t.Context(), network, func() {}); err != nil {
			t.Fatal(err)
		}
	}
}

// everyReport renders all runs in every format.
func (i instance) everyReport(t *testing.T, runs int) map[string]string {
	t.Helper()
	h := i.open(t)
	defer h.close(context.WithoutCancel(t.Context()))
	all := map[string]string{}
	for run := range runs {
		report, err := h.book.Report(t.Context(), int64(run+1))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range h.app.reportFormats(h.look) {
			var text strings.Builder
			if err := f.write(&text, report); err != nil {
				t.Fatal(err)
			}
			all[fmt.Sprint(run+1, " ", f.names[0])] = text.String()
		}
	}
	return all
}

// TestBackupDropRestore loses the database, in a private server and in one of the user's own,
// puts a backup back, and wants every report of before to the byte.
func TestBackupDropRestore(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, i instance){
		"private": func(t *testing.T, i instance) {
			t.Helper()
			if err := os.RemoveAll(filepath.Join(i.variable(t, "STATE_DIRECTORY"), "pg")); err != nil {
				t.Fatal(err)
			}
		},
		"url": func(t *testing.T, i instance) {
			t.Helper()
			conn, err := pgx.Connect(t.Context(), i.variable(t, "DATABASE_URL"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.WithoutCancel(t.Context()))
			if _, err := conn.Exec(t.Context(), "drop schema public cascade; drop schema if exists river cascade; create schema public"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := backupConfig
			if name == "url" {
				config += "database: {url: \"${DATABASE_URL}\"}\n"
			}
			i := newInstance(t, config)
			if name == "private" {
				i.env = append(i.env, "STATE_DIRECTORY="+lab.StateDir(t))
			}
			i.invented(t, 2)
			i.ok(t, "approve", "--all", "--reason", "baseline", "--by", "alice")
			i.invented(t, 2)
			before := i.everyReport(t, 4)
			dir := filepath.Join(i.dir, "backups") + "/"
			out := i.ok(t, "db", "backup", "--keep", "3", dir)
			if !strings.Contains(out, "restored on trial, 4 runs are as they were kept") {
				t.Errorf("backup says %s", out)
			}
			file, _, _ := strings.Cut(out, "\n")
			lose(t, i)
			i.ok(t, "db", "restore", file)
			if out := i.ok(t, "verify"); !strings.HasPrefix(out, "4 runs are as they were kept") {
				t.Errorf("verify says %s", out)
			}
			after := i.everyReport(t, 4)
			if len(after) != len(before) || len(after) < 20 {
				t.Errorf("%d reports, %d before", len(after), len(before))
			}
			for name, now := range after {
				if now != before[name] {
					t.Errorf("run %s is not the same:\n%.1000s\nwas\n%.1000s", name, now, before[name])
				}
			}
		})
	}
}

// variable returns a variable of the environment of an instance.
func (i instance) variable(t *testing.T, name string) string {
	t.Helper()
	for _, pair := range slices.Backward(i.env) {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	t.Fatalf("no %s", name)
	return ""
}

// TestRestoreIsKilled kills a restore as soon as it has a database to restore into, when nothing
// may be changed yet, and near its end, when it may be: the database is the old one or, at the
// end, the new one, and the next restore works.
func TestRestoreIsKilled(t *testing.T) {
	t.Parallel()
	i := newInstance(t, backupConfig+"database: {url: \"${DATABASE_URL}\"}\n")
	i.invented(t, 2)
	file := filepath.Join(i.dir, "ownmap.dump")
	i.ok(t, "db", "backup", "--no-verify", file)
	conn, name := i.beside(t)
	restore := []string{"db", "restore", "--replace", "--drop-old", file}
	killed := func(after time.Duration) (verified string) {
		t.Helper()
		i.invented(t, 1)
		cmd := i.command(t.Context(), restore...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		scratch := fmt.Sprintf("ownmap_scratch_%x_", sha256.Sum256([]byte(name)))[:len("ownmap_scratch_")+8]
		waitFor(t, 20*time.Second, "a database to restore into", func() bool {
			var there bool
			err := conn.QueryRow(t.Context(), "select exists (select from pg_database where starts_with(datname, $1))", scratch).Scan(&there)
			return err == nil && there
		})
		time.Sleep(after)
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		if err := cmd.Wait(); err == nil && after == 0 {
			t.Error("it ended before it could be killed")
		}
		return i.ok(t, "verify")
	}
	again := func() {
		t.Helper()
		waitFor(t, 20*time.Second, "the killed one to be gone", func() bool {
			_, _, code := i.call(t, restore...)
			return code == 0
		})
		if out := i.ok(t, "verify"); !strings.HasPrefix(out, "2 runs are as they were kept") {
			t.Errorf("after another restore: %s", out)
		}
	}
	if out := killed(0); !strings.HasPrefix(out, "3 runs are as they were kept") {
		t.Errorf("killed before it changed anything: %s", out)
	}
	begin := time.Now()
	again()
	if out := killed(time.Since(begin) / 2); !strings.HasPrefix(out, "3 runs are as they were kept") && !strings.HasPrefix(out, "2 runs are as they were kept") {
		t.Errorf("killed later: %s", out)
	}
	again()
	rows, err := conn.Query(t.Context(), "select format('drop database %I', datname) from pg_database where starts_with(datname, $1 || '_before_')", name)
	if err != nil {
		t.Fatal(err)
	}
	drops, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, drop := range drops { // of one that was killed when it had swapped
		if _, err := conn.Exec(t.Context(), drop); err != nil {
			t.Error(err)
		}
	}
}

// beside connects to the server of an instance, not to its database, whose name it returns.
func (i instance) beside(t *testing.T) (conn *pgx.Conn, name string) {
	t.Helper()
	config, err := pgx.ParseConfig(i.variable(t, "DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	name, config.Database = config.Database, "postgres"
	conn, err = pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn, name
}
