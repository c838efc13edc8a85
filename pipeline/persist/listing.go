package persist

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// ApprovalList returns a piece of the list of approvals, at most query.Limit rows, and
// whether there are more.
func (b *Book) ApprovalList(ctx context.Context, query state.ApprovalQuery) (list []state.ApprovalRow, more bool, err error) {
	err = b.reading(ctx, func(q *queries.Queries) error {
		rows, err := approvalList(ctx, q, query)
		if err != nil {
			return err
		}
		if len(rows) > query.Limit {
			rows, more = rows[:query.Limit], true
		}
		list, err = approvalRows(ctx, q, rows)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("list approvals: %w", err)
	}
	return list, more, nil
}

// ApprovalsOf returns the approvals of these numbers that have not ended, in the order in
// which they were given.
func (b *Book) ApprovalsOf(ctx context.Context, ids []int64) (list []state.ApprovalRow, err error) {
	err = b.reading(ctx, func(q *queries.Queries) error {
		found, err := q.OpenApprovalsOf(ctx, ids)
		if err != nil {
			return err
		}
		list, err = approvalRows(ctx, q, rowsOf(found))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	return list, nil
}

// approvalRows adds to approvals what belongs to their hosts.
func approvalRows(ctx context.Context, q *queries.Queries, rows []queries.ApprovalsByIDRow) ([]state.ApprovalRow, error) {
	vantages, err := vantageNames(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.Approval.ID
	}
	about, err := q.AboutApprovals(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]queries.AboutApprovalsRow, len(about))
	for _, a := range about {
		byID[a.ID] = a
	}
	list := make([]state.ApprovalRow, len(rows))
	for i, row := range rows {
		of := byID[row.Approval.ID]
		list[i] = state.ApprovalRow{Approval: approvalOf(row.Approval, vantages), Owner: of.Owner, Open: of.Open}
		list[i].Address = row.Address
		if len(of.Names) > 0 {
			list[i].Name = of.Names[0]
		}
	}
	return list, nil
}

// approvalList reads a row more than is asked for.
func approvalList(ctx context.Context, q *queries.Queries, query state.ApprovalQuery) ([]queries.ApprovalsByIDRow, error) {
	before, at := int64(math.MaxInt64), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	if query.After != (state.Place{}) {
		before, at = query.After.ID, query.After.At
	}
	most := int32(min(max(query.Limit, 0), math.MaxInt32-1)) + 1
	within := query.Host != (netip.Prefix{})
	switch {
	case query.Ended && within:
		rows, err := q.EndedApprovalsWithin(ctx, queries.EndedApprovalsWithinParams{
			Prefix: query.Host.String(), BeforeAt: at, Before: before, Author: query.By, Reason: string(query.Reason), Most: most,
		})
		return rowsOf(rows), err
	case query.Ended:
		rows, err := q.EndedApprovals(ctx, queries.EndedApprovalsParams{BeforeAt: at, Before: before, Author: query.By, Reason: string(query.Reason), Most: most})
		return rowsOf(rows), err
	case within:
		rows, err := q.CurrentApprovalsWithin(ctx, queries.CurrentApprovalsWithinParams{Prefix: query.Host.String(), Before: before, Author: query.By, Most: most})
		return rowsOf(rows), err
	}
	rows, err := q.CurrentApprovals(ctx, queries.CurrentApprovalsParams{Before: before, Author: query.By, Most: most})
	return rowsOf(rows), err
}

// rowsOf brings rows of one shape into one type.
func rowsOf[R queries.CurrentApprovalsRow | queries.CurrentApprovalsWithinRow | queries.EndedApprovalsRow | queries.EndedApprovalsWithinRow | queries.OpenApprovalsOfRow](rows []R) []queries.ApprovalsByIDRow {
	list := make([]queries.ApprovalsByIDRow, len(rows))
	for i, row := range rows {
		list[i] = queries.ApprovalsByIDRow(row)
	}
	return list
}

// AuditList returns a piece of the audit, at most query.Limit lines, and whether there are
// more.
func (b *Book) AuditList(ctx context.Context, query state.AuditQuery) (list []state.AuditLine, more bool, err error) {
	before := query.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	most := int32(min(max(query.Limit, 0), math.MaxInt32-1)) + 1
	var rows []queries.Audit
	switch {
	case query.Subject != "":
		// What belongs to an address begins with it, and goes on with a space or not at all.
		next := query.Subject + "\U0010ffff"
		if _, err := netip.ParseAddr(query.Subject); err == nil {
			next = query.Subject + "!"
		}
		rows, err = b.q.AuditAbout(ctx, queries.AuditAboutParams{First: query.Subject, Next: next, Before: before, Actor: query.Actor, Action: query.Action, Most: most})
	case query.Actor != "":
		rows, err = b.q.AuditBy(ctx, queries.AuditByParams{Actor: query.Actor, Before: before, Action: query.Action, Most: most})
	case query.Action != "":
		rows, err = b.q.AuditOf(ctx, queries.AuditOfParams{Action: query.Action, Before: before, Most: most})
	default:
		rows, err = b.q.AuditNewest(ctx, queries.AuditNewestParams{Before: before, Most: most})
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the audit: %w", err)
	}
	if len(rows) > query.Limit {
		rows, more = rows[:query.Limit], true
	}
	list, err = auditOfRows(rows)
	return list, more, err
}
