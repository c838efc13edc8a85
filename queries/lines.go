// Package queries has the SQL of the book and the Go that sqlc makes of it.
package queries

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
)

// Part is a kind of row that runs write and end: what its lines are called in hashes, the
// tables that they are made of, and how they are read.
type Part struct {
	Name   string // what it is called in hashes, so it never changes
	Tables string // for people: all of them
	query  string
}

// Parts returns all kinds of rows that hashes are made of, by name.
func Parts() []Part {
	return []Part{
		{"approval", "approval, host", approvalLines},
		{"audit", "audit", auditLines},
		{"coverage", "coverage, port_set", coverageLines},
		{"filtered", "filtered, port_set", filteredLines},
		{"finding", "finding", findingLines},
		{"flap", "flap", flapLines},
		{"host", "host_current, host_history, host, vantage, target", hostLines},
		{"host_change", "host_change", hostChangeLines},
		{"listener", "listener_current, listener_history, process", listenerLines},
		{"listener_change", "listener_change", listenerChangeLines},
		{"listener_coverage", "listener_coverage", listenerCoverageLines},
		{"mac", "mac", mACLines},
		{"port", "port_current, port_history, fingerprint", portLines},
		{"port_change", "port_change", portChangeLines},
		{"port_name", "port_name", portNameLines},
		{"run", "run, rev", runLines},
	}
}

// NoRevs and AllRevs are revisions before and after all others: also before those that no run
// draws, and of which somebody may have written rows.
const (
	NoRevs  = math.MinInt64
	AllRevs = math.MaxInt64
)

// Lines hands over the lines of the revisions after one and up to another, sorted by
// revision and by themselves; those of revisions before first count as of that. It holds one
// line in memory, which is only good until yield returns.
func (q *Queries) Lines(ctx context.Context, part Part, after, upTo, first int64, yield func(rev int64, line []byte)) error {
	rows, err := q.db.Query(ctx, part.query, after, upTo, first)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		raw := rows.RawValues()
		if len(raw) != 2 || len(raw[0]) != 8 {
			return fmt.Errorf("lines of %s come in another form than binary", part.Name)
		}
		yield(int64(binary.BigEndian.Uint64(raw[0])), raw[1])
	}
	return rows.Err()
}
