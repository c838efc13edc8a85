package persist

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"ownmap/pipeline/persist/index"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// mirror is what the pages of a book are made of: everything of now in memory. Who asks for
// a page asks the database only whether that is still so, and reads what moved.
type mirror struct {
	newest atomic.Pointer[snapshot] // nil: nobody has asked for a page yet
	turn   chan struct{}            // holds a value while somebody makes the next one
	words  *dictionary              // of whose turn it is
}

func newMirror() mirror {
	return mirror{turn: make(chan struct{}, 1), words: newDictionary()}
}

// snapshot is the state and the approvals of one moment. It never changes.
type snapshot struct {
	*index.Index
	version  queries.PageVersionRow
	rev      int64
	base     int64                     // the last revision whose run was of all targets
	newest   queries.NewestApprovalRow // that is in it
	snoozes  []state.Snooze
	vantages map[int16]string
	runs     map[int64]int64 // by revision
	seats    seatList
	recent   *recent
	renewed  bool // approvals and snoozes are in it
}

// fits says whether nothing has happened since the snapshot.
func (s *snapshot) fits(v queries.PageVersionRow) bool {
	return s != nil && s.version.Changes == v.Changes && s.version.Expired == v.Expired && s.version.Awake == v.Awake
}

// view returns the view of the snapshot's moment.
func (s *snapshot) view(q *queries.Queries, at time.Time) *view {
	v := &view{q: q, rev: s.rev, at: at, vantages: s.vantages, times: make(map[int64]time.Time, len(s.Times)), runs: s.runs, sets: map[int64]state.PortSet{0: {}}}
	for rev, at := range s.Times {
		if rev > 0 {
			v.times[int64(rev)] = at
		}
	}
	return v
}

// snapshot returns what there is now, and the time of the database.
func (b *Book) snapshot(ctx context.Context) (*snapshot, time.Time, error) {
	version, err := b.q.PageVersion(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read the version of the pages: %w", err)
	}
	if s := b.mirror.newest.Load(); s.fits(version) {
		return s, version.At, nil
	}
	var s *snapshot
	err = b.reading(ctx, func(q *queries.Queries) error {
		var err error
		s, err = b.mirror.next(ctx, q)
		return err
	})
	return s, version.At, err
}

// next brings the newest snapshot up to date with what q sees, which must be committed.
func (m *mirror) next(ctx context.Context, q *queries.Queries) (*snapshot, error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	version, err := q.PageVersion(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the version of the pages: %w", err)
	}
	old := m.newest.Load()
	if old.fits(version) || old != nil && old.version.Changes > version.Changes { // somebody was quicker
		return old, nil
	}
	s, err := m.make(ctx, q, old, version)
	if err != nil {
		return nil, fmt.Errorf("read what pages are made of: %w", err)
	}
	m.newest.Store(s)
	return s, nil
}

// make makes a snapshot of what is there: of an old one, with what moved since, where its
// revision is the newest; nil: of nothing.
func (m *mirror) make(ctx context.Context, q *queries.Queries, old *snapshot, version queries.PageVersionRow) (*snapshot, error) {
	v, err := present(ctx, q)
	if err != nil {
		return nil, err
	}
	v.at = version.At
	s := new(snapshot)
	if old != nil && old.rev == v.rev {
		*s = *old
	} else if s, err = m.load(ctx, v, old, state.Scope{}, nil); err != nil {
		return nil, err
	}
	s.version = version
	return s, s.renew(ctx, v)
}

// partial makes a snapshot of the ports of some hosts alone, which nobody keeps: of those
// that are chosen, which have to be of the scope.
func partial(ctx context.Context, q *queries.Queries, scope state.Scope, chosen func(h *index.Host) bool) (*snapshot, error) {
	version, err := q.PageVersion(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the version of the pages: %w", err)
	}
	v, err := present(ctx, q)
	if err != nil {
		return nil, err
	}
	v.at = version.At
	s, err := (&mirror{words: newDictionary()}).load(ctx, v, nil, scope, chosen)
	if err != nil {
		return nil, err
	}
	s.version = version
	return s, s.renew(ctx, v)
}

// Version tells pages of one moment from those of another: it differs when a run was kept,
// an approval or snooze was given, ended or is over, or targets changed since. What runs,
// deliveries and users do is no part of it.
func (b *Book) Version(ctx context.Context) (string, error) {
	v, err := b.q.PageVersion(ctx)
	if err != nil {
		return "", fmt.Errorf("read the version of the pages: %w", err)
	}
	return fmt.Sprintf("%d-%d-%d", v.Changes, v.Expired, v.Awake), nil
}

// Warm reads what pages are made of, so that the first one does not have to wait for it.
func (b *Book) Warm(ctx context.Context) error {
	_, _, err := b.snapshot(ctx)
	return err
}
