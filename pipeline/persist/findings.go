package persist

import (
	"context"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// flaps keeps the flaps of the run.
func (k *keeping) flaps(ctx context.Context) error {
	if err := k.q.KeepFlaps(ctx, queries.KeepFlapsParams{Rev: k.rev.ID, RunID: k.run.ID}); err != nil {
		return fmt.Errorf("flaps: %w", err)
	}
	return nil
}

// findingKey is what a finding is about.
type findingKey struct {
	seat seat
	port state.Port
	kind state.FindingKind
}

// findingText is what a finding says.
type findingText struct {
	severity state.Severity
	detail   string
}

// findings ends what was found before and is not found any more, and keeps what is
// new. Only a host that was looked at can lose a finding.
func (k *keeping) findings(ctx context.Context) error {
	found := make(map[findingKey]findingText)
	if err := k.spoofed(ctx, found); err != nil {
		return err
	}
	if err := k.disagreements(ctx, found); err != nil {
		return err
	}
	open, err := k.q.OpenFindings(ctx)
	if err != nil {
		return fmt.Errorf("read findings: %w", err)
	}
	judges, err := k.judges(ctx, open)
	if err != nil {
		return err
	}
	end := queries.EndFindingsParams{Rev: k.rev.ID}
	for _, row := range open {
		key := findingKey{seat{row.HostID, row.VantageID}, portOf(row.Protocol, row.Port), state.FindingKind(row.Kind)}
		text, again := found[key]
		switch {
		case again && text == findingText{state.Severity(row.Severity), row.Detail}:
			delete(found, key)
			continue
		case !again && !judges.over(key):
			continue
		}
		end.Hosts, end.Vantages = append(end.Hosts, row.HostID), append(end.Vantages, row.VantageID)
		end.Protocols, end.Ports, end.Kinds = append(end.Protocols, row.Protocol), append(end.Ports, row.Port), append(end.Kinds, row.Kind)
	}
	if err := k.q.EndFindings(ctx, end); err != nil {
		return fmt.Errorf("end findings: %w", err)
	}
	if err := k.q.AddFindings(ctx, addFindings(k.rev.ID, found)); err != nil {
		return fmt.Errorf("findings: %w", err)
	}
	return nil
}

func addFindings(rev int64, found map[findingKey]findingText) queries.AddFindingsParams {
	p := queries.AddFindingsParams{Rev: rev}
	for key, text := range found {
		p.Hosts, p.Vantages = append(p.Hosts, key.seat.host), append(p.Vantages, key.seat.vantage)
		p.Protocols, p.Ports = append(p.Protocols, string(key.port.Protocol)), append(p.Ports, int32(key.port.Number))
		p.Kinds, p.Severities = append(p.Kinds, string(key.kind)), append(p.Severities, string(text.severity))
		p.Details = append(p.Details, text.detail)
	}
	return p
}

// spoofed adds the hosts that call nearly every port open.
func (k *keeping) spoofed(ctx context.Context, found map[findingKey]findingText) error {
	rows, err := k.q.SpoofedHosts(ctx, k.run.ID)
	if err != nil {
		return fmt.Errorf("find hosts with all ports open: %w", err)
	}
	for _, row := range rows {
		set, err := state.ParsePortSet(row.Spoofed)
		if err != nil {
			return fmt.Errorf("staged port set: %w", err)
		}
		kind := state.AllPortsOpen
		found[findingKey{seat: seat{row.HostID, row.VantageID}, kind: kind}] = findingText{
			kind.Severity(), state.Clean(thousands(set.Len()) + " TCP ports answer as open, which no host has: " + set.String()),
		}
	}
	return nil
}

// disagreements adds what the join of the two views found.
func (k *keeping) disagreements(ctx context.Context, found map[findingKey]findingText) error {
	var names []string
	for _, i := range k.outcome.Inside {
		for _, f := range i.Look.Findings {
			if !slices.Contains(names, f.Vantage) {
				names = append(names, f.Vantage)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	vantages, err := vantageIDs(ctx, k.q, names...)
	if err != nil {
		return err
	}
	for _, i := range k.outcome.Inside {
		for _, f := range i.Look.Findings {
			found[findingKey{seat{i.Look.HostID, vantages[f.Vantage]}, f.Port, f.Kind}] = findingText{f.Severity, state.Clean(f.Detail)}
		}
	}
	return nil
}

// judges are the hosts of which the run can tell that something is not so any more.
type judges struct {
	inside   map[int64]bool
	answered map[seat]bool
}

func (k *keeping) judges(ctx context.Context, open []queries.OpenFindingsRow) (judges, error) {
	j := judges{inside: make(map[int64]bool), answered: make(map[seat]bool)}
	for _, i := range k.outcome.Inside {
		j.inside[i.Look.HostID] = i.Look.Complete()
	}
	if !slices.ContainsFunc(open, func(f queries.OpenFindingsRow) bool { return f.Kind == string(state.AllPortsOpen) }) {
		return j, nil
	}
	rows, err := k.q.AnsweredHosts(ctx, k.run.ID)
	if err != nil {
		return j, fmt.Errorf("find hosts that answered: %w", err)
	}
	for _, row := range rows {
		j.answered[seat{row.HostID, row.VantageID}] = true
	}
	return j, nil
}

// over says whether a finding that was not made again is over.
func (j judges) over(key findingKey) bool {
	if key.kind == state.AllPortsOpen {
		return j.answered[key.seat]
	}
	return j.inside[key.seat.host]
}
