package persist

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Track notes how far a shard is: the fraction of its work, and the hosts and
// open ports found so far. What is told of a shard that is done is dropped.
func (b *Book) Track(ctx context.Context, runID int64, no int, worker string, fraction float64, hosts, open int) error {
	p := queries.TrackShardParams{
		RunID: runID, No: int32(no), Worker: state.Clean(worker), Fraction: float32(max(0, min(1, fraction))), HostsDone: int32(hosts), Open: int32(open),
	}
	if err := b.q.TrackShard(ctx, p); err != nil {
		return fmt.Errorf("track shard %d of run %d: %w", no, runID, err)
	}
	return nil
}

// UnderWay returns the run that is being made, or was interrupted; nil if there is none.
func (b *Book) UnderWay(ctx context.Context) (*state.Run, error) {
	row, err := b.q.RunUnderWay(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("read the run under way: %w", err)
	}
	run, err := runOf(row.Run, row.Rev)
	return &run, err
}

// Progress returns how far the run under way is, from the database alone; nil
// when none is.
func (b *Book) Progress(ctx context.Context) (*state.ScanProgress, error) {
	rows, err := b.q.Progress(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the progress: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	last := rows[len(rows)-1]
	p := state.ScanProgress{
		RunID: last.ID, Work: state.Work(last.Work), Hosts: int(last.Hosts), HostsDone: int(last.HostsDone), Fraction: last.Fraction,
		Open: int(rows[0].Open), Workers: last.Workers, StartedAt: last.StartedAt, CancelledBy: last.CancelledBy,
	}
	for _, row := range rows {
		p.Shards += int(row.Shards)
		p.ShardsDone += int(row.Done)
	}
	return &p, nil
}

// Rate returns the packets a second to begin with at a vantage and up to where
// they may double, as its last scan learned (state.Pace); 0: not known.
func (b *Book) Rate(ctx context.Context, vantage string) (rate, knee int, err error) {
	row, err := b.q.Rate(ctx, vantage)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read the rate of %s: %w", vantage, err)
	}
	return int(row.Rate), int(row.Knee), nil
}

// Note tells the reader of a run that is scanning something, once.
func (b *Book) Note(ctx context.Context, runID int64, note string) error {
	if err := b.q.NoteRun(ctx, queries.NoteRunParams{ID: runID, Note: state.Clean(note)}); err != nil {
		return fmt.Errorf("note in run %d: %w", runID, err)
	}
	return nil
}

// Cancel ends the run under way and returns its number, 0 if there is none. What
// it staged is dropped and the state stays as it was; results that come late are
// refused. Any process may cancel.
func (b *Book) Cancel(ctx context.Context, by string) (runID int64, err error) {
	return b.CancelRun(ctx, 0, state.Actor{Name: by, Via: "run"})
}

// CancelRun is Cancel for who means the run of a number, and no other that has begun in
// the meantime; 0 means any.
func (b *Book) CancelRun(ctx context.Context, id int64, by state.Actor) (runID int64, err error) {
	name := state.Clean(by.Name)
	err = b.inTx(ctx, func(q *queries.Queries) error {
		if err := q.LockShards(ctx); err != nil {
			return fmt.Errorf("lock its shards: %w", err)
		}
		runID, err = q.CancelRun(ctx, queries.CancelRunParams{CancelledBy: name, ID: id})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := giveUp(ctx, q, runID, "cancelled by "+name); err != nil {
			return err
		}
		line := auditOf(by, "scan-cancel")
		if err := line.add(fmt.Sprintf("run %d", runID), nil); err != nil {
			return err
		}
		return line.write(ctx, q)
	})
	if err != nil {
		return 0, fmt.Errorf("cancel the run: %w", err)
	}
	return runID, nil
}

// CancelledBy says who cancelled a run; it is empty for one that nobody did.
func (b *Book) CancelledBy(ctx context.Context, runID int64) (string, error) {
	by, err := b.q.CancelledBy(ctx, runID)
	if err != nil {
		return "", fmt.Errorf("ask who cancelled run %d: %w", runID, err)
	}
	return by, nil
}
