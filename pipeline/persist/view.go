package persist

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// reading runs f on one unchanging view of the database, whatever is kept
// meanwhile.
func (b *Book) reading(ctx context.Context, f func(q *queries.Queries) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, b.pool, options, func(tx pgx.Tx) error {
		// As in Keep: hashes of a million rows fit, and compiling costs more than it saves.
		if _, err := tx.Exec(ctx, "set local work_mem = '256MB'; set local jit = off"); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		return f(b.q.WithTx(tx))
	})
}

// view is the state as it was known after a revision, with the approvals as of
// a time. Rows that are read through it are dated by it, so that what came later
// does not show.
type view struct {
	q        *queries.Queries
	rev      int64
	at       time.Time
	vantages map[int16]string
	times    map[int64]time.Time     // of the revisions up to rev
	runs     map[int64]int64         // that made them
	sets     map[int64]state.PortSet // by number, as far as they were needed
}

func newView(ctx context.Context, q *queries.Queries, rev int64, at time.Time) (*view, error) {
	v := &view{q: q, rev: rev, at: at, times: make(map[int64]time.Time), runs: make(map[int64]int64), sets: map[int64]state.PortSet{0: {}}}
	var err error
	if v.vantages, err = vantageNames(ctx, q); err != nil {
		return nil, err
	}
	revs, err := q.Revs(ctx, rev)
	if err != nil {
		return nil, fmt.Errorf("read revisions: %w", err)
	}
	for _, r := range revs {
		v.times[r.ID], v.runs[r.ID] = r.At, r.RunID
	}
	return v, nil
}

// present is the view of now: all revisions, and the approvals as they stand.
func present(ctx context.Context, q *queries.Queries) (*view, error) {
	now, err := q.Present(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the newest revision: %w", err)
	}
	return newView(ctx, q, now.Rev, now.At)
}

// time returns when a revision was kept.
func (v *view) time(rev int64) time.Time { return v.times[rev] }

// when is time for what may never have been: nil for revision 0.
func (v *view) when(rev int64) *time.Time {
	if rev == 0 {
		return nil
	}
	at := v.times[rev]
	return &at
}

// line is a row of the ledger.
type line struct {
	rev      int64
	vantage  int16
	hosts    hostSet
	coverage state.Coverage
}

func (l line) answered() bool { return l.coverage.Status == state.Answered }

// ledger returns what was looked at on some hosts in the revisions from first to
// last, newest first.
func (v *view) ledger(ctx context.Context, first, last int64, hosts hostSet) ([]line, error) {
	rows, err := v.q.Ledger(ctx, queries.LedgerParams{First: first, Last: last, Wanted: hosts.multirange()})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	sets := make([]int64, len(rows))
	for i, row := range rows {
		sets[i] = row.PortSetID
	}
	if err := v.needSets(ctx, sets); err != nil {
		return nil, err
	}
	lines := make([]line, len(rows))
	for i, row := range rows {
		lines[i] = line{rev: row.Rev, vantage: row.VantageID, hosts: hostSetOf(row.Hosts), coverage: state.Coverage{
			Protocol: state.Protocol(row.Protocol), Status: state.CoverageStatus(row.Status), Reason: row.Reason,
			Ports: v.sets[row.PortSetID], Services: row.Services,
		}}
	}
	return lines, nil
}

// everyHost is larger than any host number ever gets.
const everyHost = 1 << 60

// wholeLedger is ledger for all hosts.
func (v *view) wholeLedger(ctx context.Context, first, last int64) ([]line, error) {
	return v.ledger(ctx, first, last, hostSet{{1, everyHost}})
}

// needSets loads port sets that are not loaded yet.
func (v *view) needSets(ctx context.Context, ids []int64) error {
	ids = slices.DeleteFunc(ids, func(id int64) bool { _, known := v.sets[id]; return known })
	if len(ids) == 0 {
		return nil
	}
	texts, err := v.q.PortSets(ctx, ids)
	if err != nil {
		return fmt.Errorf("read port sets: %w", err)
	}
	for _, row := range texts {
		if v.sets[row.ID], err = state.ParsePortSet(row.Ports); err != nil {
			return fmt.Errorf("port set %d: %w", row.ID, err)
		}
	}
	return nil
}

// portNames returns what nmap's table called ports that were not open.
func (v *view) portNames(ctx context.Context) (map[state.Port]string, error) {
	rows, err := v.q.PortNames(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("read names of ports: %w", err)
	}
	names := make(map[state.Port]string, len(rows))
	for _, row := range rows {
		names[portOf(row.Protocol, row.Port)] = row.Name
	}
	return names, nil
}

// scope returns the hosts that lines of the ledger name.
func scope(lines []line) seats {
	set := make(seats)
	for _, l := range lines {
		set.add(l.vantage, l.hosts)
	}
	return set
}

// inventoryScope returns the hosts that count after a revision: those that the
// last run of all targets was asked for, and those of narrowed runs since. A
// host whose target was removed is not among them.
func (v *view) inventoryScope(ctx context.Context) (seats, error) {
	base, err := v.q.LastFullRev(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("look for the last run of all targets: %w", err)
	}
	lines, err := v.wholeLedger(ctx, base, v.rev)
	if err != nil {
		return nil, err
	}
	return scope(lines), nil
}
