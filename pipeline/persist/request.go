package persist

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// newestRequests is how many requests back an unfinished one is looked for: it is
// done before others can be that many.
const newestRequests = 100

// Request queues a scan and returns the number of the request. A scan of the same
// targets that waits already is not queued a second time.
func (b *Book) Request(ctx context.Context, r state.ScanRequest) (id int64, err error) {
	err = b.inTx(ctx, func(q *queries.Queries) error {
		id, err = addRequest(ctx, q, r)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("queue a scan: %w", err)
	}
	return id, nil
}

// addRequest queues a scan and notes who asked.
func addRequest(ctx context.Context, q *queries.Queries, r state.ScanRequest) (id int64, err error) {
	by := state.Clean(r.By)
	row, err := q.AddRequest(ctx, queries.AddRequestParams{OnlyHosts: append([]string{}, r.Only...), AskedBy: by, Via: r.Via})
	if err != nil {
		return 0, err
	}
	subject := "all targets"
	if len(r.Only) > 0 {
		subject = state.Clean(strings.Join(r.Only, " "))
	}
	line := auditLines{actor: by, via: r.Via, action: "scan-request"}
	if err := line.add(subject, nil); err != nil {
		return 0, err
	}
	return row.ID, line.write(ctx, q)
}

// Requests returns the newest requests, newest first.
func (b *Book) Requests(ctx context.Context, limit int) ([]state.ScanRequest, error) {
	rows, err := b.q.Requests(ctx, int32(min(max(limit, 0), math.MaxInt32)))
	if err != nil {
		return nil, fmt.Errorf("read requested scans: %w", err)
	}
	list := make([]state.ScanRequest, len(rows))
	for i, row := range rows {
		list[i] = requestOf(row)
	}
	return list, nil
}

// openRequests returns the requests that nobody finished, oldest first.
func (b *Book) openRequests(ctx context.Context) ([]state.ScanRequest, error) {
	list, err := b.Requests(ctx, newestRequests)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(r state.ScanRequest) bool { return r.FinishedAt != nil })
	slices.Reverse(list)
	return list, nil
}

// NextRequest takes the oldest request that waits, or one that a process took
// that died; nil if there is none. Whoever takes it does it and calls
// FinishRequest. While a run is under way only requests that nobody took are
// handed out.
func (b *Book) NextRequest(ctx context.Context) (*state.ScanRequest, error) {
	var taken *state.ScanRequest
	err := b.inTx(ctx, func(q *queries.Queries) error {
		_, err := q.LockHolder(ctx, runLock)
		idle := errors.Is(err, pgx.ErrNoRows)
		if err != nil && !idle {
			return fmt.Errorf("ask who holds the run lock: %w", err)
		}
		row, err := q.TakeRequest(ctx, idle)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			r := requestOf(row)
			taken = &r
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take a requested scan: %w", err)
	}
	return taken, nil
}

// FinishRequest ends a request: with the run that it led to (0: none) and why it
// failed, if it did. Twice is as good as once.
func (b *Book) FinishRequest(ctx context.Context, id, runID int64, fault string) error {
	p := queries.FinishRequestParams{ID: id, Error: state.Clean(fault)}
	if runID != 0 {
		p.RunID = &runID
	}
	if _, err := b.q.FinishRequest(ctx, p); err != nil {
		return fmt.Errorf("finish requested scan %d: %w", id, err)
	}
	return nil
}

// CancelRequest ends a request that nobody works on yet, and says whether it did: one
// that is done, or whose run is under way, is left alone.
func (b *Book) CancelRequest(ctx context.Context, id int64, by state.Actor) (bool, error) {
	ended := false
	err := b.inTx(ctx, func(q *queries.Queries) error {
		n, err := q.CancelRequest(ctx, queries.CancelRequestParams{ID: id, Error: state.Clean("cancelled by " + by.Name)})
		if ended = n > 0; err != nil || !ended {
			return err
		}
		line := auditOf(by, "scan-cancel")
		if err := line.add(fmt.Sprintf("request %d", id), nil); err != nil {
			return err
		}
		return line.write(ctx, q)
	})
	if err != nil {
		return false, fmt.Errorf("cancel requested scan %d: %w", id, err)
	}
	return ended, nil
}

// Wanted says whether a request is still to be done: nobody cancelled it.
func (b *Book) Wanted(ctx context.Context, id int64) (bool, error) {
	wanted, err := b.q.RequestWanted(ctx, id)
	if err != nil {
		return false, fmt.Errorf("look after requested scan %d: %w", id, err)
	}
	return wanted, nil
}

// SettleRequests ends the requests that a run of all targets has answered: those
// that were made before it began. Later ones are left to others.
func (b *Book) SettleRequests(ctx context.Context, runID int64) error {
	if err := b.q.SettleRequests(ctx, runID); err != nil {
		return fmt.Errorf("finish the scans that run %d was asked for: %w", runID, err)
	}
	return nil
}

func requestOf(row queries.ScanRequest) state.ScanRequest {
	r := state.ScanRequest{
		ID: row.ID, Only: row.OnlyHosts, By: row.AskedBy, Via: row.Via, AskedAt: row.AskedAt,
		TakenAt: row.TakenAt, FinishedAt: row.FinishedAt, Error: row.Error,
	}
	if row.RunID != nil {
		r.RunID = *row.RunID
	}
	return r
}
