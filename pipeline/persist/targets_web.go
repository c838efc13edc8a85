package persist

import (
	"context"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// OwnTargets returns the open targets that were not set in the config, each row by itself.
// It changes nothing.
func (b *Book) OwnTargets(ctx context.Context) ([]state.Target, error) {
	open, err := openTargets(ctx, b.q)
	if err != nil {
		return nil, fmt.Errorf("targets: %w", err)
	}
	return slices.DeleteFunc(open, func(t state.Target) bool { return t.Origin == state.OriginConfig }), nil
}

// Merge returns one target per spec and vantage of the config's and others, as Targets
// does, without storing anything.
func Merge(config, own []state.Target) []state.Target {
	return merged(slices.Concat(normalised(config), own))
}

// TargetHosts is how many known hosts a target owns.
type TargetHosts struct{ Known, Up int }

// TargetPlace is what makes a target one: its canonical spec and where it is scanned from.
type TargetPlace struct{ Spec, Vantage string }

// countedHosts are the hosts of targets as they were counted for a version of the pages.
type countedHosts struct {
	version string
	counts  map[TargetPlace]TargetHosts
}

// TargetHosts counts the known hosts of each target. It counts anew when something has
// changed; nobody may change what it returns.
func (b *Book) TargetHosts(ctx context.Context) (map[TargetPlace]TargetHosts, error) {
	version, err := b.Version(ctx)
	if err != nil {
		return nil, err
	}
	if c := b.counted.Load(); c != nil && c.version == version {
		return c.counts, nil
	}
	rows, err := b.q.TargetHosts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count the hosts of targets: %w", err)
	}
	counts := make(map[TargetPlace]TargetHosts, len(rows))
	for _, row := range rows {
		counts[TargetPlace{row.Spec, row.Vantage}] = TargetHosts{int(row.Hosts), int(row.Up)}
	}
	b.counted.Store(&countedHosts{version, counts})
	return counts, nil
}

// ReplaceTarget ends a target that was not set in the config and begins another one in its
// place, in one transaction and audited. If it has ended meanwhile it is a
// state.ChangedError; another target of the same origin in the new place is a
// state.RefusedError. The origin stays.
func (b *Book) ReplaceTarget(ctx context.Context, id int64, t state.Target, by state.Actor) error {
	err := b.inStateTx(ctx, func(q *queries.Queries) error {
		open, err := openTargets(ctx, q)
		if err != nil {
			return err
		}
		was, err := replaceable(open, id, t.Spec.String())
		if err != nil {
			return err
		}
		t.Origin = was.Origin
		t = written(t)
		if slices.ContainsFunc(open, func(o state.Target) bool { return o.ID != id && o.Origin == t.Origin && placeOf(o) == placeOf(t) }) {
			return &state.RefusedError{Reasons: []string{fmt.Sprintf("%s from %s is a target already: change that one", t.Spec, t.Vantage)}}
		}
		if placeOf(was) == placeOf(t) && sameTarget(was, t) {
			return nil
		}
		if err := q.RemoveTargets(ctx, []int64{id}); err != nil {
			return err
		}
		if err := addTarget(ctx, q, &t); err != nil {
			return err
		}
		return auditTargetChange(ctx, q, was, t, by)
	})
	if err != nil {
		return fmt.Errorf("targets: %w", err)
	}
	return nil
}

// EndTarget ends a target that was not set in the config, audited; what is known of its
// hosts is kept. If it has ended meanwhile it is a state.ChangedError.
func (b *Book) EndTarget(ctx context.Context, id int64, by state.Actor) error {
	err := b.inStateTx(ctx, func(q *queries.Queries) error {
		open, err := openTargets(ctx, q)
		if err != nil {
			return err
		}
		was, err := replaceable(open, id, "the target")
		if err != nil {
			return err
		}
		if err := q.RemoveTargets(ctx, []int64{id}); err != nil {
			return err
		}
		return auditTarget(ctx, q, "target-remove", was, by)
	})
	if err != nil {
		return fmt.Errorf("targets: %w", err)
	}
	return nil
}

// replaceable returns the target of a number that was not set in the config.
func replaceable(open []state.Target, id int64, what string) (state.Target, error) {
	i := slices.IndexFunc(open, func(o state.Target) bool { return o.ID == id })
	switch {
	case i < 0:
		return state.Target{}, &state.ChangedError{What: what}
	case open[i].Origin == state.OriginConfig:
		return state.Target{}, &state.LockedError{What: open[i].Spec.String(), Where: "the config file"}
	}
	return open[i], nil
}
