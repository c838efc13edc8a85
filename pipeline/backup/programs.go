package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/persist/private"
	"ownmap/pipeline/state"
)

// programs are pg_dump and pg_restore of the server's own version, and what they are told
// by their environment.
type programs struct {
	dir string
	env []string
}

// programsFor finds the programs for a server; conn is a connection to it.
func (d Database) programsFor(ctx context.Context, conn *pgx.Conn) (programs, error) {
	version, err := persist.ServerMajor(ctx, conn)
	if err != nil {
		return programs{}, err
	}
	dir, err := private.Clients(ctx, version)
	if err != nil {
		return programs{}, err
	}
	env, err := d.environment()
	return programs{dir, env}, err
}

// environment is what the programs connect by.
func (d Database) environment() ([]string, error) {
	config, err := d.config("")
	if err != nil {
		return nil, err
	}
	said := settings(d.URL)
	env := []string{"LC_ALL=C", "TZ=UTC", "PGAPPNAME=ownmap backup", "PGUSER=" + config.User, "PGDATABASE=" + config.Database, "PGCLIENTENCODING=UTF8"}
	host, port := config.Host, strconv.Itoa(int(config.Port))
	if strings.Contains(said["host"], ",") { // several, to be tried in order
		host, port = said["host"], said["port"]
	}
	env = append(env, "PGHOST="+host, "PGPORT="+port)
	if config.Password != "" {
		env = append(env, "PGPASSWORD="+config.Password)
	}
	for _, key := range []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "sslnegotiation", "channel_binding", "target_session_attrs", "krbsrvname"} {
		if value, set := said[key]; set {
			env = append(env, "PG"+strings.ToUpper(strings.ReplaceAll(key, "_", ""))+"="+value)
		}
	}
	ours := make(map[string]bool, len(env))
	for _, pair := range env {
		name, _, _ := strings.Cut(pair, "=")
		ours[name] = true
	}
	inherited := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		// Of the environment pgx takes the same as libpq; what the URL says goes before it.
		return ours[name] || name == "PGOPTIONS" || name == "PGSERVICE"
	})
	return append(inherited, env...), nil
}

// run runs one of the programs. What it says on stderr is the error's text.
func (p programs) run(ctx context.Context, stdout *os.File, name string, args ...string) error {
	var said strings.Builder
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, name), args...) //nolint:gosec // a PostgreSQL program that Clients chose
	cmd.Env, cmd.Stderr, cmd.WaitDelay = p.env, &said, 5*time.Second
	if stdout != nil {
		cmd.Stdout = stdout
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, tail(said.String()))
	}
	return nil
}

// output runs one of the programs and returns what it prints.
func (p programs) output(ctx context.Context, name string, args ...string) (string, error) {
	var said strings.Builder
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, name), args...) //nolint:gosec // a PostgreSQL program that Clients chose
	cmd.Env, cmd.Stderr, cmd.WaitDelay = p.env, &said, 5*time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(ctx.Err(), fmt.Errorf("%s: %w: %s", name, err, tail(said.String())))
	}
	return string(out), nil
}

// tail returns the last lines of what a program said, on one line.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return state.Clean(strings.Join(lines[max(0, len(lines)-4):], "; "))
}
