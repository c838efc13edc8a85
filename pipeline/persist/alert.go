package persist

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// banners keeps what ports said, for the next run to compare with, and which
// services were named now.
func (k *keeping) banners(ctx context.Context) error {
	if err := k.q.KeepBanners(ctx, k.run.ID); err != nil {
		return fmt.Errorf("banners: %w", err)
	}
	if err := k.q.KeepNamed(ctx, k.run.ID); err != nil {
		return fmt.Errorf("dates of service detection: %w", err)
	}
	return nil
}

// alert collects what is to be told of the scan itself, one alert of a kind.
func (k *keeping) alert(ctx context.Context) error {
	if b := k.outcome.Blind; b != nil {
		k.tell(state.AlertBlind, blindNote(*b))
	}
	own, err := k.q.CountOwnSide(ctx, queries.CountOwnSideParams{RunID: k.run.ID, Reason: state.OwnSide})
	if err != nil {
		return fmt.Errorf("count hosts behind the scanner's own link: %w", err)
	}
	if own.Hosts > 0 {
		k.tell(state.AlertOwnSide, fmt.Sprintf("the gateway of the scanner did not answer at %s: %s not scanned, and nothing is concluded about them",
			strings.Join(own.Vantages, ", "), state.Count(int(own.Hosts), "host was", "hosts were")))
	}
	lost, err := k.q.LostShards(ctx, k.run.ID)
	if err != nil {
		return fmt.Errorf("count lost shards: %w", err)
	}
	var lines []string
	for _, row := range lost {
		lines = append(lines, fmt.Sprintf("%s of %s (%s): %s", state.Count(int(row.Shards), "shard", "shards"), row.Vantage,
			state.Count(int(row.Hosts), "address", "addresses"), row.Reason))
	}
	if len(lines) > 0 {
		k.tell(state.AlertWorkers, "not scanned: "+strings.Join(lines, "; "))
	}
	return k.alertStale(ctx)
}

// alertStale tells once that hosts have become stale: in the run in which the
// first of them does, with all that are.
func (k *keeping) alertStale(ctx context.Context) error {
	rows, err := k.q.AwayHosts(ctx, k.run.ID)
	if err != nil {
		return fmt.Errorf("find hosts without an answer: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	v, err := newView(ctx, k.q, k.rev.ID, k.rev.At)
	if err != nil {
		return err
	}
	hosts := make([]*standing, len(rows))
	for i, row := range rows {
		hosts[i] = &standing{seat: seat{row.HostID, row.VantageID}, first: 1, answered: make(map[state.Protocol]int64), missed: make(map[state.Protocol]int)}
		hosts[i].ID = row.HostID
	}
	if err := v.date(ctx, hosts); err != nil {
		return err
	}
	stale, longest, fresh := 0, 0, false
	for _, h := range hosts {
		runs := h.away()
		if runs > k.staleAfter {
			stale, longest = stale+1, max(longest, runs)
		}
		fresh = fresh || runs == k.staleAfter+1
	}
	if fresh {
		k.tell(state.AlertStale, fmt.Sprintf("%s not been covered for more than %s, the longest for %d: what is known of them may be old",
			state.Count(stale, "host has", "hosts have"), state.Count(k.staleAfter, "run", "runs"), longest))
	}
	return nil
}

// away returns in how many runs a host has not answered over any protocol.
func (h *standing) away() int {
	runs := slices.Collect(maps.Values(h.missed))
	if len(runs) < len(h.Coverage) || len(runs) == 0 {
		return 0 // it answered over one of them
	}
	return slices.Min(runs)
}

func (k *keeping) tell(kind state.AlertKind, text string) {
	k.alerts = append(k.alerts, state.Alert{Kind: kind, Text: state.Clean(text)})
}
