-- name: AnalyzeStage :exec
-- AnalyzeStage tells the planner how much was staged: with the statistics of
-- the empty table it would loop where it has to hash.
analyze stage_host, stage_port;

-- name: DifferingHosts :many
-- DifferingHosts returns the hosts that a run looked at and that differ from
-- what is known, or may: more than package diff calls a change, never less.
with looked as (
    select s.host_id, s.vantage_id, bool_or(s.status = 'answered') as answered, bool_or(s.status = 'silent') as silent,
           max(coalesce(s.names[1], '')) as name
    from stage_host s where s.run_id = sqlc.arg(run_id)
    group by s.host_id, s.vantage_id
), before as (
    select c.*, h.status
    from port_current c
    join stage_host h on h.run_id = sqlc.arg(run_id) and h.host_id = c.host_id and h.vantage_id = c.vantage_id and h.protocol = c.protocol
), after as (
    select p.* from stage_port p where p.run_id = sqlc.arg(run_id)
), moved as (
    select coalesce(a.host_id, b.host_id) as host_id, coalesce(a.vantage_id, b.vantage_id) as vantage_id,
           coalesce(a.state = b.state, false) as same_state, coalesce(b.status, 'answered') as status,
           a.fp as new_fp, b.fp as old_fp
    from after a
    full join before b on b.host_id = a.host_id and b.vantage_id = a.vantage_id and b.protocol = a.protocol and b.port = a.port
    where a.state is distinct from b.state or a.fp is distinct from b.fp
), ports as (
    select m.host_id, m.vantage_id
    from moved m
    left join fingerprint n on n.id = m.new_fp
    left join fingerprint o on o.id = m.old_fp
    where case
        when m.new_fp is null then m.status = 'answered'          -- gone: only an answer is evidence
        when m.same_state then n.probed or not o.probed           -- a pass that did not look sees nothing
        else true
    end
), hosts as (
    select l.host_id, l.vantage_id
    from looked l
    left join host_current c on c.host_id = l.host_id and c.vantage_id = l.vantage_id
    where (l.answered and coalesce(c.state, 'down') = 'down')
       or (not l.answered and l.silent and c.state = 'up')
       or (l.answered and l.name <> '' and l.name <> coalesce(c.names[1], ''))
)
select host_id::bigint as host_id, vantage_id::smallint as vantage_id from hosts
union
select host_id, vantage_id from ports
order by 1, 2;

-- name: AskedHosts :many
-- AskedHosts returns the hosts that were up and were asked: the base of the
-- share that fell silent.
select h.id, h.address, c.vantage_id, c.names
from host_current c
join host h on h.id = c.host_id
where c.state = 'up' and exists (
    select from stage_host s
    where s.run_id = $1 and s.host_id = c.host_id and s.vantage_id = c.vantage_id and s.status <> 'not_scanned'
);

-- name: WasHosts :many
-- WasHosts returns some hosts as they are known; the state of one that never
-- answered is empty, so that its first answer makes it new and not back.
select h.id, h.address, c.vantage_id, c.names,
       case when c.state = 'up' or exists (
           select from host_history o where o.host_id = c.host_id and o.vantage_id = c.vantage_id and o.state = 'up'
       ) then c.state else '' end::text as state
from (select unnest(sqlc.arg(host_ids)::bigint[]) as host_id, unnest(sqlc.arg(vantage_ids)::smallint[]) as vantage_id) w
join host_current c on c.host_id = w.host_id and c.vantage_id = w.vantage_id
join host h on h.id = c.host_id;

-- name: WasPorts :many
-- WasPorts returns the ports of some hosts as they are known.
select c.host_id, c.vantage_id, c.protocol, c.port, c.state, c.fp
from (select unnest(sqlc.arg(host_ids)::bigint[]) as host_id, unnest(sqlc.arg(vantage_ids)::smallint[]) as vantage_id) w
join port_current c on c.host_id = w.host_id and c.vantage_id = w.vantage_id;

-- name: NowHosts :many
-- NowHosts returns some hosts as a run saw them, one row per protocol.
select h.id, h.address, s.vantage_id, s.protocol, s.status, s.reason, s.port_set_id, s.services, s.filtered_set, s.names
from (select unnest(sqlc.arg(host_ids)::bigint[]) as host_id, unnest(sqlc.arg(vantage_ids)::smallint[]) as vantage_id) w
join stage_host s on s.run_id = sqlc.arg(run_id) and s.host_id = w.host_id and s.vantage_id = w.vantage_id
join host h on h.id = s.host_id
order by s.host_id, s.vantage_id, s.protocol;

-- name: NowPorts :many
-- NowPorts returns the ports of some hosts as a run saw them.
select s.host_id, s.vantage_id, s.protocol, s.port, s.state, s.fp
from (select unnest(sqlc.arg(host_ids)::bigint[]) as host_id, unnest(sqlc.arg(vantage_ids)::smallint[]) as vantage_id) w
join stage_port s on s.run_id = sqlc.arg(run_id) and s.host_id = w.host_id and s.vantage_id = w.vantage_id;
