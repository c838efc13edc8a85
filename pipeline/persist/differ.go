package persist

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// seat is what makes a host one in the database.
type seat struct {
	host    int64
	vantage int16
}

// Differing returns, of the hosts that the run looked at, those that differ
// from what is known or may: as known before (with all that was ever looked at) and as seen now,
// both in the order of state.SortHosts. When a host fell silent, the hosts that
// did not are there too, on both sides and without their ports, so that their
// number is known.
func (b *Book) Differing(ctx context.Context, run state.Run) (was, now []state.Host, err error) {
	err = pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		if err := roomy(ctx, tx); err != nil {
			return err
		}
		was, now, err = differing(ctx, b.q.WithTx(tx), run.ID)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("compare run %d with what is known: %w", run.ID, err)
	}
	return was, now, nil
}

func differing(ctx context.Context, q *queries.Queries, run int64) (was, now []state.Host, err error) {
	if err := q.AnalyzeStage(ctx); err != nil {
		return nil, nil, fmt.Errorf("analyze the stage: %w", err)
	}
	rows, err := q.DifferingHosts(ctx, run)
	if err != nil {
		return nil, nil, fmt.Errorf("find hosts: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil, nil
	}
	hosts, vantages := make([]int64, len(rows)), make([]int16, len(rows))
	for i, row := range rows {
		hosts[i], vantages[i] = row.HostID, row.VantageID
	}
	l := loader{q: q, run: run, hosts: hosts, vantages: vantages}
	if l.names, err = vantageNames(ctx, q); err != nil {
		return nil, nil, err
	}
	before, err := l.was(ctx)
	if err != nil {
		return nil, nil, err
	}
	after, err := l.now(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := lookedAt(ctx, q, before); err != nil {
		return nil, nil, err
	}
	if fellSilent(before, after) {
		if err := l.addAsked(ctx, before, after); err != nil {
			return nil, nil, err
		}
	}
	return sortedHosts(before), sortedHosts(after), nil
}

// lookedAt gives hosts the coverage of all revisions together: a port that is
// open now and that no run ever looked at is no news.
func lookedAt(ctx context.Context, q *queries.Queries, hosts map[seat]*state.Host) error {
	v, err := present(ctx, q)
	if err != nil {
		return err
	}
	var list []*standing
	for at, h := range hosts {
		list = append(list, &standing{HostReport: state.HostReport{Host: *h}, seat: at})
	}
	if err := v.addLookedAt(ctx, list); err != nil {
		return err
	}
	for _, h := range list {
		hosts[h.seat].Coverage = h.Coverage
	}
	return nil
}

// roomy lets the sorts and hashes of a million rows stay in memory, for this
// transaction, and leaves out compiling statements, which costs more than
// running them.
func roomy(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "set local work_mem = '256MB'; set local jit = off"); err != nil {
		return fmt.Errorf("prepare the transaction: %w", err)
	}
	return nil
}

func fellSilent(before, after map[seat]*state.Host) bool {
	for at, h := range after {
		if h.Status() == state.Silent && before[at] != nil && before[at].State == state.Up {
			return true
		}
	}
	return false
}

func sortedHosts(hosts map[seat]*state.Host) []state.Host {
	list := make([]state.Host, 0, len(hosts))
	for h := range maps.Values(hosts) {
		list = append(list, *h)
	}
	state.SortHosts(list)
	return list
}

// loader loads some hosts of a run, all at once.
type loader struct {
	q        *queries.Queries
	run      int64
	hosts    []int64 // and their
	vantages []int16
	names    map[int16]string // of vantages
}

// was returns the hosts as they are known; a new one is missing.
func (l loader) was(ctx context.Context) (map[seat]*state.Host, error) {
	rows, err := l.q.WasHosts(ctx, queries.WasHostsParams{HostIds: l.hosts, VantageIds: l.vantages})
	if err != nil {
		return nil, fmt.Errorf("read known hosts: %w", err)
	}
	hosts := make(map[seat]*state.Host, len(rows))
	for _, row := range rows {
		hosts[seat{row.ID, row.VantageID}] = &state.Host{
			ID: row.ID, Vantage: l.names[row.VantageID], Address: row.Address, Names: row.Names, State: state.HostState(row.State),
		}
	}
	ports, err := l.q.WasPorts(ctx, queries.WasPortsParams{HostIds: l.hosts, VantageIds: l.vantages})
	if err != nil {
		return nil, fmt.Errorf("read known ports: %w", err)
	}
	err = addPorts(ctx, l, hosts, ports, func(r queries.WasPortsRow) portRow { return portRow(r) })
	// A listed host that never answered is known to nobody: its first answer makes
	// it new.
	maps.DeleteFunc(hosts, func(_ seat, h *state.Host) bool { return h.State == "" && len(h.Ports) == 0 })
	return hosts, err
}

// now returns the hosts as the run saw them.
func (l loader) now(ctx context.Context) (map[seat]*state.Host, error) {
	rows, err := l.q.NowHosts(ctx, queries.NowHostsParams{RunID: l.run, HostIds: l.hosts, VantageIds: l.vantages})
	if err != nil {
		return nil, fmt.Errorf("read staged hosts: %w", err)
	}
	sets, err := l.portSets(ctx, rows)
	if err != nil {
		return nil, err
	}
	hosts := make(map[seat]*state.Host, len(rows))
	for _, row := range rows {
		at := seat{row.ID, row.VantageID}
		if hosts[at] == nil {
			hosts[at] = &state.Host{ID: row.ID, Vantage: l.names[row.VantageID], Address: row.Address, Names: row.Names, State: state.Down}
		}
		h := hosts[at]
		h.Coverage = append(h.Coverage, state.Coverage{
			Protocol: state.Protocol(row.Protocol), Status: state.CoverageStatus(row.Status), Reason: row.Reason,
			Ports: sets[row.PortSetID], Services: row.Services,
		})
		tell(&h.Coverage[len(h.Coverage)-1], row.FilteredSet, sets)
		if row.Status == string(state.Answered) {
			h.State = state.Up
		}
	}
	ports, err := l.q.NowPorts(ctx, queries.NowPortsParams{RunID: l.run, HostIds: l.hosts, VantageIds: l.vantages})
	if err != nil {
		return nil, fmt.Errorf("read staged ports: %w", err)
	}
	return hosts, addPorts(ctx, l, hosts, ports, func(r queries.NowPortsRow) portRow { return portRow(r) })
}

func (l loader) portSets(ctx context.Context, rows []queries.NowHostsRow) (map[int64]state.PortSet, error) {
	sets := make(map[int64]state.PortSet)
	for _, row := range rows {
		sets[row.PortSetID], sets[setOf(row.FilteredSet)] = state.PortSet{}, state.PortSet{}
	}
	texts, err := l.q.PortSets(ctx, slices.Collect(maps.Keys(sets)))
	if err != nil {
		return nil, fmt.Errorf("read port sets: %w", err)
	}
	for _, row := range texts {
		if sets[row.ID], err = state.ParsePortSet(row.Ports); err != nil {
			return nil, fmt.Errorf("port set %d: %w", row.ID, err)
		}
	}
	return sets, nil
}

// addAsked adds the hosts that were up and were asked and do not differ.
func (l loader) addAsked(ctx context.Context, before, after map[seat]*state.Host) error {
	rows, err := l.q.AskedHosts(ctx, l.run)
	if err != nil {
		return fmt.Errorf("count hosts: %w", err)
	}
	for _, row := range rows {
		at := seat{row.ID, row.VantageID}
		if after[at] != nil {
			continue
		}
		h := state.Host{ID: row.ID, Vantage: l.names[row.VantageID], Address: row.Address, Names: row.Names, State: state.Up}
		before[at] = &h
		seen := h
		seen.Coverage = []state.Coverage{{Protocol: state.TCP, Status: state.Answered}}
		after[at] = &seen
	}
	return nil
}

// portRow is a port of a host in the database.
type portRow struct {
	HostID    int64
	VantageID int16
	Protocol  string
	Port      int32
	State     string
	Fp        pgtype.UUID
}

// addPorts gives hosts their ports, with what stands behind them.
func addPorts[R any](ctx context.Context, l loader, hosts map[seat]*state.Host, rows []R, of func(R) portRow) error {
	seen := make(map[pgtype.UUID]bool)
	for _, r := range rows {
		seen[of(r).Fp] = true
	}
	known, err := services(ctx, l.q, slices.Collect(maps.Keys(seen)))
	if err != nil {
		return err
	}
	for _, r := range rows {
		row := of(r)
		h := hosts[seat{row.HostID, row.VantageID}]
		if h == nil {
			return fmt.Errorf("port %d/%s belongs to host %d, which has no row", row.Port, row.Protocol, row.HostID)
		}
		h.Ports = append(h.Ports, state.PortStatus{
			Port:  state.Port{Protocol: state.Protocol(row.Protocol), Number: uint16(row.Port)},
			State: state.PortState(row.State), Service: known[row.Fp],
		})
	}
	return nil
}
