package persist

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/persist/index"
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
	var moved []approvedPort
	var newest queries.NewestApprovalRow
	changes, err := b.inCountedTx(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		approved, err := b.revocable(ctx, q, grant.Scope)
		if err != nil || len(approved) == 0 {
			return err
		}
		if now := previewOfApprovals(approved); grant.Digest != "" && grant.Digest != now.Digest {
			return &ChangedError{now}
		}
		if ended, moved, err = v.revoke(ctx, grant, approved); err != nil {
			return err
		}
		newest, err = q.NewestApproval(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("revoke: %w", err)
	}
	if newest != (queries.NewestApprovalRow{}) {
		b.mirror.follow(changes, newest, moved)
	}
	return ended, nil
}

func (v *view) revoke(ctx context.Context, grant state.Grant, approved []queries.ApprovalsByIDRow) ([]state.Approval, []approvedPort, error) {
	ids, addresses := make([]int64, len(approved)), make(map[int64]netip.Addr)
	for i, row := range approved {
		ids[i], addresses[row.Approval.HostID] = row.Approval.ID, row.Address
	}
	ended, err := v.q.RevokeApprovals(ctx, queries.RevokeApprovalsParams{At: v.at, Ids: ids, EndedBy: grant.By})
	if err != nil {
		return nil, nil, fmt.Errorf("end approvals: %w", err)
	}
	ports, err := v.q.UnlinkApprovals(ctx, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("take approvals from ports: %w", err)
	}
	moved := make([]approvedPort, len(ports))
	for i, p := range ports {
		moved[i] = approvedPort{seat{p.HostID, p.VantageID}, portOf(p.Protocol, p.Port), p.ApprovalID}
	}
	list, _ := v.approvalsOf(ended, addresses)
	return list, moved, v.auditApprovals(ctx, "revoke", grant, list)
}

// revocable returns the approvals of a scope that have not ended.
func (b *Book) revocable(ctx context.Context, q *queries.Queries, scope state.Scope) ([]queries.ApprovalsByIDRow, error) {
	if len(scope.Approvals) > 0 {
		found, err := q.OpenApprovalsOf(ctx, scope.Approvals)
		if err != nil {
			return nil, fmt.Errorf("read approvals: %w", err)
		}
		rows := make([]queries.ApprovalsByIDRow, len(found))
		for i, row := range found {
			rows[i] = queries.ApprovalsByIDRow(row)
		}
		return rows, checkApproved(scope, rows)
	}
	if scope.Filter == nil && len(scope.Picks) == 0 {
		hosts, err := knownHosts(ctx, q, scope)
		if err != nil {
			return nil, err
		}
		if err := checkHosts(ctx, q, scope, hosts); err != nil {
			return nil, err
		}
		rows, err := approvalsIn(ctx, q, scope, hosts, false)
		if err != nil {
			return nil, err
		}
		return rows, checkApproved(scope, rows)
	}
	c, err := b.choose(ctx, q, scope)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for host, at := range c.selected.All {
		if id := c.Port(at).Approval; id != 0 && c.names(host, at) {
			ids = append(ids, id)
		}
	}
	rows, err := q.ApprovalsByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	return rows, checkApproved(scope, rows)
}

// approvalsIn returns the approvals of those of some hosts, and of the ports, that a scope
// names: those that have not ended, or all.
func approvalsIn(ctx context.Context, q *queries.Queries, scope state.Scope, hosts []index.Host, ended bool) ([]queries.ApprovalsByIDRow, error) {
	p := queries.ApprovalsInParams{Ended: ended}
	if len(scope.Hosts)+len(scope.Tags) > 0 {
		p.Hosts = []int64{}
		named := namer(scope)
		for i := range hosts {
			if named(&hosts[i]) {
				p.Hosts = append(p.Hosts, hosts[i].ID)
			}
		}
	}
	found, err := q.ApprovalsIn(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	rows := make([]queries.ApprovalsByIDRow, 0, len(found))
	for _, row := range found {
		if len(scope.Ports) == 0 || slices.Contains(scope.Ports, portOf(row.Approval.Protocol, row.Approval.Port)) {
			rows = append(rows, queries.ApprovalsByIDRow(row))
		}
	}
	return rows, nil
}

// checkApproved refuses a scope of which a port, or nothing at all, is approved.
func checkApproved(scope state.Scope, rows []queries.ApprovalsByIDRow) error {
	for _, port := range scope.Ports {
		if !slices.ContainsFunc(rows, func(row queries.ApprovalsByIDRow) bool {
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
// time is over. The scope's Unapproved and Filter play no part.
func (b *Book) Approvals(ctx context.Context, scope state.Scope, ended bool) ([]state.Approval, error) {
	var list []state.Approval
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		hosts, err := knownHosts(ctx, q, scope)
		if err != nil {
			return err
		}
		rows, err := approvalsIn(ctx, q, scope, hosts, ended)
		if err != nil {
			return err
		}
		for _, row := range slices.Backward(rows) {
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
