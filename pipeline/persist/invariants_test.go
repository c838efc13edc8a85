package persist

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// checkInvariants fails the test for each rule of the schema that the rows
// break. Every query returns a row per breach.
func checkInvariants(tb testing.TB, book *Book) {
	tb.Helper()
	rules := map[string]string{
		"revisions have no gaps": `
			select max(id) from rev having max(id) <> count(*) or min(id) <> 1`,
		"the stage is empty when no run is under way": `
			select 'rows' from (select run_id from stage_host union all select run_id from stage_port union all select run_id from shard) s
			where not exists (select from run where run.id = s.run_id and run.state = 'scanning')`,
		"a run with a revision is persisted, and only such": `
			select run.id from run left join rev on rev.run_id = run.id where (run.state in ('persisted', 'done')) <> (rev.id is not null)`,
		"intervals of a port neither overlap nor reach into the current one": `
			select key, rev_from from (
				select (host_id, vantage_id, protocol, port)::text as key, rev_from,
				       lag(rev_to, 1, 0::bigint) over (partition by host_id, vantage_id, protocol, port order by rev_from) as before
				from (select host_id, vantage_id, protocol, port, rev_from, rev_to from port_history
				      union all select host_id, vantage_id, protocol, port, rev_from, 9223372036854775807 from port_current) p
			) i where rev_from < before`,
		"intervals of a host neither overlap nor leave a gap": `
			select host_id, rev_from from (
				select host_id, rev_from, lag(rev_to) over (partition by host_id, vantage_id order by rev_from) as before
				from (select host_id, vantage_id, rev_from, rev_to from host_history
				      union all select host_id, vantage_id, rev_from, 9223372036854775807 from host_current) h
			) i where rev_from <> before`,
		"the log replays to the current ports": `
			with replayed as (
				select * from (
					select distinct on (host_id, vantage_id, protocol, port) host_id, vantage_id, protocol, port, new_state, new_fp, rev
					from port_change order by host_id, vantage_id, protocol, port, rev desc) l
				where new_state is not null
			), now as (select host_id, vantage_id, protocol, port, state, fp, rev_from from port_current)
			(select * from replayed except select * from now) union all (select * from now except select * from replayed)`,
		"the intervals give the same state as the log, as of every revision": `
			with replayed as (
				select r.id, l.* from rev r, lateral (
					select distinct on (host_id, vantage_id, protocol, port) host_id, vantage_id, protocol, port, new_state, new_fp
					from port_change c where c.rev <= r.id order by host_id, vantage_id, protocol, port, rev desc) l
				where l.new_state is not null
			), kept as (
				select r.id, p.host_id, p.vantage_id, p.protocol, p.port, p.state, p.fp
				from rev r join (
					select host_id, vantage_id, protocol, port, state, fp, rev_from, rev_to from port_history
					union all select host_id, vantage_id, protocol, port, state, fp, rev_from, 9223372036854775807 from port_current) p
				on p.rev_from <= r.id and r.id < p.rev_to
			)
			(select * from replayed except select * from kept) union all (select * from kept except select * from replayed)`,
		"a change begins where the one before ended": `
			select rev from (
				select rev, old_state, old_fp, lag(new_state) over w as state, lag(new_fp) over w as fp
				from port_change window w as (partition by host_id, vantage_id, protocol, port order by rev)) l
			where (old_state, old_fp) is distinct from (state, fp)`,
		"every current host is in the ledger": `
			select host_id from host_current h where not exists (select from coverage c where c.hosts @> h.host_id and c.vantage_id = h.vantage_id)`,
		"a host is once per protocol in the ledger of a revision": `
			select a.rev from coverage a join coverage b
			on a.rev = b.rev and a.vantage_id = b.vantage_id and a.protocol = b.protocol and a.ctid < b.ctid and a.hosts && b.hosts`,
		"the log of listeners replays to the current ones": `
			with replayed as (
				select host_id, protocol, port, bind, new_process, only_v6, rev from (
					select distinct on (host_id, protocol, port, bind) * from listener_change order by host_id, protocol, port, bind, rev desc) l
				where after
			), now as (select host_id, protocol, port, bind, process, only_v6, rev_from from listener_current)
			(select * from replayed except select * from now) union all (select * from now except select * from replayed)`,
		"intervals of a listener neither overlap nor reach into the current one": `
			select key, rev_from from (
				select (host_id, protocol, port, bind)::text as key, rev_from,
				       lag(rev_to, 1, 0::bigint) over (partition by host_id, protocol, port, bind order by rev_from) as before
				from (select host_id, protocol, port, bind, rev_from, rev_to from listener_history
				      union all select host_id, protocol, port, bind, rev_from, 9223372036854775807 from listener_current) p
			) i where rev_from < before`,
		"a finding is there once at a time": `
			select a.host_id from finding a join finding b
			on (a.host_id, a.vantage_id, a.protocol, a.port, a.kind) = (b.host_id, b.vantage_id, b.protocol, b.port, b.kind) and a.rev < b.rev
			where a.rev_to is null or a.rev_to > b.rev`,
		"only an open approval is on a port": `
			select c.port from port_current c join approval a on a.id = c.approval_id where a.ended_at is not null or a.port <> c.port or a.host_id <> c.host_id`,
	}
	for rule, query := range rules {
		rows, err := book.pool.Query(tb.Context(), query)
		if err != nil {
			tb.Fatalf("%s: %v", rule, err)
		}
		breaches, err := pgx.CollectRows(rows, pgx.RowToMap)
		if err != nil {
			tb.Fatalf("%s: %v", rule, err)
		}
		if len(breaches) > 0 {
			tb.Errorf("broken: %s: %d times, first %v", rule, len(breaches), breaches[0])
		}
	}
	if v, err := book.Verify(tb.Context(), Verify{}); err != nil || len(v.Deviations) > 0 {
		tb.Errorf("broken: the hashes of all runs can be made again: %v, %v", v.Deviations, err)
	}
}
