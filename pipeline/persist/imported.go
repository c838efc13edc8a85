package persist

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// imported is a scan that is being imported.
type imported struct {
	importer *Importer
	scan     state.ImportedScan
	n        numbers      // of its hosts, its vantage and its port sets
	fresh    []state.Host // hosts of which something else is said than the last time
	same     []state.Host // the others
	lines    []line       // of the ledger
}

// number gives a number to the hosts and the vantage of the scan, and tells the hosts of
// which the same is said as before from the others.
func (i *imported) number(ctx context.Context, q *queries.Queries) (err error) {
	in := i.importer
	if _, known := in.vantages[i.scan.Vantage]; !known {
		if in.vantages, err = vantageIDs(ctx, q, i.scan.Vantage); err != nil {
			return err
		}
	}
	var unknown []netip.Addr
	for _, h := range i.scan.Hosts {
		if in.ids[h.Address] == 0 {
			unknown = append(unknown, h.Address)
		}
	}
	for _, left := range i.scan.Left {
		if in.ids[left] == 0 {
			unknown = append(unknown, left)
		}
	}
	// A host that a transaction numbered which was rolled back has another number later:
	// the Importer is of no use then.
	if len(unknown) > 0 {
		ids, err := hostIDs(ctx, q, unknown)
		if err != nil {
			return err
		}
		maps.Copy(in.ids, ids)
	}
	i.n = numbers{hosts: in.ids, vantages: in.vantages}
	for _, h := range i.scan.Hosts {
		if was, known := in.settled[i.seat(h)]; known && sameWords(&was, &h) {
			i.same = append(i.same, was)
		} else {
			i.fresh = append(i.fresh, h)
		}
	}
	return nil
}

func (i *imported) seat(h state.Host) seat {
	return seat{i.importer.ids[h.Address], i.importer.vantages[h.Vantage]}
}

// whole says whether the scan was asked for all hosts of the inventory, so that those are the
// hosts of the inventory from now on.
func (i *imported) whole(ctx context.Context, q *queries.Queries) (bool, error) {
	in := i.importer
	if in.scope == nil {
		v, err := present(ctx, q)
		if err != nil {
			return false, err
		}
		if in.scope, err = v.inventoryScope(ctx); err != nil {
			return false, err
		}
	}
	asked := hostsOf(i.hostIDs())
	for _, left := range i.scan.Left {
		asked = asked.union(hostSet{{in.ids[left], in.ids[left]}})
	}
	for vantage, hosts := range in.scope {
		if vantage == in.vantages[i.scan.Vantage] {
			hosts = hosts.minus(asked)
		}
		if len(hosts) > 0 {
			return false, nil
		}
	}
	return true, nil
}

func (i *imported) hostIDs() []int64 {
	ids := make([]int64, len(i.scan.Hosts))
	for n, h := range i.scan.Hosts {
		ids[n] = i.importer.ids[h.Address]
	}
	return ids
}

// stageImport stages what is not said as before.
func (k *keeping) stageImport(ctx context.Context) error {
	if err := stagePortNames(ctx, k.q, k.run.ID, k.imported.scan.PortNames); err != nil {
		return err
	}
	return stageHosts(ctx, k.tx, k.q, k.run.ID, k.imported.fresh, nil)
}

// lineKey is what hosts have in common that share a line of the ledger.
type lineKey struct {
	protocol state.Protocol
	status   state.CoverageStatus
	reason   string
	set      int64
	services bool
}

