package private_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/persist/private"
)

func TestFirstStartAndWarmStart(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	server := start(t, dir)
	for sql, want := range map[string]string{
		"SELECT concat(current_user, '@', current_database())": "ownmap@ownmap",
		"SHOW listen_addresses":                                "",
		"SHOW data_checksums":                                  "on",
		"SELECT pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database WHERE datname = 'ownmap'": "UTF8 C",
	} {
		if got := query(t, server, sql); got != want {
			t.Errorf("%s: got %q, want %q", sql, got, want)
		}
	}
	noTCPListener(t, dir)
	peerAuthenticationAndModes(t, dir, server)
	query(t, server, "CREATE TABLE kept AS SELECT 'yes' AS answer")
	stop(t, server)
	stop(t, server)
	if serverLives(t, dir) {
		t.Error("the last one out left the server running")
	}
	server = start(t, dir)
	if got := query(t, server, "SELECT answer FROM kept"); got != "yes" {
		t.Errorf("after a warm start: got %q", got)
	}
	stop(t, server)
}

// noTCPListener looks for the postmaster's sockets among those that listen on TCP.
func noTCPListener(t *testing.T, dir string) {
	t.Helper()
	sockets := map[string]bool{}
	fds := filepath.Join("/proc", strconv.Itoa(postmaster(dir)), "fd")
	list, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range list {
		if link, err := os.Readlink(filepath.Join(fds, fd.Name())); err == nil && strings.HasPrefix(link, "socket:[") {
			sockets[strings.TrimSuffix(strings.TrimPrefix(link, "socket:["), "]")] = true
		}
	}
	if len(sockets) == 0 {
		t.Fatal("found no socket of the server at all")
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 9 && sockets[fields[9]] {
				t.Errorf("the server listens on TCP: %s", line)
			}
		}
	}
}

func peerAuthenticationAndModes(t *testing.T, dir string, server *private.Server) {
	t.Helper()
	for name, want := range map[string]os.FileMode{"pg": 0o700, "run": 0o700, "server.log": 0o600, "server.lock": 0o600, "pg_hba.conf": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: mode %o, want %o", name, got, want)
		}
		mine := int(info.Sys().(*syscall.Stat_t).Uid) == os.Geteuid()
		if shared := name == "pg" || name == "run"; mine != (!shared || os.Geteuid() != 0) {
			t.Errorf("%s: belongs to the wrong user", name)
		}
	}
	// Another database role than the mapped one is refused by peer.
	if c, err := pgx.Connect(t.Context(), strings.ReplaceAll(server.URL(), "user=ownmap", "user=postgres")); err == nil {
		c.Close(t.Context())
		t.Error("a role that is not mapped got in")
	}
}

func TestKilledProgramIsAdopted(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	first := launch(t, dir)
	first.up(t)
	pid := postmaster(dir)
	first.kill(t)
	server := start(t, dir)
	if got := postmaster(dir); got != pid {
		t.Errorf("server %d was replaced by %d instead of adopted", pid, got)
	}
	stop(t, server)
	if serverLives(t, dir) {
		t.Error("an adopted server is not stopped by the last one out")
	}
}

func TestKilledPostmaster(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	server := start(t, dir)
	query(t, server, "CREATE TABLE kept AS SELECT 'yes' AS answer")
	if err := syscall.Kill(postmaster(dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := start(t, dir) // while the first share is still held
	if got := query(t, second, "SELECT answer FROM kept"); got != "yes" {
		t.Errorf("after recovery: got %q", got)
	}
	stop(t, server)
	if !serverLives(t, dir) {
		t.Error("the server was stopped under a share")
	}
	stop(t, second)
}

func TestEightAtOnceShareOneServer(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	var programs []*program
	for range 8 {
		programs = append(programs, launch(t, dir))
	}
	for _, p := range programs {
		p.up(t)
	}
	text, err := os.ReadFile(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), "database system is ready"); got != 1 {
		t.Errorf("the server was started %d times", got)
	}
	if got := strings.Count(string(text), "creating configuration files"); got != 1 {
		t.Errorf("initdb ran %d times", got)
	}
	for i, p := range programs {
		if !serverLives(t, dir) {
			t.Errorf("the server was gone with %d programs left", len(programs)-i)
		}
		p.stdin.Close()
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	if serverLives(t, dir) {
		t.Error("the last one out left the server running")
	}
}

func TestKilledInTheFirstStart(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	for _, wait := range []time.Duration{60, 250, 500, 900} {
		p := launch(t, dir)
		time.Sleep(wait * time.Millisecond)
		p.kill(t)
	}
	server := start(t, dir)
	query(t, server, "SELECT 'alive'")
	stop(t, server)
	left, err := filepath.Glob(filepath.Join(dir, "pg", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left in pg: %v, %v", left, err)
	}
}

func TestCancelledStartTakesEverythingBack(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	for _, wait := range []time.Duration{1, 50, 150, 400, 800} {
		ctx, cancel := context.WithTimeout(t.Context(), wait*time.Millisecond)
		server, err := startIn(ctx, dir)
		cancel()
		if err == nil {
			stop(t, server)
		}
		waitGone(t, dir)
	}
	server := start(t, dir)
	stop(t, server)
}

func TestReusedProcessID(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	server := start(t, dir)
	pid := postmaster(dir)
	file := filepath.Join(dir, "pg", "data", "postmaster.pid")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitGone(t, dir)
	stranger := sleeper(t, dir, "/")
	rewrite(t, file, strconv.Itoa(pid), strconv.Itoa(stranger))
	rewrite(t, filepath.Join(dir, "run", ".s.PGSQL.5432.lock"), strconv.Itoa(pid), strconv.Itoa(stranger))
	second := start(t, dir)
	stop(t, second)
	stop(t, server)
}

func TestForeignServerOnTheDataIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	data := filepath.Join(dir, "pg", "data")
	file := filepath.Join(data, "postmaster.pid")
	if err := os.WriteFile(file, []byte(strconv.Itoa(sleeper(t, dir, data))+"\n"+data+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	asServer(t, dir, file)
	_, err := startIn(t.Context(), dir)
	if err == nil || !strings.Contains(err.Error(), "stop it first") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(file); err != nil { // still there
		t.Error(err)
	}
}

func TestLongStateDirectory(t *testing.T) {
	t.Parallel()
	home := stateDir(t)
	if err := os.MkdirAll(home, 0o711); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(home, strings.Repeat("long,", 30))
	copied(t, installed(t), dir)
	server := start(t, dir)
	if got := query(t, server, "SELECT 'alive'"); got != "alive" {
		t.Errorf("got %q", got)
	}
	socket := query(t, server, "SHOW unix_socket_directories")
	stop(t, server)
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("%s is left behind: %v", socket, err)
	}
}
