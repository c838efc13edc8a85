package persist

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Rules has every run that is kept approve what rules match: of several the first one. Without
// it no rule is in force, and what rules approved ends.
func (b *Book) Rules(rules []state.Rule) { b.rules = rules }

// ruling is what rules decide in a run.
type ruling struct {
	k     *keeping
	v     *view
	rules []state.Rule         // whose time is not over
	since map[string]time.Time // when each came into force

	wishes map[string][]wish // by the rule that grants them
	over   []int64           // approvals of rules that end
}

// ruled has rules approve what nobody else did, and ends what they approved and do not match
// any more. What drifted or expired has ended by then.
func (k *keeping) ruled(ctx context.Context) error {
	r := ruling{k: k, since: make(map[string]time.Time), wishes: make(map[string][]wish)}
	for _, rule := range k.rules {
		if !rule.Over(k.rev.At) {
			r.rules = append(r.rules, rule)
		}
	}
	fresh, gone, err := r.settle(ctx)
	if err != nil || len(r.rules) == 0 && !gone {
		return err
	}
	if r.v, err = newView(ctx, k.q, k.rev.ID, k.rev.At); err != nil {
		return err
	}
	last, err := k.q.RuledUpTo(ctx, k.rev.ID) // nobody decided about what was imported since
	if err != nil {
		return fmt.Errorf("look for what rules decided: %w", err)
	}
	p := queries.HostsForRulesParams{After: last.Rev, EndedAfter: last.At, Fresh: fresh, Gone: gone, Ids: r.ids()}
	rows, err := k.q.HostsForRules(ctx, p)
	if err != nil {
		return fmt.Errorf("look for what rules decide: %w", err)
	}
	for batch := range slices.Chunk(rows, hostBatch) {
		seats := make([]seat, len(batch))
		for i, row := range batch {
			seats[i] = seat{row.HostID, row.VantageID}
		}
		if err := r.decide(ctx, seatsOf(seats)); err != nil {
			return err
		}
	}
	if err := r.grant(ctx); err != nil {
		return err
	}
	return r.end(ctx)
}

func (r *ruling) ids() []string {
	ids := make([]string, len(r.rules))
	for i, rule := range r.rules {
		ids[i] = rule.ID()
	}
	return ids
}

// settle brings the rules in force up to date, and says whether some are new or gone.
func (r *ruling) settle(ctx context.Context) (fresh, gone bool, err error) {
	specs := make([]string, len(r.rules))
	for i, rule := range r.rules {
		text, err := json.Marshal(rule)
		if err != nil {
			return false, false, fmt.Errorf("encode a rule: %w", err)
		}
		specs[i] = string(text)
	}
	ended, err := r.k.q.EndRules(ctx, queries.EndRulesParams{At: r.k.rev.At, Ids: r.ids()})
	if err != nil {
		return false, false, fmt.Errorf("end rules: %w", err)
	}
	begun, err := r.k.q.BeginRules(ctx, queries.BeginRulesParams{At: r.k.rev.At, Ids: r.ids(), Specs: specs})
	if err != nil {
		return false, false, fmt.Errorf("begin rules: %w", err)
	}
	inForce, err := r.k.q.Rules(ctx)
	if err != nil {
		return false, false, fmt.Errorf("read rules: %w", err)
	}
	for _, row := range inForce {
		r.since[row.ID] = row.Since
	}
	lines := auditLines{actor: "ownmap", via: state.ViaRule, action: "rule-end"}
	for _, row := range ended {
		if err := lines.add(row.ID, map[string]string{"rule": string(row.Spec)}); err != nil {
			return false, false, err
		}
	}
	if err := lines.write(ctx, r.k.q); err != nil {
		return false, false, err
	}
	lines = auditLines{actor: "ownmap", via: state.ViaRule, action: "rule-begin"}
	for _, row := range begun {
		at := slices.IndexFunc(r.rules, func(rule state.Rule) bool { return rule.ID() == row.ID })
		if err := lines.add(row.ID, map[string]string{"rule": specs[at], "where": r.rules[at].Where}); err != nil {
			return false, false, err
		}
	}
	return len(begun) > 0, len(ended) > 0, lines.write(ctx, r.k.q)
}

