package persist

import (
	"context"
	"fmt"
	"math"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Disagreements returns where the views from outside and inside do not agree now, the most
// severe first and at most limit of them, and how many there are. Those that are only for
// the record are not counted.
func (b *Book) Disagreements(ctx context.Context, limit int) (list []state.Finding, all int, err error) {
	var kinds []string
	for _, kind := range state.FindingKinds() {
		if kind.Disagreement() {
			kinds = append(kinds, string(kind))
		}
	}
	n, err := b.q.CountFindings(ctx, kinds)
	if err != nil {
		return nil, 0, fmt.Errorf("count disagreements: %w", err)
	}
	if n == 0 {
		return nil, 0, nil
	}
	rows, err := b.q.WorstFindings(ctx, queries.WorstFindingsParams{Kinds: kinds, Most: int32(min(max(limit, 0), math.MaxInt32))})
	if err != nil {
		return nil, 0, fmt.Errorf("read disagreements: %w", err)
	}
	for _, row := range rows {
		f := state.Finding{
			Kind: state.FindingKind(row.Kind), Severity: state.Severity(row.Severity), HostID: row.HostID, Vantage: row.Vantage, Address: row.Address,
			Detail: row.Detail, First: row.At,
		}
		if row.Port != 0 {
			f.Port = portOf(row.Protocol, row.Port)
		}
		if len(row.Names) > 0 {
			f.Name = row.Names[0]
		}
		list = append(list, f)
	}
	return list, int(n), nil
}
