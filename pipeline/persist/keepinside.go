package persist

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// inside keeps what came of looking inside hosts: what moved, the intervals, and
// the ledger of who was looked inside.
func (k *keeping) inside(ctx context.Context) error {
	if len(k.outcome.Inside) == 0 {
		return nil
	}
	if err := k.processes(ctx); err != nil {
		return err
	}
	columns := []string{"rev", "host_id", "protocol", "port", "bind", "kind", "old_process", "new_process", "old_bind", "before", "after", "only_v6"}
	if err := copyRows(ctx, k.tx, "listener_change", columns, k.moves()); err != nil {
		return err
	}
	for _, step := range []func(context.Context, int64) error{k.q.EndListeners, k.q.RemoveListeners, k.q.AddListeners} {
		if err := step(ctx, k.rev.ID); err != nil {
			return fmt.Errorf("listeners: %w", err)
		}
	}
	ledger := queries.AddListenerCoverageParams{Rev: k.rev.ID}
	for _, i := range k.outcome.Inside {
		ledger.Hosts, ledger.Statuses = append(ledger.Hosts, i.Look.HostID), append(ledger.Statuses, string(i.Look.Status))
		ledger.Reasons = append(ledger.Reasons, i.Look.Reason)
	}
	if err := k.q.AddListenerCoverage(ctx, ledger); err != nil {
		return fmt.Errorf("ledger of the inside view: %w", err)
	}
	return nil
}

// shutOut says whether a host that answered the scan could not be looked inside.
func (k *keeping) shutOut() bool {
	return slices.ContainsFunc(k.outcome.Inside, func(i diff.Inside) bool {
		return !i.Look.Complete() && i.Look.Reason != state.InsideHostSilent
	})
}

// processes keeps the processes that stand behind what moved.
func (k *keeping) processes(ctx context.Context) error {
	var p queries.AddProcessesParams
	for _, i := range k.outcome.Inside {
		for _, m := range i.Moves {
			process := m.Now.Process
			if process == (state.Process{}) {
				continue
			}
			p.Ids, p.Exes, p.OsUsers = append(p.Ids, uuidOf(process.Fingerprint())), append(p.Exes, process.Exe), append(p.OsUsers, process.User)
			p.Units, p.Containers = append(p.Units, process.Unit), append(p.Containers, process.Container)
			p.Packages, p.Hashes = append(p.Packages, process.Package), append(p.Hashes, process.SHA256)
		}
	}
	if len(p.Ids) == 0 {
		return nil
	}
	if err := k.q.AddProcesses(ctx, p); err != nil {
		return fmt.Errorf("add processes: %w", err)
	}
	return nil
}

// processID is a process in the database; null is one of which nothing is known.
func processID(p state.Process) pgtype.UUID {
	if p == (state.Process{}) {
		return pgtype.UUID{}
	}
	return uuidOf(p.Fingerprint())
}

func (k *keeping) moves() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, i := range k.outcome.Inside {
			for _, m := range i.Moves {
				if !yield(k.move(i.Look.HostID, m)) {
					return
				}
			}
		}
	}
}

func (k *keeping) move(host int64, m diff.Move) []any {
	at, before, after := m.Now, m.Was.Port.Number != 0, m.Now.Port.Number != 0
	if !after {
		at = m.Was
	}
	var oldBind *netip.Addr
	if !before && m.Was.Bind.IsValid() {
		oldBind = &m.Was.Bind
	}
	return []any{
		k.rev.ID, host, string(at.Port.Protocol), int32(at.Port.Number), at.Bind, string(m.Kind),
		processID(m.Was.Process), processID(m.Now.Process), oldBind, before, after, at.OnlyV6,
	}
}

// usurped returns the approvals of ports behind which another process stands now
// than the one that was approved, or than the one that stood there when nobody
// had looked inside yet.
func (k *keeping) usurped(ctx context.Context) ([]int64, error) {
	moved := make(map[int64]diff.Inside)
	var hosts []int64
	for _, i := range k.outcome.Inside {
		if len(i.Moves) > 0 {
			moved[i.Look.HostID] = i
			hosts = append(hosts, i.Look.HostID)
		}
	}
	if len(hosts) == 0 {
		return nil, nil
	}
	rows, err := k.q.OpenApprovalsOfHosts(ctx, hosts)
	if err != nil {
		return nil, fmt.Errorf("approvals of hosts that were looked inside: %w", err)
	}
	var ids []int64
	for _, row := range rows {
		approval := approvalOf(row.Approval, nil)
		inside := moved[approval.HostID]
		behind, found := state.Behind(inside.Look.Listeners, row.Address, approval.Port)
		if found && (approval.Usurped(behind.Process) || replaced(inside, behind)) {
			ids = append(ids, approval.ID)
		}
	}
	return ids, nil
}

// replaced says whether the process behind a listener is another one than before.
func replaced(inside diff.Inside, l state.Listener) bool {
	for _, m := range inside.Moves {
		if m.Kind == state.ProcessChanged && m.Now.Port == l.Port && m.Now.Bind == l.Bind {
			return true
		}
	}
	return false
}
