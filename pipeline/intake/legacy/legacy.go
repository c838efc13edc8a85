// Package legacy reads the database of the OwnMap that was written in Python: its tables
// hosts, ports and targets, which hold one scan, and its config. It writes nothing there.
package legacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// Database is what such a database holds.
type Database struct {
	Scan     state.ImportedScan
	Targets  []state.Target
	Approved map[netip.Addr][]state.Port
	Lost     []string // what it cannot have kept, or what cannot be taken over, one a line
}

// Config reads the config of a legacy OwnMap, which has a section postgresql with the
// arguments of psycopg2's connect, and returns where the database is; found says whether the
// text is such a config.
func Config(text []byte) (at string, found bool, err error) {
	var config map[string]yaml.Node
	if yaml.Unmarshal(text, &config) != nil {
		return "", false, nil //nolint:nilerr // it is something else
	}
	node, found := config["postgresql"]
	if !found {
		return "", false, nil
	}
	var params map[string]string
	if err := node.Decode(&params); err != nil {
		return "", true, fmt.Errorf("line %d: postgresql: takes names and values such as host: localhost", node.Line)
	}
	u := url.URL{Scheme: "postgresql"}
	query := url.Values{}
	for key, value := range params {
		switch key {
		case "user", "password":
		case "database", "dbname":
			u.Path = "/" + value
		case "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout":
			query.Set(key, value)
		default:
			return "", true, fmt.Errorf("line %d: postgresql: %.40q is none of host, port, database, user, password, sslmode, sslrootcert, sslcert, sslkey and connect_timeout", node.Line, key)
		}
	}
	if u.Path == "" {
		return "", true, fmt.Errorf("line %d: postgresql: names no database", node.Line)
	}
	switch user, password := params["user"], params["password"]; {
	case password != "":
		u.User = url.UserPassword(user, password)
	case user != "":
		u.User = url.User(user)
	}
	u.RawQuery = query.Encode()
	return u.String(), true, nil
}

// Read reads a database at a URL. at is when it was made if its rows do not say; zero: then
// that is an error. Times of its rows have no zone: they are of the server's. Nothing of an
// error is the URL's, which may hold a password.
func Read(ctx context.Context, at, vantage string, made time.Time) (Database, error) {
	config, err := pgx.ParseConfig(at)
	if err != nil {
		return Database{}, errors.New("the address of the legacy database cannot be read: write it as postgresql://USER@HOST/DATABASE")
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil { // as text: it is not the database of this OwnMap that is away
		return Database{}, errors.New("legacy database: " + state.Clean(err.Error()))
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	r := reading{sum: sha256.New(), hosts: map[netip.Addr]*legacyHost{}}
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, conn, options, func(tx pgx.Tx) error { return r.read(ctx, tx) })
	if err != nil {
		return Database{}, fmt.Errorf("legacy database: %w", err)
	}
	d := r.database(vantage)
	d.Scan.File = state.Clean(config.Database + " on " + config.Host)
	d.Scan.SHA256 = hex.EncodeToString(r.sum.Sum(nil))
	if d.Scan.FinishedAt.IsZero() {
		d.Scan.StartedAt, d.Scan.FinishedAt = made, made
	}
	if d.Scan.FinishedAt.IsZero() && len(d.Scan.Hosts) > 0 {
		return Database{}, errors.New("legacy database: it does not say when the scan was made: say so with --at")
	}
	origin := "imported from the legacy OwnMap database " + d.Scan.File
	d.Scan.Notes = []string{origin}
	if n := len(d.Lost); n > 0 {
		d.Scan.Notes = append(d.Scan.Notes, "its key is host and port number without the protocol: "+state.Count(n, "remark", "remarks")+" about what it cannot have kept, told by the import")
	}
	return d, nil
}

// version splits "OpenSSH v9.2", as it joins product and version.
func version(product string) (name, version string) {
	for i := len(product) - 3; i > 0; i-- {
		if product[i] == ' ' && product[i+1] == 'v' && product[i+2] >= '0' && product[i+2] <= '9' {
			return product[:i], product[i+2:]
		}
	}
	return product, ""
}

// protocolOf reads a protocol: 1 is TCP and 2 is UDP, written as text.
func protocolOf(text string) state.Protocol {
	switch text {
	case "1", "tcp":
		return state.TCP
	case "2", "udp":
		return state.UDP
	}
	return ""
}

// The states of its ports, written as text; 3 is unknown.
const (
	stateOpen   = "1"
	stateClosed = "2"
)

func portText(address netip.Addr, number int, protocol string) string {
	return address.String() + " " + strconv.Itoa(number) + "/" + protocol
}
