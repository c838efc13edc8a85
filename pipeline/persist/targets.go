package persist

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// place is what makes a target one: its canonical spec and where it is scanned
// from.
type place struct{ spec, vantage string }

func placeOf(t state.Target) place { return place{t.Spec.String(), t.Vantage} }

// Targets makes the open targets of origin config equal to the given ones and
// returns all open targets, one per spec and vantage, in that order. Rows never
// change: other attributes end a row and begin a new one. Where several origins
// name the same, the config's attributes win, tags and exclusions are the
// union of all, and ID, Origin and Where are those of the winner.
func (b *Book) Targets(ctx context.Context, config []state.Target) ([]state.Target, error) {
	var targets []state.Target
	err := b.inStateTx(ctx, func(q *queries.Queries) error {
		open, err := openTargets(ctx, q)
		if err != nil {
			return err
		}
		targets, err = syncConfig(ctx, q, open, normalised(config))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("targets: %w", err)
	}
	return merged(targets), nil
}

// Known returns the hosts of earlier runs, by vantage and address.
func (b *Book) Known(ctx context.Context) ([]state.KnownHost, error) {
	rows, err := b.q.KnownHosts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read known hosts: %w", err)
	}
	known := make([]state.KnownHost, len(rows))
	for i, row := range rows {
		known[i] = state.KnownHost{Address: row.Address, Vantage: row.Vantage, Spec: row.Spec}
	}
	return known, nil
}

// openTargets reads the targets that nobody has removed.
func openTargets(ctx context.Context, q *queries.Queries) ([]state.Target, error) {
	rows, err := q.OpenTargets(ctx)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	targets := make([]state.Target, 0, len(rows))
	for _, row := range rows {
		spec, err := state.ParseSpec(row.Spec)
		if err != nil {
			return nil, fmt.Errorf("stored target %d: %w", row.ID, err)
		}
		target := state.Target{
			ID: row.ID, Spec: spec, Tags: row.Tags, Owner: row.Owner, Profile: row.Profile,
			Vantage: row.Vantage, Origin: state.Origin(row.Origin), CreatedAt: row.CreatedAt,
		}
		for _, text := range row.Exclude {
			spec, err := state.ParseSpec(text)
			if err != nil {
				return nil, fmt.Errorf("stored target %d: exclude: %w", row.ID, err)
			}
			target.Exclude = append(target.Exclude, spec)
		}
		if err := json.Unmarshal(row.Ssh, &target.SSH); err != nil {
			return nil, fmt.Errorf("stored target %d: ssh: %w", row.ID, err)
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// normalised brings the config's targets into the form that is stored, one per
// place: a second mention adds its tags and exclusions to the first.
func normalised(config []state.Target) []state.Target {
	targets := slices.Clone(config)
	for i := range targets {
		targets[i].Origin = state.OriginConfig
		targets[i].Vantage = cmp.Or(targets[i].Vantage, state.DefaultVantage)
	}
	return merged(targets)
}

// merged returns one target per place, in the order of places; the first of
// the best origin wins.
func merged(targets []state.Target) []state.Target {
	rank := map[state.Origin]int{state.OriginConfig: 0, state.OriginCLI: 1, state.OriginWeb: 2}
	targets = slices.Clone(targets)
	slices.SortStableFunc(targets, func(a, b state.Target) int {
		return cmp.Or(cmp.Compare(a.Vantage, b.Vantage), cmp.Compare(a.Spec.String(), b.Spec.String()), cmp.Compare(rank[a.Origin], rank[b.Origin]))
	})
	out := targets[:0]
	for _, t := range targets {
		last := len(out) - 1
		if last < 0 || placeOf(out[last]) != placeOf(t) {
			out = append(out, t)
			last++
		}
		winner := &out[last]
		winner.Tags = slices.Compact(slices.Sorted(slices.Values(slices.Concat(winner.Tags, t.Tags))))
		winner.Exclude = uniqueSpecs(slices.Concat(winner.Exclude, t.Exclude))
	}
	return out
}

func uniqueSpecs(specs []state.Spec) []state.Spec {
	slices.SortFunc(specs, func(a, b state.Spec) int { return cmp.Compare(a.String(), b.String()) })
	return slices.CompactFunc(specs, func(a, b state.Spec) bool { return a.String() == b.String() })
}

func specTexts(specs []state.Spec) []string {
	texts := make([]string, len(specs))
	for i, spec := range specs {
		texts[i] = spec.String()
	}
	return texts
}

// syncConfig ends the open config rows that the config has no more, adds those
// that it has anew, and returns what is open then.
func syncConfig(ctx context.Context, q *queries.Queries, open, config []state.Target) ([]state.Target, error) {
	rows := make(map[place]state.Target)
	var kept []state.Target
	for _, t := range open {
		if t.Origin == state.OriginConfig {
			rows[placeOf(t)] = t
		} else {
			kept = append(kept, t)
		}
	}
	var wanted []state.Target
	for _, t := range config {
		if row, found := rows[placeOf(t)]; found && sameTarget(row, t) {
			t.ID, t.CreatedAt = row.ID, row.CreatedAt
			delete(rows, placeOf(t))
			kept = append(kept, t)
		} else {
			wanted = append(wanted, t)
		}
	}
	var removed []int64
	for _, row := range rows {
		removed = append(removed, row.ID)
	}
	if err := q.RemoveTargets(ctx, removed); err != nil {
		return nil, fmt.Errorf("remove: %w", err)
	}
	for _, t := range wanted {
		if err := addTarget(ctx, q, &t); err != nil {
			return nil, err
		}
		kept = append(kept, t)
	}
	return kept, nil
}

// addTarget stores a target and fills in its number and time.
func addTarget(ctx context.Context, q *queries.Queries, t *state.Target) error {
	ssh, err := json.Marshal(t.SSH)
	if err != nil {
		return fmt.Errorf("add %s: %w", t.Spec, err)
	}
	row, err := q.AddTarget(ctx, queries.AddTargetParams{
		Spec: t.Spec.String(), Exclude: specTexts(t.Exclude), Tags: append([]string{}, t.Tags...),
		Owner: t.Owner, Profile: t.Profile, Vantage: t.Vantage, Origin: string(t.Origin), Ssh: ssh,
	})
	if err != nil {
		return fmt.Errorf("add %s: %w", t.Spec, err)
	}
	t.ID, t.CreatedAt = row.ID, row.CreatedAt
	return nil
}

func sameTarget(a, b state.Target) bool {
	return a.Owner == b.Owner && a.Profile == b.Profile && a.SSH == b.SSH && slices.Equal(a.Tags, b.Tags) &&
		slices.Equal(specTexts(a.Exclude), specTexts(b.Exclude))
}
