package lab

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bulk is a large network over many nights as a database has it: without a scan, for
// benchmarks of what reads it. The same Bulk gives the same rows.
type Bulk struct {
	Hosts, Ports int       // hosts, and open ports of each
	Runs         int       // nights, each two days after the one before
	End          time.Time // when the last run was kept
}

// Million is what OwnMap is made for: a million open ports on 50,000 hosts.
func Million(end time.Time) Bulk { return Bulk{Hosts: 50_000, Ports: 20, Runs: 30, End: end} }

// What a Bulk is made of, for who wants to ask for some of it: 250 hosts are of one
// target, "10.16.0.0/24" the first, and one host in bulkSilent did not answer in the last run.
const (
	bulkTarget = 250
	bulkSilent = 70
)

// Fill writes the network into a database whose schema is there and which has no run yet.
func (b Bulk) Fill(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	defer conn.Close(ctx)
	if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return b.fill(ctx, tx) }); err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	// As autovacuum leaves a database that has been in use for a while.
	if _, err := conn.Exec(ctx, "vacuum analyze"); err != nil {
		return fmt.Errorf("analyze the database: %w", err)
	}
	return nil
}

func (b Bulk) fill(ctx context.Context, tx pgx.Tx) error {
	// All rows fit together: a million look-ups of foreign keys would find that out.
	for _, sql := range []string{"savepoint as_it_is", "set local session_replication_role = replica"} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			if _, err := tx.Exec(ctx, "rollback to as_it_is"); err != nil { // not a superuser: so be it
				return err
			}
		}
	}
	if _, err := tx.Exec(ctx, `insert into vantage (name) values ('dmz');
		insert into port_set (hash, ports) values (sha256('1-10000'), '1-10000'), (sha256('53,123,161'), '53,123,161')`); err != nil {
		return err
	}
	ports := b.ports()
	for _, t := range []struct {
		name    string
		columns []string
		rows    iter.Seq[[]any]
	}{
		{"target", []string{"id", "spec", "tags", "owner", "profile", "vantage", "origin", "created_at"}, b.targets()},
		{"host", []string{"id", "address"}, b.hosts()},
		{"run", []string{"id", "state", "planned", "baseline", "started_at", "finished_at"}, b.runs()},
		{"rev", []string{"id", "run_id", "at", "open", "unapproved", "changes", "answered", "silent", "not_scanned"}, b.revs(ports)},
		{"host_current", []string{"host_id", "vantage_id", "state", "names", "target_id", "rev_from"}, b.current()},
		{"host_change", []string{"rev", "host_id", "vantage_id", "kind"}, b.hostChanges()},
		{"host_coverage", []string{"host_id", "vantage_id", "protocol", "port_set_id", "services"}, b.covered()},
		{"fingerprint", []string{"id", "service", "product", "version", "extra_info", "tunnel", "probed"}, b.fingerprints()},
		{"process", []string{"id", "exe", "os_user", "unit", "container", "package"}, b.processes()},
		{"approval", []string{
			"id", "host_id", "vantage_id", "protocol", "port", "service", "family", "probed", "exe", "os_user", "unit", "package",
			"reason", "granted_by", "via", "granted_at", "expires_at", "ended_at", "ended_by", "end_reason", "end_no",
		}, b.approvals(ports)},
		{"port_current", []string{"host_id", "vantage_id", "protocol", "port", "state", "fp", "rev_from", "approval_id"}, b.portsNow(ports)},
		{"port_history", []string{"host_id", "vantage_id", "protocol", "port", "state", "fp", "rev_from", "rev_to"}, b.portsThen(ports)},
		{"port_change", []string{"rev", "host_id", "vantage_id", "protocol", "port", "kind", "old_state", "old_fp", "new_state", "new_fp"}, b.portChanges(ports)},
		{"listener_current", []string{"host_id", "protocol", "port", "bind", "process", "rev_from"}, b.listeners(ports)},
		{"listener_change", []string{"rev", "host_id", "protocol", "port", "bind", "kind", "new_process", "before", "after"}, b.listenerChanges(ports)},
		{"audit", []string{"at", "actor", "via", "action", "subject", "detail"}, b.audit(ports)},
	} {
		next, stop := iter.Pull(t.rows)
		_, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, _ := next()
			return row, nil
		}))
		stop()
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	if err := b.ledger(ctx, tx); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	_, err := tx.Exec(ctx, `
		select setval(pg_get_serial_sequence(t, 'id'), n) from (
			select 'target' as t, max(id) as n from target union all select 'host', max(id) from host union all select 'approval', max(id) from approval) s;
		select setval('approval_end_no', coalesce(max(end_no), 1)) from approval;
		insert into snooze (host_id, reason, set_by, via, until)
			select id, 'is being moved', 'carol', 'cli', now() + interval '14 days' from host where id % 997 = 0;
		insert into snooze (host_id, protocol, port, reason, set_by, via, until)
			select host_id, protocol, port, 'waits for the vendor', 'dave', 'cli', now() + interval '3 days'
			from port_current where approval_id is null and host_id % 499 = 0`)
	return err
}

