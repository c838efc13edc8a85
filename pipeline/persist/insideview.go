package persist

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// addInside gives hosts what is known of their inside, and where that does not
// agree with the outside.
func (v *view) addInside(ctx context.Context, hosts []*standing) error {
	ledger, err := v.insideLedger(ctx, hostsOf(hostIDsOf(hosts)))
	if err != nil {
		return err
	}
	var ever hostSet
	for _, l := range ledger {
		ever = ever.union(l.hosts)
	}
	for _, h := range hosts {
		if !ever.contains(h.ID) {
			continue
		}
		for _, l := range ledger {
			if !l.hosts.contains(h.ID) {
				continue
			}
			if h.Inside.Status == "" {
				h.Inside.Status, h.Inside.Reason = l.status, l.reason
			}
			if l.status == state.Answered {
				h.Inside.LookedAt = v.when(l.rev)
				break
			}
		}
	}
	if len(ledger) > 0 {
		if err := v.addListeners(ctx, hosts); err != nil {
			return err
		}
	}
	return v.addFindings(ctx, hosts)
}

// insideLine is a row of the ledger of the inside view.
type insideLine struct {
	rev    int64
	status state.CoverageStatus
	reason string
	hosts  hostSet
}

// insideLedger returns what was looked inside of hosts, newest first.
func (v *view) insideLedger(ctx context.Context, hosts hostSet) ([]insideLine, error) {
	rows, err := v.q.InsideLedger(ctx, queries.InsideLedgerParams{Rev: v.rev, Wanted: hosts.multirange()})
	if err != nil {
		return nil, fmt.Errorf("read the ledger of the inside view: %w", err)
	}
	lines := make([]insideLine, len(rows))
	for i, row := range rows {
		lines[i] = insideLine{row.Rev, state.CoverageStatus(row.Status), row.Reason, hostSetOf(row.Hosts)}
	}
	return lines, nil
}

// addListeners gives hosts what listens on them, and ports the process behind them.
func (v *view) addListeners(ctx context.Context, hosts []*standing) error {
	rows, err := v.q.ListenersAsOf(ctx, queries.ListenersAsOfParams{Hosts: hostIDsOf(hosts), Rev: v.rev})
	if err != nil {
		return fmt.Errorf("read listeners: %w", err)
	}
	of, err := listenersOf(ctx, v.q, rows)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		h.Inside.Listeners = of[h.ID]
		for i := range h.ports {
			if l, found := state.Behind(h.Inside.Listeners, h.Address, h.ports[i].Port); found {
				h.ports[i].Process = l.Process.Pointer()
			}
		}
	}
	return nil
}

// listenersOf turns rows into the listeners of each host, in order.
func listenersOf(ctx context.Context, q *queries.Queries, rows []queries.ListenersAsOfRow) (map[int64][]state.Listener, error) {
	ids := make([]pgtype.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.Process
	}
	behind, err := processes(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	of := make(map[int64][]state.Listener)
	for _, row := range rows {
		of[row.HostID] = append(of[row.HostID], state.Listener{
			Port: portOf(row.Protocol, row.Port), Bind: row.Bind, OnlyV6: row.OnlyV6, Process: behind[row.Process],
		})
	}
	for _, list := range of {
		slices.SortFunc(list, state.CompareListeners)
	}
	return of, nil
}

// addFindings gives hosts and their ports what was found out about them.
func (v *view) addFindings(ctx context.Context, hosts []*standing) error {
	rows, err := v.q.FindingsAsOf(ctx, queries.FindingsAsOfParams{Hosts: hostIDsOf(hosts), Rev: v.rev})
	if err != nil {
		return fmt.Errorf("read findings: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	bySeat := make(map[seat]*standing, len(hosts))
	for _, h := range hosts {
		bySeat[h.seat] = h
	}
	for _, row := range rows {
		if h := bySeat[seat{row.HostID, row.VantageID}]; h != nil {
			h.Findings = append(h.Findings, state.Finding{
				Kind: state.FindingKind(row.Kind), Severity: state.Severity(row.Severity), HostID: row.HostID, Vantage: h.Vantage,
				Address: row.Address, Name: h.Name(), Port: portOf(row.Protocol, row.Port), Detail: row.Detail,
				First: v.time(row.First), New: row.First == v.rev,
			})
		}
	}
	for _, h := range hosts {
		slices.SortFunc(h.Findings, state.CompareFindings)
		for i := range h.ports {
			for _, f := range h.Findings {
				if f.OfPort() && f.Port == h.ports[i].Port {
					h.ports[i].Findings = append(h.ports[i].Findings, f)
				}
			}
		}
	}
	return nil
}

// insideGaps counts the hosts that the run was to look inside, and names those
// that it did not.
func (v *view) insideGaps(ctx context.Context, report *state.Report) error {
	ledger, err := v.insideLedger(ctx, hostSet{{1, everyHost}})
	if err != nil {
		return err
	}
	known := make(map[int64]*state.HostReport, len(report.Hosts))
	for i := range report.Hosts {
		h := &report.Hosts[i]
		if _, twice := known[h.ID]; !twice {
			known[h.ID] = h
		}
	}
	for _, l := range ledger {
		if l.rev != v.rev {
			continue
		}
		report.Inside.Hosts += l.hosts.count()
		if l.status == state.Answered {
			report.Inside.Answered += l.hosts.count()
			continue
		}
		report.Inside.NotScanned += l.hosts.count()
		for _, id := range l.hosts.ids() {
			if h := known[id]; h != nil {
				report.InsideGaps = append(report.InsideGaps, state.InsideGap{
					HostID: id, Label: h.Label(), Address: h.Address, Reason: l.reason, Since: h.Inside.LookedAt,
				})
			}
		}
	}
	slices.SortFunc(report.InsideGaps, func(a, b state.InsideGap) int { return a.Address.Compare(b.Address) })
	return nil
}
