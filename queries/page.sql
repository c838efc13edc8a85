-- name: CountUp :one
-- CountUp notes that the state, an approval, a snooze or a target is another one from now on.
update book set changes = changes + 1 returning changes;

-- name: PageVersion :one
-- PageVersion returns what pages are made of: the number of changes, and when the last approval
-- and the last snooze ran out that nobody has ended yet. The time is read first, for a clock in a
-- condition hides it from the indexes, and the last one is asked for and not how many there
-- are, for that would start a parallel worker: 0.1 ms instead of 60 with a million ports.
with clock as materialized (select clock_timestamp() as at)
select b.changes, (select k.at from clock k)::timestamptz as at,
       (select coalesce(extract(epoch from max(a.expires_at)) * 1000000, 0) from approval a where a.ended_at is null and a.expires_at <= (select k.at from clock k))::bigint as expired,
       (select coalesce(extract(epoch from max(s.until)) * 1000000, 0) from snooze s where s.ended_at is null and s.until <= (select k.at from clock k))::bigint as awake
from book b;

-- name: NewestApproval :one
-- NewestApproval returns the highest number of an approval, and of the end of one.
select (select coalesce(max(id), 0) from approval)::bigint as approval,
       (select coalesce(max(end_no), 0) from approval where end_no is not null)::bigint as ended;

-- name: IndexHosts :many
-- IndexHosts returns the hosts of some addresses that are known, or without any all of them,
-- and the revision that first knew of each.
select c.host_id, c.vantage_id, h.address, c.state, c.names, coalesce(c.target_id, 0)::bigint as target_id, coalesce(e.first, c.rev_from)::bigint as first
from host_current c
join host h on h.id = c.host_id
left join (select host_id, vantage_id, min(rev_from) as first from host_history group by host_id, vantage_id) e
    on e.host_id = c.host_id and e.vantage_id = c.vantage_id
where sqlc.narg(addresses)::inet[] is null or h.address = any (sqlc.narg(addresses)::inet[]);

-- name: IndexTargets :many
-- IndexTargets returns tags and owners of all targets that ever were.
select id, tags, owner from target;

-- name: IndexPorts :many
-- IndexPorts returns the ports of hosts and the revision that first knew of each. Asked for
-- some hundred hosts at a time: then each is a walk along the primary key, 0.6 us a row, and
-- the rows of a million ports never lie in memory together.
select p.host_id, p.vantage_id, p.protocol, p.port, p.state = 'open' as open, p.fp, p.rev_from, coalesce(e.first, p.rev_from)::bigint as first,
       coalesce(p.approval_id, 0)::bigint as approval_id
from port_current p
left join (
    select f.host_id, f.vantage_id, f.protocol, f.port, min(f.rev_from) as first from port_history f
    where f.host_id = any (sqlc.arg(hosts)::bigint[]) group by f.host_id, f.vantage_id, f.protocol, f.port
) e on e.host_id = p.host_id and e.vantage_id = p.vantage_id and e.protocol = p.protocol and e.port = p.port
where p.host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: HostsMoved :many
-- HostsMoved returns the hosts of which a port or a listener changed after a revision.
select p.host_id from port_change p where p.rev > sqlc.arg(rev)
union
select l.host_id from listener_change l where l.rev > sqlc.arg(rev);

-- name: ApprovalsMoved :many
-- ApprovalsMoved returns the ports of approvals that were given or ended since others, or
-- that are over by now, each with the number of the approval that is good now (0: none), and
-- whether the last one drifted. Three indexes find the approvals; offset 0 and the vantages make
-- the planner look each port up by its whole key, 5 us, where it would else read all ports for some
-- thousand approvals. What depends on a look at other approvals is asked only where it is
-- needed.
with moved as (
    select a.host_id, a.protocol, a.port from approval a where a.id > sqlc.arg(approval)
    union
    select a.host_id, a.protocol, a.port from approval a where a.end_no > sqlc.arg(ended)::bigint
    union
    select a.host_id, a.protocol, a.port from approval a where a.ended_at is null and a.expires_at <= sqlc.arg(at)::timestamptz
)
select p.host_id, p.vantage_id, p.protocol, p.port,
       coalesce(case when a.expires_at <= sqlc.arg(at)::timestamptz then (
           select g.id from approval g
           where g.host_id = p.host_id and g.protocol = p.protocol and g.port = p.port and g.ended_at is null
             and (g.expires_at is null or g.expires_at > sqlc.arg(at)::timestamptz) and (g.vantage_id = p.vantage_id or g.vantage_id is null)
           order by g.vantage_id nulls last, g.id limit 1)
       else p.approval_id end, 0)::bigint as approval_id,
       coalesce(case when p.approval_id is null then (
           select l.end_reason = 'drifted' from approval l
           where l.host_id = p.host_id and l.protocol = p.protocol and l.port = p.port and (l.vantage_id = p.vantage_id or l.vantage_id is null)
           order by l.id desc limit 1)
       end, false)::boolean as drifted
