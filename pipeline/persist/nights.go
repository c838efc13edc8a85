package persist

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// recent is what the newest runs changed: read once, for it stays so until the next run.
type recent struct {
	mu      sync.Mutex
	known   bool
	nights  []state.RunChanges
	changes []state.DatedChange
}

// changed returns what runs changed: each in figures, and the newest changes. runs are the
// newest ones that kept a state, newest first.
func (s *snapshot) changed(ctx context.Context, q *queries.Queries, runs []state.RunSummary) ([]state.RunChanges, []state.DatedChange, error) {
	s.recent.mu.Lock()
	defer s.recent.mu.Unlock()
	if !s.recent.known {
		v := s.view(q, s.version.At)
		nights, err := v.nights(ctx, runs)
		if err != nil {
			return nil, nil, err
		}
		changes, err := v.newestChanges(ctx, nights)
		if err != nil {
			return nil, nil, err
		}
		s.recent.nights, s.recent.changes, s.recent.known = nights, changes, true
	}
	nights := slices.Clone(s.recent.nights)
	for i := range nights {
		nights[i].BySeverity = maps.Clone(nights[i].BySeverity)
	}
	return nights, slices.Clone(s.recent.changes), nil
}

// nights counts the changes of runs by severity. A baseline has none, as in its report.
func (v *view) nights(ctx context.Context, runs []state.RunSummary) ([]state.RunChanges, error) {
	var revs []int64
	nights := make([]state.RunChanges, len(runs))
	at := make(map[int64]*state.RunChanges, len(runs))
	for i, run := range runs {
		nights[i] = state.RunChanges{RunID: run.ID, At: v.time(run.Rev), BySeverity: make(map[state.Severity]int)}
		if !run.Baseline {
			revs, at[run.Rev] = append(revs, run.Rev), &nights[i]
		}
	}
	rows, err := v.q.CountKinds(ctx, revs)
	if err != nil {
		return nil, fmt.Errorf("count changes: %w", err)
	}
	for _, row := range rows {
		night := at[row.Rev]
		night.Total += int(row.Changes)
		night.BySeverity[state.Kind(row.Kind).Severity()] += int(row.Changes)
	}
	return nights, nil
}

// newestChanges returns the changes of the newest runs, of each the most severe first.
func (v *view) newestChanges(ctx context.Context, nights []state.RunChanges) ([]state.DatedChange, error) {
	revOf := make(map[int64]int64, len(v.runs))
	for rev, run := range v.runs {
		revOf[run] = rev
	}
	var list []state.DatedChange
	for _, night := range nights {
		most := state.OverviewChanges - len(list)
		if night.Total == 0 || most <= 0 {
			continue
		}
		then := *v
		then.rev, then.at = revOf[night.RunID], night.At
		changes, err := then.worst(ctx, most)
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			list = append(list, state.DatedChange{Change: c, RunID: night.RunID, At: night.At})
		}
	}
	return list, nil
}

// worst returns the most severe changes of the revision of the view, most of them first.
func (v *view) worst(ctx context.Context, most int) ([]state.Change, error) {
	p := queries.WorstHostChangesParams{Rev: v.rev, Most: int32(most)}
	for _, kind := range state.Kinds() {
		p.Kinds, p.Ranks = append(p.Kinds, string(kind)), append(p.Ranks, int32(kind.Severity().Rank()))
	}
	var log changelog
	hosts, err := v.q.WorstHostChanges(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read changes of hosts: %w", err)
	}
	for _, row := range hosts {
		log.hosts = append(log.hosts, queries.HostChangesOfHostsRow(row))
	}
	ports, err := v.q.WorstPortChanges(ctx, queries.WorstPortChangesParams(p))
	if err != nil {
		return nil, fmt.Errorf("read changes of ports: %w", err)
	}
	for _, row := range ports {
		log.ports = append(log.ports, queries.PortChangesOfHostsRow(row))
	}
	listeners, err := v.q.WorstListenerChanges(ctx, queries.WorstListenerChangesParams(p))
	if err != nil {
		return nil, fmt.Errorf("read changes of listeners: %w", err)
	}
	for _, row := range listeners {
		log.listeners = append(log.listeners, queries.ListenerChangesOfHostsRow(row))
	}
	dated, err := v.read(ctx, log)
	if err != nil {
		return nil, err
	}
	changes := make([]state.Change, len(dated))
	for i, c := range dated {
		changes[i] = c.Change
	}
	slices.SortFunc(changes, func(a, b state.Change) int {
		return cmp.Or(cmp.Compare(a.Kind.Severity().Rank(), b.Kind.Severity().Rank()), state.CompareChanges(a, b))
	})
	return changes[:min(most, len(changes))], nil
}
