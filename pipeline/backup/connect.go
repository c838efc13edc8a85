// Package backup writes the database into a file with pg_dump, tries that file by a
// restore, and puts the database back. Passwords reach the programs of PostgreSQL by their
// environment, never by their arguments. Whatever happens in between, also kill -9, leaves the
// database and the files of before as they were: a file gets its name when it is whole, and a
// database when it is verified.
package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"ownmap/pipeline/persist"
)

// Database is the database to be written or put back.
type Database struct {
	URL  string // as for persist.Open
	Zone *time.Location
	Log  *slog.Logger
	Now  func() time.Time
}

// ErrBusy says that another backup or restore is under way.
var ErrBusy = errors.New("another backup or restore of this database is under way: wait for it to end")

// config returns how to connect to a database of the server; empty: to the one of the URL.
func (d Database) config(name string) (*pgx.ConnConfig, error) {
	pool, err := pgxpool.ParseConfig(d.URL)
	if err != nil {
		return nil, errors.New("database.url cannot be read: write it as postgres://USER@HOST/DATABASE") // the error quotes it
	}
	config := pool.ConnConfig
	if name != "" {
		config.Database = name
	}
	config.RuntimeParams["application_name"] = "ownmap backup"
	config.RuntimeParams["timezone"] = "UTC"
	return config, nil
}

// connect opens a connection to a database of the server.
func (d Database) connect(ctx context.Context, name string) (*pgx.Conn, error) {
	config, err := d.config(name)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return conn, nil
}

// alone makes sure that nobody else writes or restores a backup of the database, for as long
// as the connection lasts.
func alone(ctx context.Context, conn *pgx.Conn) error {
	var got bool
	if err := conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", persist.BackupLock).Scan(&got); err != nil {
		return fmt.Errorf("lock backups: %w", err)
	}
	if !got {
		return ErrBusy
	}
	return nil
}

// named returns the URL of another database of the server.
func named(raw, name string) string {
	if u, err := url.Parse(raw); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		u.Path, u.RawPath = "/"+name, ""
		query := u.Query()
		query.Del("dbname")
		query.Del("database")
		u.RawQuery = query.Encode()
		return u.String()
	}
	return raw + " dbname=" + name // of two the last counts
}

// settings are those of a URL that the programs of PostgreSQL take by the environment: how the
// server is to be trusted, above all.
func settings(raw string) map[string]string {
	found := make(map[string]string)
	if u, err := url.Parse(raw); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		for key, values := range u.Query() {
			found[key] = values[len(values)-1]
		}
		return found
	}
	for rest := strings.TrimSpace(raw); rest != ""; rest = strings.TrimSpace(rest) {
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		after = strings.TrimLeft(after, " ")
		var value string
		value, rest = word(after)
		found[strings.TrimSpace(key)] = value
	}
	return found
}

// word reads a value of a keyword string, in single quotes or up to a blank; a backslash
// escapes.
func word(text string) (value, rest string) {
	quoted := strings.HasPrefix(text, "'")
	if quoted {
		text = text[1:]
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case quoted && c == '\'', !quoted && (c == ' ' || c == '\t' || c == '\n'):
			return b.String(), text[i+1:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// scratchPrefix begins the names of the databases in which backups of a database are tried.
func scratchPrefix(database string) string {
	sum := sha256.Sum256([]byte(database))
	return fmt.Sprintf("ownmap_scratch_%x_", sum[:4])
}
