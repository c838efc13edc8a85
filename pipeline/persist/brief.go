package persist

import (
	"context"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Brief returns what Report does but for the hosts, without reading them all. It fails
// with a NoRunError as Report does.
func (b *Book) Brief(ctx context.Context, runID int64) (state.Brief, error) {
	var brief state.Brief
	err := b.reading(ctx, func(q *queries.Queries) error {
		row, err := keptRun(ctx, q, runID)
		if err != nil {
			return err
		}
		counted, err := summaries(ctx, q, []queries.RunWithRevRow{row})
		if err != nil {
			return err
		}
		v, err := newView(ctx, q, row.Rev, row.At)
		if err != nil {
			return err
		}
		brief.Open, brief.Unapproved = counted[0].Open, counted[0].Unapproved
		return v.brief(ctx, row, &brief)
	})
	if err != nil {
		return state.Brief{}, fmt.Errorf("report of run %d: %w", runID, err)
	}
	return brief, nil
}

// brief is report for who does not want the hosts: it reads those alone of which there is
// something to tell. Of a narrowed run, whose report is of its own hosts and not of all
// that are counted after it, it reads those.
func (v *view) brief(ctx context.Context, row queries.RunWithRevRow, brief *state.Brief) error {
	run, err := reportedRun(row)
	if err != nil {
		return err
	}
	report := &brief.Report
	report.Run = run
	if err := v.hashes(ctx, report); err != nil {
		return err
	}
	since, err := v.previous(ctx, report)
	if err != nil {
		return err
	}
	lines, err := v.wholeLedger(ctx, v.rev, v.rev)
	if err != nil {
		return err
	}
	report.Coverage = totals(lines)
	wanted := scope(lines)
	if len(run.Only) == 0 {
		if wanted, err = v.told(ctx, lines); err != nil {
			return err
		}
	}
	hosts, err := v.standings(ctx, wanted)
	if err != nil {
		return err
	}
	known := make(map[seat]*standing, len(hosts))
	for _, h := range hosts {
		known[h.seat] = h
		report.Findings = append(report.Findings, h.Findings...)
	}
	slices.SortFunc(report.Findings, state.CompareFindings)
	report.Hosts = reports(hosts)
	if len(run.Only) > 0 {
		brief.Open, brief.Unapproved = report.OpenPorts()
	}
	if err := v.insideGaps(ctx, report); err != nil {
		return err
	}
	report.Hosts = nil // nobody asked for them
	if report.Gaps, err = v.gaps(ctx, lines, known); err != nil {
		return err
	}
	if report.Flaps, err = v.flaps(ctx); err != nil {
		return err
	}
	if report.Voided, err = v.voided(ctx, since); err != nil || run.Baseline {
		return err
	}
	report.Changes, err = v.changes(ctx)
	return err
}

// told returns the hosts of a revision that are told of one by one: those that did not
// answer, from outside or inside, and those with findings.
func (v *view) told(ctx context.Context, lines []line) (seats, error) {
	asked, silent := scope(lines), make(seats)
	for _, l := range lines {
		if l.coverage.Status != state.Answered {
			silent.add(l.vantage, l.hosts)
		}
	}
	ids, err := v.q.FoundHosts(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("find hosts with findings: %w", err)
	}
	ledger, err := v.insideLedger(ctx, hostSet{{1, everyHost}})
	if err != nil {
		return nil, err
	}
	others := hostsOf(ids)
	for _, l := range ledger {
		if l.rev == v.rev && l.status != state.Answered {
			others = others.union(l.hosts)
		}
	}
	for vantage, hosts := range asked {
		silent.add(vantage, hosts.intersect(others))
	}
	return silent, nil
}
