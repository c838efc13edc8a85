package persist

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// mark is what a state.Mark says. Revisions and numbers of approvals are drawn under
// the state lock, so that who comes later has higher ones. Times are the database's,
// in microseconds since 1970.
type mark struct {
	rev      int64 // the newest revision, 0 if there was none
	revAt    int64 // when it was kept: tells whether this database still has it
	at       int64 // the time as of which approvals were good or not
	settled  int64 // nobody ends an approval before this time any more
	approval int64 // the highest number of an approval
	ended    int64 // approvals that had ended before settled
}

func (m *mark) fields() []*int64 {
	return []*int64{&m.rev, &m.revAt, &m.at, &m.settled, &m.approval, &m.ended}
}

func (m mark) encode() state.Mark {
	var texts []string
	for _, field := range m.fields() {
		texts = append(texts, strconv.FormatInt(*field, 36))
	}
	return state.Mark("1." + strings.Join(texts, "."))
}

// parseMark reads a mark; ok is false for the empty one, and for one of another
// version.
func parseMark(text state.Mark) (m mark, ok bool) {
	fields := m.fields()
	version, rest, _ := strings.Cut(string(text), ".")
	texts := strings.Split(rest, ".")
	if version != "1" || len(texts) != len(fields) {
		return mark{}, false
	}
	for i, field := range fields {
		var err error
		if *field, err = strconv.ParseInt(texts[i], 36, 64); err != nil {
			return mark{}, false
		}
	}
	return m, true
}

// settled returns a time before which nobody ends an approval any more: approvals are
// ended under the state lock, at the time that it is then.
func (b *Book) settled(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := b.inTx(ctx, func(q *queries.Queries) error { // for it changes nothing
		if err := q.LockState(ctx, stateLock); err != nil {
			return fmt.Errorf("lock the state: %w", err)
		}
		now, err := q.Present(ctx)
		at = now.At
		return err
	})
	return at, err
}

// mark returns the mark of the view.
func (v *view) mark(ctx context.Context, settled time.Time) (mark, error) {
	m := mark{rev: v.rev, at: v.at.UnixMicro(), settled: settled.UnixMicro()}
	if v.rev > 0 {
		m.revAt = v.time(v.rev).UnixMicro()
	}
	row, err := v.q.ApprovalsSettled(ctx, settled)
	if err != nil {
		return m, fmt.Errorf("count approvals: %w", err)
	}
	m.approval, m.ended = row.Newest, row.Ended
	return m, nil
}

// holds says whether a mark is one of this database and of a time that has passed. A
// database that was restored or made anew has other revisions; a clock that was put
// back would hide who ended an approval since.
func (v *view) holds(ctx context.Context, m mark) (bool, error) {
	if m.rev > v.rev || m.at > v.at.UnixMicro() || m.rev > 0 && v.time(m.rev).UnixMicro() != m.revAt {
		return false, nil
	}
	row, err := v.q.ApprovalsSettled(ctx, time.UnixMicro(m.settled))
	if err != nil {
		return false, fmt.Errorf("count approvals: %w", err)
	}
	return row.Ended == m.ended && row.Newest >= m.approval, nil
}

// touched returns the hosts that may not be as they were at a mark. partly is false
// where that has to be all of them.
func (v *view) touched(ctx context.Context, since state.Mark) (hosts hostSet, partly bool, err error) {
	m, ok := parseMark(since)
	if !ok {
		return nil, false, nil
	}
	if holds, err := v.holds(ctx, m); err != nil || !holds {
		return nil, false, err
	}
	ids, err := v.q.HostsTouched(ctx, queries.HostsTouchedParams{
		Rev: m.rev, Approval: m.approval, Settled: time.UnixMicro(m.settled), At: time.UnixMicro(m.at), Now: v.at,
	})
	if err != nil {
		return nil, false, fmt.Errorf("look for what has happened: %w", err)
	}
	unsteady, err := v.unsteady(ctx, m.rev)
	if err != nil {
		return nil, false, err
	}
	return hostsOf(ids).union(unsteady), true, nil
}
