package persist

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Revoke takes back every approval of the grant's scope, also of ports that are
// closed by now and of hosts that are not scanned any more, and returns what it
// ended by host and port. A host or port of the scope that matches no approval
// is an error, and nothing is revoked; ErrScopeEmpty and Digest (that of PreviewRevoke) are
// as with Approve. Until and the scope's Unapproved play no part. A scope with a filter
// takes back those of ports that it selects, so of none that is closed.
func (b *Book) Revoke(ctx context.Context, grant state.Grant) ([]state.Approval, error) {
	grant.By, grant.Reason = state.Clean(grant.By), state.Clean(grant.Reason)
	if err := checkGrant(grant); err != nil {
		return nil, fmt.Errorf("revoke: %w", err)
	}
	var ended []state.Approval
	err := b.inStateTx(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		ended, err = v.revoke(ctx, grant)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("revoke: %w", err)
	}
	return ended, nil
}

func (v *view) revoke(ctx context.Context, grant state.Grant) ([]state.Approval, error) {
	approved, err := v.revocable(ctx, grant.Scope)
	if err != nil || len(approved) == 0 {
		return nil, err
	}
	if now := previewOfApprovals(approved); grant.Digest != "" && grant.Digest != now.Digest {
		return nil, &ChangedError{now}
	}
	ids, addresses := make([]int64, len(approved)), make(map[int64]netip.Addr)
	for i, row := range approved {
		ids[i], addresses[row.Approval.HostID] = row.Approval.ID, row.Address
	}
	ended, err := v.q.RevokeApprovals(ctx, queries.RevokeApprovalsParams{Ids: ids, EndedBy: grant.By})
	if err != nil {
		return nil, fmt.Errorf("end approvals: %w", err)
	}
	if err := v.q.UnlinkApprovals(ctx, ids); err != nil {
		return nil, fmt.Errorf("take approvals from ports: %w", err)
	}
	list, _ := v.approvalsOf(ended, addresses)
	return list, v.auditApprovals(ctx, "revoke", grant, list)
}

// revocable returns the approvals of a scope.
func (v *view) revocable(ctx context.Context, scope state.Scope) ([]queries.AllApprovalsRow, error) {
	if len(scope.Approvals) > 0 {
		return v.numbered(ctx, scope)
	}
	rows, err := v.q.OpenApprovals(ctx)
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	approved := make([]queries.AllApprovalsRow, len(rows))
	for i, row := range rows {
		approved[i] = queries.AllApprovalsRow(row)
	}
	hosts, err := v.everyHost(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.checkHosts(ctx, scope, hosts); err != nil {
		return nil, err
	}
	if approved = inScope(scope, approved, hosts); scope.Filter != nil {
		rows, _, err := v.selection(ctx, *scope.Filter)
		if err != nil {
			return nil, err
		}
		chosen := make(map[int64]bool, len(rows))
		for _, r := range rows {
			if r.Approval != nil {
				chosen[r.Approval.ID] = true
			}
		}
		approved = slices.DeleteFunc(approved, func(row queries.AllApprovalsRow) bool { return !chosen[row.Approval.ID] })
	}
	return approved, checkApproved(scope, approved)
}

// numbered returns the approvals of these numbers that have not ended.
func (v *view) numbered(ctx context.Context, scope state.Scope) ([]queries.AllApprovalsRow, error) {
	rows, err := v.q.OpenApprovalsOf(ctx, scope.Approvals)
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	approved := make([]queries.AllApprovalsRow, len(rows))
	for i, row := range rows {
		approved[i] = queries.AllApprovalsRow(row)
	}
	return approved, checkApproved(scope, approved)
}

// everyHost returns all hosts that are known, without their ports.
func (v *view) everyHost(ctx context.Context) ([]*standing, error) {
	known, err := v.known(ctx)
	if err != nil {
		return nil, err
	}
	return v.hosts(ctx, seatsOf(known))
}

// inScope returns the approvals that are of hosts and ports of a scope.
func inScope(scope state.Scope, rows []queries.AllApprovalsRow, hosts []*standing) []queries.AllApprovalsRow {
	matching := make(map[int64]bool, len(hosts))
	for _, h := range hosts {
		if scope.MatchesHost(h.HostReport) {
			matching[h.ID] = true
		}
	}
	return slices.DeleteFunc(rows, func(row queries.AllApprovalsRow) bool {
		port := portOf(row.Approval.Protocol, row.Approval.Port)
		return !matching[row.Approval.HostID] || (len(scope.Ports) > 0 && !slices.Contains(scope.Ports, port))
	})
}

// checkApproved refuses a scope of which a port, or nothing at all, is approved.
func checkApproved(scope state.Scope, rows []queries.AllApprovalsRow) error {
	for _, port := range scope.Ports {
		if !slices.ContainsFunc(rows, func(row queries.AllApprovalsRow) bool {
			return portOf(row.Approval.Protocol, row.Approval.Port) == port
		}) {
			return fmt.Errorf("nobody approved %s on the hosts of the scope", port)
		}
	}
	if len(rows) == 0 && !scope.All {
		return errors.New("no port of the scope is approved")
	}
	return nil
}

// Approvals returns the approvals of the hosts and ports of a scope, newest
// first: those that are good now, or with ended also those that ended or whose
// time is over. The scope's Unapproved plays no part.
func (b *Book) Approvals(ctx context.Context, scope state.Scope, ended bool) ([]state.Approval, error) {
	var list []state.Approval
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		hosts, err := v.everyHost(ctx)
		if err != nil {
			return err
		}
		rows, err := q.AllApprovals(ctx)
		if err != nil {
			return err
		}
		for _, row := range slices.Backward(inScope(scope, rows, hosts)) {
			if ended || good(row.Approval, v.at) {
				a := approvalOf(row.Approval, v.vantages)
				a.Address = row.Address
				list = append(list, a)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list approvals: %w", err)
	}
	return list, nil
}

// good says whether an approval holds at a time.
func good(a queries.Approval, at time.Time) bool {
	return a.EndedAt == nil && (a.ExpiresAt == nil || a.ExpiresAt.After(at))
}