// decide decides about the ports of some hosts.
func (r *ruling) decide(ctx context.Context, wanted seats) error {
	hosts, err := r.v.standings(ctx, wanted)
	if err != nil {
		return err
	}
	revoked, err := revokedOf(ctx, r.k.q, wanted.ids())
	if err != nil {
		return err
	}
	ruled, err := r.k.q.RuledApprovals(ctx, wanted.ids())
	if err != nil {
		return fmt.Errorf("read approvals by rules: %w", err)
	}
	given := make(map[approvalKey]queries.RuledApprovalsRow, len(ruled))
	for _, row := range ruled {
		if row.VantageID != nil {
			given[approvalKey{seat{row.HostID, *row.VantageID}, portOf(row.Protocol, row.Port)}] = row
		}
	}
	for _, h := range hosts {
		for i := range h.Ports {
			port := &h.Ports[i]
			key := approvalKey{h.seat, port.Port}
			own, ours := given[key]
			delete(given, key)
			if port.Approved() && !ours || port.State != state.Open {
				continue
			}
			rule := r.match(h, port, revoked.of(key))
			switch {
			case rule == nil && ours:
				r.over = append(r.over, own.ID)
			case rule != nil && (!ours || own.Rule != rule.ID()):
				r.wishes[rule.ID()] = append(r.wishes[rule.ID()], wish{h.seat, h.Address, port.Port, port.Service, port.Behind()})
			}
		}
	}
	for _, own := range given { // of ports that are closed: as long as the rule is there
		if _, inForce := r.since[own.Rule]; !inForce && wanted.has(seat{own.HostID, *own.VantageID}) {
			r.over = append(r.over, own.ID)
		}
	}
	return nil
}

// match returns the first rule that approves a port of which a person took an approval back
// at a time; zero: nobody did.
func (r *ruling) match(h *standing, port *state.PortReport, revoked time.Time) *state.Rule {
	for i := range r.rules {
		if rule := &r.rules[i]; rule.Matches(&h.HostReport, port) && !revoked.After(r.since[rule.ID()]) {
			return rule
		}
	}
	return nil
}

// grant approves what rules decided to approve, in their order.
func (r *ruling) grant(ctx context.Context) error {
	for _, rule := range r.rules {
		wishes := r.wishes[rule.ID()]
		if len(wishes) == 0 {
			continue
		}
		grant := state.Grant{
			Reason: state.Clean(rule.Reason), By: state.Clean(rule.Author()), Via: state.ViaRule, Until: rule.Until, Rule: rule.ID(),
			About: map[string]string{"rule": rule.ID()},
		}
		if _, _, err := r.v.grant(ctx, grant, wishes); err != nil {
			return fmt.Errorf("approve by rule: %w", err)
		}
		r.k.notes = append(r.k.notes, fmt.Sprintf("Approved by the rule %s: %s.", cmp.Or(rule.Reason, rule.String()), state.Count(len(wishes), "port", "ports")))
	}
	return nil
}

// end ends the approvals that no rule gives any more.
func (r *ruling) end(ctx context.Context) error {
	if len(r.over) == 0 {
		return nil
	}
	slices.Sort(r.over)
	rows, err := r.k.q.EndRuled(ctx, queries.EndRuledParams{At: r.k.rev.At, Ids: r.over})
	if err != nil {
		return fmt.Errorf("end approvals of rules: %w", err)
	}
	if _, err := r.k.q.UnlinkApprovals(ctx, r.over); err != nil {
		return fmt.Errorf("take approvals from ports: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.HostID
	}
	addresses, err := r.v.addresses(ctx, ids)
	if err != nil {
		return err
	}
	list, _ := r.v.approvalsOf(rows, addresses)
	grant := state.Grant{By: "ownmap", Via: state.ViaRule, Reason: "the rule is gone, or does not match any more"}
	return r.v.auditApprovals(ctx, "approval-"+string(state.EndedRule), grant, list)
}