// ledger writes the ledger of an imported scan: also of hosts that were not staged.
func (k *keeping) ledger(ctx context.Context) error {
	i := k.imported
	if err := k.noteMoved(ctx); err != nil {
		return err
	}
	k.noteBlind()
	var sets []state.PortSet
	for _, h := range i.scan.Hosts {
		for _, c := range h.Coverage {
			if n := len(sets); n == 0 || !c.Ports.Equal(sets[n-1]) {
				sets = append(sets, c.Ports)
			}
		}
	}
	ids, err := portSetIDs(ctx, k.q, sets)
	if err != nil {
		return err
	}
	hosts := make(map[lineKey][]int64)
	for _, h := range i.scan.Hosts {
		for _, c := range h.Coverage {
			key := lineKey{c.Protocol, c.Status, c.Reason, ids[c.Ports.String()], c.Services}
			hosts[key] = append(hosts[key], i.importer.ids[h.Address])
		}
	}
	vantage := i.importer.vantages[i.scan.Vantage]
	var rows [][]any
	for key, of := range hosts {
		set := hostsOf(of)
		i.lines = append(i.lines, line{rev: k.rev.ID, vantage: vantage, hosts: set, coverage: state.Coverage{Status: key.status}})
		rows = append(rows, []any{k.rev.ID, vantage, string(key.protocol), string(key.status), key.reason, key.set, key.services, set.multirange()})
	}
	columns := []string{"rev", "vantage_id", "protocol", "status", "reason", "port_set_id", "services", "hosts"}
	if err := copyRows(ctx, k.tx, "coverage", columns, slices.Values(rows)); err != nil {
		return err
	}
	return k.hostCoverage(ctx)
}

// importFigures writes the figures of an imported run down.
func (k *keeping) importFigures(ctx context.Context) error {
	i := k.imported
	scope := scope(i.lines)
	if len(k.run.OnlyHosts) > 0 {
		for vantage, hosts := range i.importer.scope {
			scope.add(vantage, hosts)
		}
	}
	i.importer.scope = scope
	v := view{q: k.q, rev: k.rev.ID, at: k.rev.At}
	open, unapproved, err := v.countOpen(ctx, scope)
	if err != nil {
		return err
	}
	for vantage, hosts := range scope { // as of the scan
		later, err := k.q.ApprovedLater(ctx, queries.ApprovedLaterParams{At: k.rev.At, VantageID: vantage, Hosts: hosts.multirange()})
		if err != nil {
			return fmt.Errorf("count ports that were approved later: %w", err)
		}
		unapproved += int(later)
	}
	of := totals(i.lines)
	err = k.q.SetFigures(ctx, queries.SetFiguresParams{
		ID: k.rev.ID, Open: int32(open), Unapproved: int32(unapproved), Changes: int32(len(k.outcome.Changes)),
		Answered: int32(of.Answered), Silent: int32(of.Silent), NotScanned: int32(of.NotScanned),
	})
	if err != nil {
		return fmt.Errorf("keep the figures of the run: %w", err)
	}
	return nil
}

// remember keeps what was said of the hosts, once that is kept. The same again is news of a
// host that fell silent and was not told as down, for too many did at once, and of one that
// calls all ports open, for that is found anew in each run.
func (i *imported) remember(blind *diff.Blind) {
	in := i.importer
	for _, h := range i.fresh {
		at := i.seat(h)
		delete(in.settled, at)
		switch status := h.Status(); {
		case h.Spoofed.Len() > 0:
		case status == state.Answered:
			h.State = state.Up
			in.settled[at] = h
		case status == state.Silent && blind == nil:
			h.State = state.Down
			in.settled[at] = h
		}
	}
	for _, h := range i.scan.Hosts {
		if slices.ContainsFunc(h.Coverage, func(c state.Coverage) bool { return c.Services && c.Status == state.Answered }) {
			in.named[i.seat(h)] = i.scan.FinishedAt
		}
	}
}

// sameWords says whether the same is said of a host: everything of it that is kept.
func sameWords(a, b *state.Host) bool {
	return slices.Equal(a.Names, b.Names) && a.MAC == b.MAC && b.Spoofed.Len() == 0 &&
		slices.EqualFunc(a.Coverage, b.Coverage, state.Coverage.Equal) && samePorts(a.Ports, b.Ports)
}

func samePorts(a, b []state.PortStatus) bool {
	if len(a) != len(b) || len(a) == 0 || &a[0] == &b[0] {
		return len(a) == len(b)
	}
	for i := range a {
		if !a[i].Equal(&b[i]) {
			return false
		}
	}
	return true
}
