package persist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Report returns everything about a run that kept a state, made from the
// database alone: names, tags, owners, approvals and dates are those of that
// time, so the same run gives the same report for ever. Its hosts are those that
// the run was asked for. It fails with a NoRunError if there is no such run or
// if it kept no state.
func (b *Book) Report(ctx context.Context, runID int64) (state.Report, error) {
	var report state.Report
	err := b.reading(ctx, func(q *queries.Queries) error {
		row, err := keptRun(ctx, q, runID)
		if err != nil {
			return err
		}
		v, err := newView(ctx, q, row.Rev, row.At)
		if err != nil {
			return err
		}
		report, err = v.report(ctx, row)
		return err
	})
	if err != nil {
		return state.Report{}, fmt.Errorf("report of run %d: %w", runID, err)
	}
	return report, nil
}

func (v *view) report(ctx context.Context, row queries.RunWithRevRow) (state.Report, error) {
	run, err := reportedRun(row)
	if err != nil {
		return state.Report{}, err
	}
	report := state.Report{Run: run}
	if report.Trend, err = v.trend(ctx); err != nil {
		return report, err
	}
	if report.PortNames, err = v.portNames(ctx); err != nil {
		return report, err
	}
	if err := v.hashes(ctx, &report); err != nil {
		return report, err
	}
	since, err := v.previous(ctx, &report)
	if err != nil {
		return report, err
	}
	lines, err := v.wholeLedger(ctx, v.rev, v.rev)
	if err != nil {
		return report, err
	}
	report.Coverage = totals(lines)
	if err := v.reportHosts(ctx, &report, lines); err != nil {
		return report, err
	}
	if err := v.insideGaps(ctx, &report); err != nil {
		return report, err
	}
	if err := v.oddities(ctx, &report, lines); err != nil {
		return report, err
	}
	if report.Voided, err = v.voided(ctx, since); err != nil || run.Baseline {
		return report, err
	}
	report.Changes, err = v.changes(ctx)
	return report, err
}

// reportHosts fills in the hosts that lines of the ledger name, and of which of them they
// tell no answer.
func (v *view) reportHosts(ctx context.Context, report *state.Report, lines []line) error {
	missed, known := scope(slices.DeleteFunc(slices.Clone(lines), line.answered)), make(map[seat]*standing)
	err := v.batches(ctx, scope(lines), func(hosts []*standing) error {
		for _, h := range hosts {
			if missed.has(h.seat) {
				known[h.seat] = h
			}
			report.Findings = append(report.Findings, h.Findings...)
		}
		if err := v.addForExport(ctx, hosts); err != nil {
			return err
		}
		report.Hosts = append(report.Hosts, reports(hosts)...)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(report.Findings, state.CompareFindings)
	report.Gaps, err = v.gaps(ctx, lines, known)
	return err
}

// oddities fills in what is neither state nor change.
func (v *view) oddities(ctx context.Context, report *state.Report, lines []line) (err error) {
	if report.Flaps, err = v.flaps(ctx); err != nil {
		return err
	}
	report.Elsewhere, err = v.elsewhere(ctx, scope(lines))
	return err
}

// hostBatch is of how many hosts everything is read at once: the rows of it are more
// than the hosts are themselves.
const hostBatch = 500

// batches hands over the wanted hosts that are known, some at once, in the order of lists.
func (v *view) batches(ctx context.Context, wanted seats, yield func([]*standing) error) error {
	known, err := v.known(ctx)
	if err != nil {
		return err
	}
	known = slices.DeleteFunc(known, func(s seat) bool { return !wanted.has(s) })
	for batch := range slices.Chunk(known, hostBatch) {
		hosts, err := v.standings(ctx, seatsOf(batch))
		if err != nil {
			return err
		}
		if err := yield(hosts); err != nil {
			return err
		}
	}
	return nil
}

// standings returns hosts with all that a reader wants of them.
func (v *view) standings(ctx context.Context, wanted seats) ([]*standing, error) {
	hosts, err := v.hosts(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if err := v.addPorts(ctx, hosts); err != nil {
		return nil, err
	}
	if err := v.date(ctx, hosts); err != nil {
		return nil, err
	}
	if err := v.addInside(ctx, hosts); err != nil {
		return nil, err
	}
	for _, h := range hosts {
		h.finish()
	}
	return hosts, nil
}

// keptRun returns a run that kept a state which is still there.
func keptRun(ctx context.Context, q *queries.Queries, id int64) (queries.RunWithRevRow, error) {
	row, err := anyRun(ctx, q, id)
	if err != nil {
		return row, err
	}
	pruned, err := q.PrunedOf(ctx, row.Rev)
	if err != nil {
		return row, fmt.Errorf("read run: %w", err)
	}
	for _, p := range pruned {
		return row, &NoRunError{Msg: fmt.Sprintf("run %d was pruned on %s by policy (%s): its figures and its hash are kept, its report is not", id, shown(p.At), p.Policy)}
	}
	return row, nil
}

// anyRun is keptRun, also for a run whose state was pruned.
func anyRun(ctx context.Context, q *queries.Queries, id int64) (queries.RunWithRevRow, error) {
	row, err := q.RunWithRev(ctx, id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return row, noRun(ctx, q, fmt.Sprintf("there is no run %d", id))
	case err != nil:
		return row, fmt.Errorf("read run: %w", err)
	case row.Rev == 0:
		why := "it " + row.Run.State
		if row.Run.State == string(state.RunScanning) {
			why = "it is still scanning"
		}
		return row, noRun(ctx, q, fmt.Sprintf("run %d kept no state (%s)", id, why))
	}
	return row, nil
}

// reportedRun is a run as reports have it. Whether the reports of it are written
// is nothing that they can tell, or the second would differ from the first.
func reportedRun(row queries.RunWithRevRow) (state.Run, error) {
	run, err := runOf(row.Run, row.Rev)
	run.State = state.RunDone
	return run, err
}

// previous fills in the run before and returns when it was kept.
func (v *view) previous(ctx context.Context, report *state.Report) (time.Time, error) {
	row, err := v.q.RunBefore(ctx, v.rev)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the run before: %w", err)
	}
	run, err := reportedRun(queries.RunWithRevRow(row))
	report.Previous = &run
	return row.At, err
}

// voided returns the approvals that drifted or expired since a time.
func (v *view) voided(ctx context.Context, since time.Time) ([]state.Approval, error) {
	rows, err := v.q.ApprovalsVoided(ctx, queries.ApprovalsVoidedParams{After: &since, Until: &v.at})
	if err != nil {
		return nil, fmt.Errorf("read void approvals: %w", err)
	}
	var list []state.Approval
	for _, row := range rows {
		a := approvalOf(row.Approval, v.vantages)
		a.Address = row.Address
		list = append(list, a)
	}
	slices.SortFunc(list, compareApprovals)
	return list, nil
}