from moved m
cross join vantage v
cross join lateral (
    select c.host_id, c.vantage_id, c.protocol, c.port, c.approval_id from port_current c
    where c.host_id = m.host_id and c.vantage_id = v.id and c.protocol = m.protocol and c.port = m.port offset 0
) p
left join approval a on a.id = p.approval_id;

-- name: DriftedPorts :many
-- DriftedPorts returns the ports without an approval of which the last one drifted.
select p.host_id, p.vantage_id, p.protocol, p.port
from approval d
join port_current p on p.host_id = d.host_id and p.protocol = d.protocol and p.port = d.port and (d.vantage_id = p.vantage_id or d.vantage_id is null)
where d.end_reason = 'drifted' and p.approval_id is null and not exists (
    select from approval l
    where l.host_id = p.host_id and l.protocol = p.protocol and l.port = p.port and l.id > d.id and (l.vantage_id = p.vantage_id or l.vantage_id is null));

-- name: ApprovalsByID :many
-- ApprovalsByID returns approvals by number.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id where a.id = any (sqlc.arg(ids)::bigint[]) order by a.id;

-- name: ApprovalsIn :many
-- ApprovalsIn returns the approvals of hosts, or without any of all, in the order in which they
-- were given: those that have not ended, or all.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where (sqlc.narg(hosts)::bigint[] is null or a.host_id = any (sqlc.narg(hosts)::bigint[])) and (sqlc.arg(ended)::boolean or a.ended_at is null)
order by a.id;

-- name: LastApprovals :many
-- LastApprovals returns of each of some ports the approval that was given last.
select distinct on (k.host_id, k.vantage_id, k.protocol, k.port) k.vantage_id::smallint as seen_from, sqlc.embed(a)
from (select unnest(sqlc.arg(host_ids)::bigint[]) as host_id, unnest(sqlc.arg(vantage_ids)::smallint[]) as vantage_id,
             unnest(sqlc.arg(protocols)::text[]) as protocol, unnest(sqlc.arg(ports)::integer[]) as port) k
join approval a on a.host_id = k.host_id and a.protocol = k.protocol and a.port = k.port and (a.vantage_id = k.vantage_id or a.vantage_id is null)
order by k.host_id, k.vantage_id, k.protocol, k.port, a.id desc;

-- name: SeatsOfAddress :many
-- SeatsOfAddress returns the host of an address, from each vantage that knows it.
select c.host_id, c.vantage_id from host h join host_current c on c.host_id = h.id where h.address = sqlc.arg(address)::inet;

-- name: CountKinds :many
-- CountKinds counts the changes of revisions by kind.
select c.rev, c.kind, count(*) as changes
from (select h.rev, h.kind from host_change h where h.rev = any (sqlc.arg(revs)::bigint[])
      union all
      select p.rev, p.kind from port_change p where p.rev = any (sqlc.arg(revs)::bigint[])
      union all
      select l.rev, l.kind from listener_change l where l.kind <> '' and l.rev = any (sqlc.arg(revs)::bigint[])) c
group by c.rev, c.kind;

-- name: WorstHostChanges :many
-- WorstHostChanges returns the most severe changes of hosts in a revision; ranks say how
-- severe each of kinds is.
select sqlc.embed(c), h.address from host_change c join host h on h.id = c.host_id join vantage v on v.id = c.vantage_id
where c.rev = sqlc.arg(rev)
order by (sqlc.arg(ranks)::integer[])[array_position(sqlc.arg(kinds)::text[], c.kind)], v.name collate "C", h.address, c.kind
limit sqlc.arg(most);

-- name: WorstPortChanges :many
-- WorstPortChanges is WorstHostChanges for changes of ports.
select sqlc.embed(c), h.address from port_change c join host h on h.id = c.host_id join vantage v on v.id = c.vantage_id
where c.rev = sqlc.arg(rev)
order by (sqlc.arg(ranks)::integer[])[array_position(sqlc.arg(kinds)::text[], c.kind)], v.name collate "C", h.address, c.port, c.protocol
limit sqlc.arg(most);

-- name: WorstListenerChanges :many
-- WorstListenerChanges is WorstHostChanges for changes of listeners.
select sqlc.embed(c), h.address from listener_change c join host h on h.id = c.host_id
where c.rev = sqlc.arg(rev) and c.kind <> ''
order by (sqlc.arg(ranks)::integer[])[array_position(sqlc.arg(kinds)::text[], c.kind)], h.address, c.port, c.protocol
limit sqlc.arg(most);
