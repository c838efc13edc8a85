package persist

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// RuleMatches returns what each of some rules approves as things stand: the next run decides
// so, unless it sees something else.
func (b *Book) RuleMatches(ctx context.Context, rules []state.Rule) ([]state.RuleMatch, error) {
	found := make([]state.RuleMatch, len(rules))
	for i, rule := range rules {
		found[i].Rule = rule
	}
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		since, err := q.Rules(ctx)
		if err != nil {
			return fmt.Errorf("read rules: %w", err)
		}
		began := make(map[string]time.Time, len(since))
		for _, row := range since {
			began[row.ID] = row.Since
		}
		wanted, err := v.inventoryScope(ctx)
		if err != nil {
			return err
		}
		return v.batches(ctx, wanted, func(hosts []*standing) error {
			revoked, err := revokedOf(ctx, q, hostIDsOf(hosts))
			if err != nil {
				return err
			}
			for _, h := range hosts {
				on := make(map[int]bool)
				for i := range h.Ports {
					port := &h.Ports[i]
					at := slices.IndexFunc(rules, func(r state.Rule) bool { return !r.Over(v.at) && r.Matches(&h.HostReport, port) })
					if at < 0 {
						continue
					}
					m := &found[at]
					m.Ports++
					if !on[at] {
						on[at] = true
						m.Hosts++
					}
					begun, known := began[m.Rule.ID()]
					switch taken := revoked.of(approvalKey{h.seat, port.Port}); {
					case port.Approved() && port.Approval.Rule == "":
						m.Others++
					case !port.Approved() && known && taken.After(begun):
						m.Unlinked++
					}
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("what rules match: %w", err)
	}
	return found, nil
}

// RulesInForce returns all approvals that are good now, as rules.
func (b *Book) RulesInForce(ctx context.Context) ([]state.Rule, error) {
	var list []state.Approval
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		rows, err := q.AllApprovals(ctx, v.at)
		if err != nil {
			return err
		}
		for _, row := range rows {
			a := approvalOf(row.Approval, v.vantages)
			a.Address = row.Address
			list = append(list, a)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	return state.FoldRules(list), nil
}
