-- name: HostsKnown :many
-- HostsKnown returns every host that was ever known, with the names it has now.
select c.host_id, c.vantage_id, h.address, c.names
from host_current c join host h on h.id = c.host_id
order by h.address, c.vantage_id;

-- name: PortIntervals :many
-- PortIntervals returns when the ports of hosts were open with which service;
-- rev_to is 0 for what is so still.
select host_id, vantage_id, protocol, port, state, fp, rev_from, 0::bigint as rev_to
from port_current c where c.host_id = any (sqlc.arg(hosts)::bigint[])
union all
select host_id, vantage_id, protocol, port, state, fp, rev_from, rev_to
from port_history e where e.host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: HostChangesOfHosts :many
-- HostChangesOfHosts returns all that ever changed of hosts.
select sqlc.embed(c), h.address from host_change c join host h on h.id = c.host_id
where c.host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: PortChangesOfHosts :many
-- PortChangesOfHosts returns all that ever changed of the ports of hosts.
select sqlc.embed(c), h.address from port_change c join host h on h.id = c.host_id
where c.host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: ApprovalsOfHosts :many
-- ApprovalsOfHosts returns all approvals that hosts ever had.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where a.host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: HostsTouched :many
-- HostsTouched returns the hosts of which a row was written after a revision, or
-- whose approvals are other ones than at a time: given since then (their numbers are
-- higher than one), ended since then, or over by now.
select c.host_id from host_current c where c.rev_from > sqlc.arg(rev)
union select e.host_id from host_history e where e.rev_to > sqlc.arg(rev)
union select h.host_id from host_change h where h.rev > sqlc.arg(rev)
union select p.host_id from port_change p where p.rev > sqlc.arg(rev)
union select x.host_id from port_history x where x.rev_to > sqlc.arg(rev)
union select l.host_id from listener_change l where l.rev > sqlc.arg(rev)
union select f.host_id from finding f where f.rev > sqlc.arg(rev) or f.rev_to > sqlc.arg(rev)
union select a.host_id from approval a
    where a.id > sqlc.arg(approval) or a.ended_at >= sqlc.arg(settled)::timestamptz or a.granted_at > sqlc.arg(at)::timestamptz
       or (a.expires_at > sqlc.arg(at)::timestamptz and a.expires_at <= sqlc.arg(now)::timestamptz);

-- name: ApprovalsSettled :one
-- ApprovalsSettled returns the highest number of an approval, and how many had ended
-- before a time.
select coalesce(max(id), 0)::bigint as newest, count(*) filter (where ended_at < sqlc.arg(settled)::timestamptz)::bigint as ended
from approval;
