package persist

import (
	"context"
	"fmt"
	"slices"
	"unique"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// standing is a host as a view has it, with the revisions that date it.
type standing struct {
	state.HostReport
	seat     seat
	first    int64                    // the revision that first knew of it
	asked    int64                    // the last one whose run was asked for it; 0: none
	answered map[state.Protocol]int64 // the last one in which it answered
	last     []state.Coverage         // of those answers, one for each protocol
	missed   map[state.Protocol]int   // runs since then that asked for it
	ports    []standingPort           // in Port order, until finish
}

// standingPort is a port of a standing.
type standingPort struct {
	state.PortReport
	from int64 // the revision since which it is as it is
	seen int64 // the last one in which it was seen so; 0 until it is dated
}

// hosts returns those of the given hosts that are known, in the order of lists
// and without their ports.
func (v *view) hosts(ctx context.Context, wanted seats) ([]*standing, error) {
	rows, err := v.q.HostsAsOf(ctx, queries.HostsAsOfParams{Hosts: wanted.ids(), Rev: v.rev})
	if err != nil {
		return nil, fmt.Errorf("read hosts: %w", err)
	}
	hosts := make([]*standing, 0, len(rows))
	for _, row := range rows {
		h := &standing{seat: seat{row.HostID, row.VantageID}, first: row.First, answered: make(map[state.Protocol]int64, 1), missed: make(map[state.Protocol]int)}
		if !wanted.has(h.seat) {
			continue
		}
		h.HostReport = state.HostReport{
			Host: state.Host{
				ID: row.HostID, Vantage: v.vantages[row.VantageID], Address: row.Address, Names: row.Names, State: state.HostState(once(row.State)),
			},
			Tags: row.Tags, Owner: once(row.Owner), FirstSeen: v.time(row.First),
		}
		hosts = append(hosts, h)
	}
	slices.SortFunc(hosts, func(a, b *standing) int { return state.CompareHosts(a.Host, b.Host) })
	return hosts, nil
}

// addPorts gives hosts their ports, with what stands behind them and who
// approved them.
func (v *view) addPorts(ctx context.Context, hosts []*standing) error {
	bySeat := make(map[seat]*standing, len(hosts))
	ids := make([]int64, len(hosts))
	for i, h := range hosts {
		bySeat[h.seat], ids[i] = h, h.ID
	}
	rows, err := v.q.PortsAsOf(ctx, queries.PortsAsOfParams{Hosts: ids, Rev: v.rev})
	if err != nil {
		return fmt.Errorf("read ports: %w", err)
	}
	fps := make([]pgtype.UUID, len(rows))
	for i, row := range rows {
		fps[i] = row.Fp
	}
	behind, err := services(ctx, v.q, fps)
	if err != nil {
		return err
	}
	good, err := v.approvals(ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		h := bySeat[seat{row.HostID, row.VantageID}]
		if h == nil {
			continue // known from another vantage
		}
		port := portOf(row.Protocol, row.Port)
		if h.ports == nil {
			h.ports = make([]standingPort, 0, 8)
		}
		h.ports = append(h.ports, standingPort{from: row.RevFrom, PortReport: state.PortReport{
			PortStatus: state.PortStatus{Port: port, State: state.PortState(once(row.State)), Service: behind[row.Fp]},
			FirstSeen:  v.time(row.First), Approval: good.of(h, port),
		}})
	}
	for _, h := range hosts {
		slices.SortFunc(h.ports, func(a, b standingPort) int { return a.Compare(b.Port) })
	}
	return nil
}

// finish makes the ports those of the report, for nothing is left to be dated.
func (h *standing) finish() {
	h.Ports = make([]state.PortReport, len(h.ports))
	for i := range h.ports {
		h.Ports[i] = h.ports[i].PortReport
	}
	h.ports = nil
}

// reports hands over the hosts as a reader gets them.
func reports(hosts []*standing) []state.HostReport {
	list := make([]state.HostReport, len(hosts))
	for i, h := range hosts {
		list[i] = h.HostReport
	}
	return list
}

func portOf(protocol string, number int32) state.Port {
	return state.Port{Protocol: state.Protocol(once(protocol)), Number: uint16(number)}
}

// once returns the one copy of a text that is kept for all rows that have it.
func once(text string) string { return unique.Make(text).Value() }

// approvalKey is what an approval is of; vantage 0 is any.
type approvalKey struct {
	seat seat
	port state.Port
}

type approvals map[approvalKey]*state.Approval

// of returns the approval that is good for a port: one for its vantage before
// one for any.
func (a approvals) of(h *standing, port state.Port) *state.Approval {
	found := a[approvalKey{h.seat, port}]
	if found == nil {
		found = a[approvalKey{seat{h.ID, 0}, port}]
	}
	if found != nil {
		found.Address = h.Address
	}
	return found
}

// approvals returns the approvals of hosts that were good at the time of the
// view. How they ended later is not told.
func (v *view) approvals(ctx context.Context, ids []int64) (approvals, error) {
	rows, err := v.q.ApprovalsAsOf(ctx, queries.ApprovalsAsOfParams{Hosts: ids, At: v.at})
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	good := make(approvals, len(rows))
	for _, row := range rows {
		a := approvalOf(row.Approval, v.vantages)
		a.EndedAt, a.EndedBy, a.EndReason = nil, "", ""
		key := approvalKey{seat{a.HostID, 0}, a.Port}
		if id := row.Approval.VantageID; id != nil {
			key.seat.vantage = *id
		}
		good[key] = &a
	}
	return good, nil
}

// approvalOf is a row of approval, without the host's address.
func approvalOf(row queries.Approval, vantages map[int16]string) state.Approval {
	a := state.Approval{
		ID: row.ID, HostID: row.HostID, Port: portOf(row.Protocol, row.Port),
		Service: once(row.Service), Family: once(row.Family), Probed: row.Probed,
		Process: state.Process{Exe: row.Exe, User: row.OsUser, Unit: row.Unit, Container: row.Container, Package: row.Package}.Pointer(),
		Reason:  once(row.Reason), By: once(row.GrantedBy), Via: once(row.Via),
		GrantedAt: row.GrantedAt, Until: row.ExpiresAt, EndedAt: row.EndedAt, EndedBy: row.EndedBy,
		EndReason: state.EndReason(row.EndReason),
	}
	if row.Rule != nil {
		a.Rule = *row.Rule
	}
	if row.VantageID != nil {
		a.Vantage = vantages[*row.VantageID]
	}
	return a
}
