package persist

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Importer makes runs of finished scans, from the oldest to the newest. It remembers what
// the last ones said, so that only what differs goes through the database: a year of nights
// would stage the same ports hundreds of times.
//
// Nothing else may keep a run meanwhile: hold the run lock from Importer to End.
type Importer struct {
	book     *Book
	vantages map[string]int16
	ids      map[netip.Addr]int64
	settled  map[seat]state.Host // what was said last of hosts of which the same again is no news
	named    map[seat]time.Time  // when service detection looked at hosts
	scope    seats               // the hosts of the inventory; nil: not read yet
	loaded   int                 // changes since the planner was told of them
}

// Importer returns what imports scans into the book.
func (b *Book) Importer() *Importer {
	return &Importer{book: b, ids: make(map[netip.Addr]int64), settled: make(map[seat]state.Host), named: make(map[seat]time.Time)}
}

// ImportedError says that a file was imported before, and as which run.
type ImportedError struct{ Run state.Run }

// Error names the run.
func (e *ImportedError) Error() string {
	return fmt.Sprintf("was imported before, as run %d of %s", e.Run.ID, shown(*e.Run.FinishedAt))
}

// OlderError says that a scan ended before the newest run that the book has: to put it
// between the others would be another history than the one that was reported.
type OlderError struct {
	Scan   state.ImportedScan
	Newest state.Run
}

// Error names the newest run.
func (e *OlderError) Error() string {
	return fmt.Sprintf("its scan ended %s, and run %d of %s is newer: what was reported since would become another history",
		shown(e.Scan.FinishedAt), e.Newest.ID, shown(*e.Newest.FinishedAt))
}

// Add makes a run of a finished scan, at the scan's own time and in one transaction: all of
// it is kept, or nothing. A run that was begun and not finished is given up, as it is when
// what is to be scanned has changed.
//
// It fails with an ImportedError when the same file was imported before as seen from the
// same vantage, and with an OlderError when the scan ended before the newest run. After any
// other error the Importer is of no use any more.
func (i *Importer) Add(ctx context.Context, scan state.ImportedScan) (state.Run, error) {
	var run state.Run
	k := keeping{staleAfter: i.book.staleAfter, imported: &imported{importer: i, scan: scan}}
	err := pgx.BeginFunc(ctx, i.book.pool, func(tx pgx.Tx) error {
		k.tx, k.q = tx, i.book.q.WithTx(tx)
		if err := k.beginImport(ctx, i.book); err != nil {
			return err
		}
		if err := k.stageImport(ctx); err != nil {
			return err
		}
		was, now, err := differing(ctx, k.q, k.run.ID)
		if err != nil {
			return fmt.Errorf("compare with what is known: %w", err)
		}
		same := k.imported.same
		k.outcome = diff.States(append(was, same...), append(now, same...))
		if err := k.keep(ctx); err != nil {
			return err
		}
		if err := k.q.FinishRun(ctx, k.run.ID); err != nil {
			return fmt.Errorf("finish the run: %w", err)
		}
		row, err := k.q.RunForUpdate(ctx, k.run.ID)
		if err != nil {
			return fmt.Errorf("read the run: %w", err)
		}
		run, err = runOf(row, k.rev.ID)
		return err
	})
	if err != nil {
		return state.Run{}, err
	}
	k.imported.remember(k.outcome.Blind)
	return run, i.analyze(ctx, len(k.outcome.Changes))
}

// AskedBefore returns the hosts that imported scans were asked for which asked the same from
// the same vantage, each with the protocols that it was asked over, sorted.
func (i *Importer) AskedBefore(ctx context.Context, vantage, question string) ([]state.Host, error) {
	rows, err := i.book.q.AskedBefore(ctx, question)
	if err != nil {
		return nil, fmt.Errorf("read which hosts were asked for before: %w", err)
	}
	hosts := make([]state.Host, len(rows))
	for n, row := range rows {
		hosts[n] = state.Host{Vantage: vantage, Address: row.Address, Names: row.Names}
		for _, protocol := range row.Protocols {
			hosts[n].Coverage = append(hosts[n].Coverage, state.Coverage{Protocol: state.Protocol(protocol)})
		}
	}
	state.SortHosts(hosts)
	return hosts, nil
}

// Imported returns the runs that files became before, as seen from a vantage, by their
// SHA-256.
func (i *Importer) Imported(ctx context.Context, vantage string, sums []string) (map[string]state.Run, error) {
	rows, err := i.book.q.ImportsOf(ctx, queries.ImportsOfParams{Vantage: vantage, Sums: sums})
	if err != nil {
		return nil, fmt.Errorf("look for files that were imported before: %w", err)
	}
	runs := make(map[string]state.Run, len(rows))
	for _, row := range rows {
		run, err := runOf(row.Run, row.Rev)
		if err != nil {
			return nil, err
		}
		runs[run.Import.SHA256] = run
	}
	return runs, nil
}

// analyze tells the planner about what was loaded, now and then.
func (i *Importer) analyze(ctx context.Context, changes int) error {
	if i.loaded += changes; i.loaded < largeLoad/4 {
		return nil
	}
	i.loaded = 0
	if err := i.book.q.AnalyzeState(ctx); err != nil {
		return fmt.Errorf("analyze the state: %w", err)
	}
	return nil
}

// End notes of the ports whose services the last scans named that this was done then: the
// next run need not ask all of them again. It is the last that an import does, and what was
// kept before is on the disk when it returns.
func (i *Importer) End(ctx context.Context) error {
	var p queries.NameImportedParams
	for at, when := range i.named {
		p.Hosts, p.Vantages, p.Ats = append(p.Hosts, at.host), append(p.Vantages, at.vantage), append(p.Ats, when)
	}
	return pgx.BeginFunc(ctx, i.book.pool, func(tx pgx.Tx) error {
		q := i.book.q.WithTx(tx)
		if err := q.NameImported(ctx, p); err != nil {
			return fmt.Errorf("dates of service detection: %w", err)
		}
		// A transaction that changes nothing does not wait for the disk.
		if _, err := q.CountUp(ctx); err != nil {
			return fmt.Errorf("count the change: %w", err)
		}
		return nil
	})
}