// ledger writes who answered in each run: all but a few hosts, each time others.
func (b Bulk) ledger(ctx context.Context, tx pgx.Tx) error {
	for rev := 1; rev <= b.Runs; rev++ {
		if _, err := tx.Exec(ctx, `
			insert into coverage (rev, vantage_id, protocol, status, reason, port_set_id, services, hosts)
			select $1, h.vantage_id, p.protocol, s.status, s.reason, p.port_set_id, true, range_agg(int8range(h.host_id, h.host_id, '[]'))
			from host_current h
			cross join lateral (select case when (h.host_id + $1) % $2 = 0 and h.rev_from < $1 then 'silent' else 'answered' end as status,
			                           case when (h.host_id + $1) % $2 = 0 and h.rev_from < $1 then 'no answer' else '' end as reason) s
			cross join lateral (select 'tcp' as protocol, id as port_set_id from port_set where ports = '1-10000'
			                    union all select 'udp', id from port_set where ports = '53,123,161') p
			where h.rev_from <= $1
			group by h.vantage_id, p.protocol, s.status, s.reason, p.port_set_id`, rev, bulkSilent); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `
			insert into listener_coverage (rev, status, reason, hosts)
			select $1, 'answered', '', range_agg(int8range(host_id, host_id, '[]')) from host_current where target_id % 3 = 0 and rev_from <= $1 having count(*) > 0`, rev); err != nil {
			return err
		}
	}
	return nil
}

// at returns when a run was kept.
func (b Bulk) at(rev int) time.Time { return b.End.Add(time.Duration(rev-b.Runs) * 48 * time.Hour) }

func (b Bulk) runs() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for rev := 1; rev <= b.Runs; rev++ {
			at := b.at(rev)
			if !yield([]any{rev, "done", true, rev == 1, at.Add(-20 * time.Minute), at}) {
				return
			}
		}
	}
}

// revs are the revisions with what they found in figures.
func (b Bulk) revs(ports []bulkPort) iter.Seq[[]any] {
	open, approved, changes := make([]int, b.Runs+2), make([]int, b.Runs+2), make([]int, b.Runs+2)
	for i := range ports {
		p := &ports[i]
		open[p.first]++
		changes[p.first]++
		if p.before != nil {
			changes[p.rev]++
		}
		switch {
		case p.drifted:
			approved[p.first]++
			approved[p.rev]--
		case p.approval > 0: // on the day after
			approved[p.first+1]++
		}
	}
	hosts, silent := make([]int, b.Runs+2), make([]int, b.Runs+2)
	for h := range b.everyHost() {
		hosts[b.since(h)]++
		for rev := b.since(h) + 1; rev <= b.Runs; rev++ {
			if (int(h.id)+rev)%bulkSilent == 0 {
				silent[rev]++
			}
		}
	}
	return func(yield func([]any) bool) {
		met := 0
		for rev := 1; rev <= b.Runs; rev++ {
			open[rev], approved[rev], met = open[rev]+open[rev-1], approved[rev]+approved[rev-1], met+hosts[rev]
			if !yield([]any{rev, rev, b.at(rev), open[rev], open[rev] - approved[rev], changes[rev] + hosts[rev], met - silent[rev], silent[rev], 0}) {
				return
			}
		}
	}
}
