package persist

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// targetsOf returns which target asked for each address of a shard.
func targetsOf(shard state.Shard) map[netip.Addr]int64 {
	targets := make(map[netip.Addr]int64, len(shard.Hosts))
	for _, h := range shard.Hosts {
		targets[h.Address] = h.Target
	}
	return targets
}

// stageHosts writes what was seen of hosts into the stage.
func stageHosts(ctx context.Context, tx pgx.Tx, q *queries.Queries, run int64, hosts []state.Host, targets map[netip.Addr]int64) error {
	n, err := numberAll(ctx, q, hosts)
	if err != nil {
		return err
	}
	hostColumns := []string{"run_id", "host_id", "vantage_id", "protocol", "status", "reason", "port_set_id", "services", "names", "target_id", "spoofed", "filtered_set", "mac"}
	if err := copyRows(ctx, tx, "stage_host", hostColumns, n.hostRows(run, hosts, targets)); err != nil {
		return err
	}
	return n.copyPorts(ctx, tx, run, hosts)
}

// copyPorts writes the ports of hosts into the stage.
func (n numbers) copyPorts(ctx context.Context, tx pgx.Tx, run int64, hosts []state.Host) error {
	columns := []string{"run_id", "host_id", "vantage_id", "protocol", "port", "state", "fp", "banner", "silent"}
	return copyRows(ctx, tx, "stage_port", columns, n.portRows(run, hosts))
}

// stagePortNames writes what nmap's table calls ports into the stage.
func stagePortNames(ctx context.Context, q *queries.Queries, run int64, names map[state.Port]string) error {
	if len(names) == 0 {
		return nil
	}
	p := queries.StagePortNamesParams{RunID: run}
	for _, port := range slices.SortedFunc(maps.Keys(names), state.Port.Compare) {
		p.Protocols, p.Ports = append(p.Protocols, string(port.Protocol)), append(p.Ports, int32(port.Number))
		p.Names = append(p.Names, state.Clean(names[port]))
	}
	if err := q.StagePortNames(ctx, p); err != nil {
		return fmt.Errorf("names of ports: %w", err)
	}
	return nil
}

// spoofed returns the ports that a host pretends to have, in the row of their
// protocol.
func spoofed(h state.Host, protocol state.Protocol) string {
	if protocol != state.TCP {
		return ""
	}
	return h.Spoofed.String()
}

// numbers are the database's numbers of what hosts are made of.
type numbers struct {
	hosts    map[netip.Addr]int64
	vantages map[string]int16
	sets     map[string]int64
}

// numberAll gives a number to every address, vantage, port set and fingerprint
// of hosts.
func numberAll(ctx context.Context, q *queries.Queries, hosts []state.Host) (numbers, error) {
	var (
		n         numbers
		addresses []netip.Addr
		names     []string
		sets      []state.PortSet
		found     = newServiceSet()
	)
	for _, h := range hosts {
		addresses = append(addresses, h.Address)
		if !slices.Contains(names, h.Vantage) {
			names = append(names, h.Vantage)
		}
		for _, c := range h.Coverage {
			sets = append(sets, c.Ports, apartOf(c, openOver(h.Ports, c.Protocol)).set)
		}
		for _, p := range h.Ports {
			found.add(p.Service)
		}
	}
	var err error
	if n.hosts, err = hostIDs(ctx, q, addresses); err != nil {
		return n, err
	}
	if n.vantages, err = vantageIDs(ctx, q, names...); err != nil {
		return n, err
	}
	if n.sets, err = portSetIDs(ctx, q, sets); err != nil {
		return n, err
	}
	return n, found.keep(ctx, q)
}

// hostIDs returns the numbers of addresses, and gives one to each new address.
func hostIDs(ctx context.Context, q *queries.Queries, addresses []netip.Addr) (map[netip.Addr]int64, error) {
	if err := q.AddHosts(ctx, addresses); err != nil {
		return nil, fmt.Errorf("add hosts: %w", err)
	}
	rows, err := q.HostIDs(ctx, addresses)
	if err != nil {
		return nil, fmt.Errorf("read hosts: %w", err)
	}
	ids := make(map[netip.Addr]int64, len(rows))
	for _, row := range rows {
		ids[row.Address] = row.ID
	}
	return ids, nil
}

func (n numbers) hostRows(run int64, hosts []state.Host, targets map[netip.Addr]int64) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, h := range hosts {
			var target *int64
			if id := targets[h.Address]; id != 0 {
				target = &id
			}
			names := append([]string{}, h.Names...)
			for _, c := range h.Coverage {
				if !yield([]any{
					run, n.hosts[h.Address], n.vantages[h.Vantage], string(c.Protocol), string(c.Status), c.Reason,
					n.sets[c.Ports.String()], c.Services, names, target, spoofed(h, c.Protocol),
					apartOf(c, openOver(h.Ports, c.Protocol)).number(n.sets), h.MAC,
				}) {
					return
				}
			}
		}
	}
}

func (n numbers) portRows(run int64, hosts []state.Host) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, h := range hosts {
			for _, p := range h.Ports {
				if kept(p.State) && !yield([]any{
					run, n.hosts[h.Address], n.vantages[h.Vantage], string(p.Protocol), int32(p.Number),
					string(p.State), uuidOf(p.Service.Fingerprint()), state.Clean(p.Banner), p.Silent,
				}) {
					return
				}
			}
		}
	}
}

// kept says whether a port in this state has a row: one that is neither open
// nor open|filtered has none.
func kept(s state.PortState) bool { return s == state.Open || s == state.OpenFiltered }

// copyRows hands rows to COPY one by one, so that a million never lie in memory.
func copyRows(ctx context.Context, tx pgx.Tx, table string, columns []string, rows iter.Seq[[]any]) error {
	next, stop := iter.Pull(rows)
	defer stop()
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, _ := next() // nil at the end, as COPY wants it
		return row, nil
	}))
	if err != nil {
		return fmt.Errorf("copy into %s: %w", table, err)
	}
	return nil
}
