package persist

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// wish is a port that is to be approved, with what is seen behind it.
type wish struct {
	seat    seat
	address netip.Addr
	port    state.Port
	service state.Service
	process state.Process
}

// wishesOf returns the ports of hosts that are open and await approval.
func wishesOf(hosts []*standing) []wish {
	var list []wish
	for _, h := range hosts {
		for _, p := range h.ports {
			if p.Unapproved() {
				list = append(list, wish{h.seat, h.Address, p.Port, p.Service, p.Behind()})
			}
		}
	}
	return list
}

// grant approves ports, and returns the approvals and which port has which.
func (v *view) grant(ctx context.Context, grant state.Grant, wishes []wish) ([]state.Approval, []approvedPort, error) {
	add := queries.AddApprovalsParams{Reason: grant.Reason, GrantedBy: grant.By, Via: grant.Via, At: v.at, ExpiresAt: grant.Until}
	if grant.Rule != "" {
		add.Rule = &grant.Rule
	}
	addresses := make(map[int64]netip.Addr)
	for _, w := range wishes {
		addresses[w.seat.host] = w.address
		var pin state.Approval
		pin.Pin(w.service, w.process)
		process := pin.Behind()
		add.HostIds, add.VantageIds = append(add.HostIds, w.seat.host), append(add.VantageIds, w.seat.vantage)
		add.Protocols, add.Ports = append(add.Protocols, string(w.port.Protocol)), append(add.Ports, int32(w.port.Number))
		add.Services, add.Families, add.Probed = append(add.Services, pin.Service), append(add.Families, pin.Family), append(add.Probed, pin.Probed)
		add.Exes, add.OsUsers, add.Packages = append(add.Exes, process.Exe), append(add.OsUsers, process.User), append(add.Packages, process.Package)
		add.Units, add.Containers = append(add.Units, process.Unit), append(add.Containers, process.Container)
	}
	if len(add.HostIds) == 0 {
		return nil, nil, nil
	}
	err := v.q.EndApprovalsOfPorts(ctx, queries.EndApprovalsOfPortsParams{
		At: v.at, EndedBy: grant.By, HostIds: add.HostIds, VantageIds: add.VantageIds, Protocols: add.Protocols, Ports: add.Ports,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("end earlier approvals: %w", err)
	}
	rows, err := v.q.AddApprovals(ctx, add)
	if err != nil {
		return nil, nil, fmt.Errorf("add approvals: %w", err)
	}
	list, ids := v.approvalsOf(rows, addresses)
	if err := v.q.LinkApprovals(ctx, ids); err != nil {
		return nil, nil, fmt.Errorf("mark ports as approved: %w", err)
	}
	moved := make([]approvedPort, len(rows))
	for i, row := range rows {
		moved[i] = approvedPort{seat{row.HostID, *row.VantageID}, portOf(row.Protocol, row.Port), row.ID}
	}
	return list, moved, v.auditApprovals(ctx, "approve", grant, list)
}

// approvalsOf turns rows into approvals by address and port, and their numbers.
func (v *view) approvalsOf(rows []queries.Approval, addresses map[int64]netip.Addr) ([]state.Approval, []int64) {
	list, ids := make([]state.Approval, len(rows)), make([]int64, len(rows))
	for i, row := range rows {
		list[i], ids[i] = approvalOf(row, v.vantages), row.ID
		list[i].Address = addresses[row.HostID]
	}
	slices.SortFunc(list, compareApprovals)
	return list, ids
}

// compareApprovals orders approvals by host, port and time.
func compareApprovals(a, b state.Approval) int {
	return cmp.Or(strings.Compare(a.Vantage, b.Vantage), a.Address.Compare(b.Address), a.Port.Compare(b.Port), cmp.Compare(a.ID, b.ID))
}

// auditApprovals writes a line for each approval that was given or taken back.
func (v *view) auditApprovals(ctx context.Context, action string, grant state.Grant, list []state.Approval) error {
	lines := auditLines{actor: state.Approval{By: grant.By, Via: grant.Via}.Author(), via: grant.Via, how: grant.About, action: action}
	for _, a := range list {
		detail := map[string]string{"approval": strconv.FormatInt(a.ID, 10), "service": a.Service, "family": a.Family, "reason": grant.Reason}
		if process := a.Behind().Described(); process != "" {
			detail["process"] = process
		}
		if a.Until != nil {
			detail["until"] = a.Until.Format(time.RFC3339)
		}
		if err := lines.add(a.Address.String()+" "+a.Port.String(), detail); err != nil {
			return err
		}
	}
	return lines.write(ctx, v.q)
}
