-- name: RunWithRev :one
-- RunWithRev returns a run with its revision, which is 0 for a run that kept no
-- state.
select sqlc.embed(run), coalesce(rev.id, 0)::bigint as rev, coalesce(rev.at, run.started_at)::timestamptz as at
from run left join rev on rev.run_id = run.id
where run.id = $1;

-- name: RunBefore :one
-- RunBefore returns the run that kept the last state before a revision.
select sqlc.embed(run), rev.id as rev, rev.at
from rev join run on run.id = rev.run_id
where rev.id < $1
order by rev.id desc limit 1;

-- name: Revs :many
-- Revs returns the revisions up to one, oldest first.
select id, run_id, at from rev where id <= $1 order by id;

-- name: Ledger :many
-- Ledger returns the coverage of some hosts in the revisions from first to last,
-- newest first.
select rev, vantage_id, protocol, status, reason, port_set_id, services,
       (hosts * sqlc.arg(wanted)::int8multirange)::int8multirange as hosts
from coverage
where rev between sqlc.arg(first) and sqlc.arg(last) and hosts && sqlc.arg(wanted)::int8multirange
order by rev desc, vantage_id, protocol, status, reason, port_set_id, services;

-- name: FilteredAsOf :many
-- FilteredAsOf returns which ports of hosts were filtered when they last answered, up
-- to a revision.
select distinct on (host_id, vantage_id, protocol) host_id, vantage_id, protocol, filtered_set
from filtered where host_id = any (sqlc.arg(hosts)::bigint[]) and rev <= sqlc.arg(rev)
order by host_id, vantage_id, protocol, rev desc;

-- name: MACsAsOf :many
-- MACsAsOf returns the hardware addresses of hosts as they were known after a
-- revision.
select distinct on (host_id, vantage_id) host_id, vantage_id, mac
from mac where host_id = any (sqlc.arg(hosts)::bigint[]) and rev <= sqlc.arg(rev)
order by host_id, vantage_id, rev desc;

-- name: PortNames :many
-- PortNames returns what nmap's table called ports as of a revision.
select distinct on (protocol, port) protocol, port, name
from port_name where rev <= $1
order by protocol, port, rev desc;

-- name: HostsAsOf :many
-- HostsAsOf returns hosts as they were known after a revision, with the tags and
-- owner that their target had then, and the revision that first knew of them.
with known as (
    select host_id, vantage_id, state, names, target_id, rev_from
    from host_current c where c.host_id = any (sqlc.arg(hosts)::bigint[]) and c.rev_from <= sqlc.arg(rev)
    union all
    select host_id, vantage_id, state, names, target_id, rev_from
    from host_history c
    where c.host_id = any (sqlc.arg(hosts)::bigint[]) and c.rev_from <= sqlc.arg(rev) and c.rev_to > sqlc.arg(rev)
)
select k.host_id, k.vantage_id, h.address, k.state, k.names,
       coalesce(t.tags, '{}')::text[] as tags, coalesce(t.owner, '')::text as owner,
       coalesce((select min(e.rev_from) from host_history e
                 where e.host_id = k.host_id and e.vantage_id = k.vantage_id), k.rev_from)::bigint as first
from known k
join host h on h.id = k.host_id
left join target t on t.id = k.target_id;

-- name: PortsAsOf :many
-- PortsAsOf returns the ports of hosts as they were known after a revision, and
-- the revision that first knew of each.
with known as (
    select host_id, vantage_id, protocol, port, state, fp, rev_from
    from port_current c where c.host_id = any (sqlc.arg(hosts)::bigint[]) and c.rev_from <= sqlc.arg(rev)
    union all
    select host_id, vantage_id, protocol, port, state, fp, rev_from
    from port_history c
    where c.host_id = any (sqlc.arg(hosts)::bigint[]) and c.rev_from <= sqlc.arg(rev) and c.rev_to > sqlc.arg(rev)
), earlier as (
    select host_id, vantage_id, protocol, port, min(rev_from) as first
    from port_history f where f.host_id = any (sqlc.arg(hosts)::bigint[]) group by 1, 2, 3, 4
)
select k.host_id, k.vantage_id, k.protocol, k.port, k.state, k.fp, k.rev_from,
       coalesce(e.first, k.rev_from)::bigint as first
from known k
left join earlier e using (host_id, vantage_id, protocol, port);

-- name: ApprovalsAsOf :many
-- ApprovalsAsOf returns the approvals of hosts that were good at a time.
select sqlc.embed(a) from approval a
where a.host_id = any (sqlc.arg(hosts)::bigint[]) and a.granted_at <= sqlc.arg(at)
  and (a.ended_at is null or a.ended_at > sqlc.arg(at)) and (a.expires_at is null or a.expires_at > sqlc.arg(at));

-- name: ApprovalsVoided :many
-- ApprovalsVoided returns the approvals that nobody took back and that ended
-- after one time and not after another.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where a.ended_at > sqlc.arg(after) and a.ended_at <= sqlc.arg(until) and a.end_reason in ('drifted', 'expired', 'rule-ended');

-- name: Addresses :many
-- Addresses returns the addresses of hosts.
select id, address from host where id = any (sqlc.arg(ids)::bigint[]);

-- name: HostChangesOfRev :many
-- HostChangesOfRev returns what changed of hosts in a revision.
select sqlc.embed(c), h.address from host_change c join host h on h.id = c.host_id where c.rev = $1;

-- name: PortChangesOfRev :many
-- PortChangesOfRev returns what changed of ports in a revision.
select sqlc.embed(c), h.address from port_change c join host h on h.id = c.host_id where c.rev = $1;

-- name: HostNames :many
-- HostNames returns the names that hosts ever had, oldest first.
select host_id, vantage_id, names, rev_from from host_history n where n.host_id = any (sqlc.arg(hosts)::bigint[])
union all
select host_id, vantage_id, names, rev_from from host_current n where n.host_id = any (sqlc.arg(hosts)::bigint[])
order by rev_from;
