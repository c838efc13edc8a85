-- name: ListenersNow :many
-- ListenersNow returns what is known to listen on hosts.
select host_id, protocol, port, bind, process, only_v6
from listener_current where host_id = any (sqlc.arg(hosts)::bigint[])
order by host_id, port, protocol, bind;

-- name: ListenersAsOf :many
-- ListenersAsOf returns what was known to listen on hosts after a revision.
select host_id, protocol, port, bind, process, only_v6
from listener_current c where c.host_id = any (sqlc.arg(hosts)::bigint[]) and c.rev_from <= sqlc.arg(rev)
union all
select host_id, protocol, port, bind, process, only_v6
from listener_history c
where c.host_id = any (sqlc.arg(hosts)::bigint[]) and c.rev_from <= sqlc.arg(rev) and c.rev_to > sqlc.arg(rev);

-- name: Processes :many
-- Processes returns processes by number.
select * from process where id = any (sqlc.arg(ids)::uuid[]);

-- name: AddProcesses :exec
-- AddProcesses keeps the processes that are not known yet.
insert into process (id, exe, os_user, unit, container, package, sha256)
select distinct on (n.id) n.id, n.exe, n.os_user, n.unit, n.container, n.package, n.sha256
from (select unnest(sqlc.arg(ids)::uuid[]) as id, unnest(sqlc.arg(exes)::text[]) as exe, unnest(sqlc.arg(os_users)::text[]) as os_user,
             unnest(sqlc.arg(units)::text[]) as unit, unnest(sqlc.arg(containers)::text[]) as container,
             unnest(sqlc.arg(packages)::text[]) as package, unnest(sqlc.arg(hashes)::text[]) as sha256) n
where not exists (select from process p where p.id = n.id)
order by n.id
on conflict do nothing;

-- name: EndListeners :exec
-- EndListeners closes the intervals of the listeners that changed.
insert into listener_history (host_id, protocol, port, bind, process, only_v6, rev_from, rev_to)
select c.host_id, c.protocol, c.port, c.bind, c.process, c.only_v6, c.rev_from, ch.rev
from listener_change ch
join listener_current c on c.host_id = ch.host_id and c.protocol = ch.protocol and c.port = ch.port and c.bind = ch.bind
where ch.rev = $1;

-- name: RemoveListeners :exec
-- RemoveListeners removes the listeners that changed, to be added as they are.
delete from listener_current c using listener_change ch
where ch.rev = $1 and c.host_id = ch.host_id and c.protocol = ch.protocol and c.port = ch.port and c.bind = ch.bind;

-- name: AddListeners :exec
-- AddListeners adds the listeners that changed and are there.
insert into listener_current (host_id, protocol, port, bind, process, only_v6, rev_from)
select ch.host_id, ch.protocol, ch.port, ch.bind, ch.new_process, ch.only_v6, ch.rev
from listener_change ch
where ch.rev = $1 and ch.after
order by ch.host_id, ch.protocol, ch.port, ch.bind;

-- name: AddListenerCoverage :exec
-- AddListenerCoverage writes the ledger of the inside view: hosts of which the
-- same is to be said share a row.
insert into listener_coverage (rev, status, reason, hosts)
select sqlc.arg(rev)::bigint, l.status, l.reason, range_agg(int8range(l.host_id, l.host_id, '[]'))
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(statuses)::text[]) as status,
             unnest(sqlc.arg(reasons)::text[]) as reason) l
group by l.status, l.reason;

-- name: InsideLedger :many
-- InsideLedger returns which hosts were to be looked inside up to a revision and
-- what came of it, newest first.
select rev, status, reason, (hosts * sqlc.arg(wanted)::int8multirange)::int8multirange as hosts
from listener_coverage
where rev <= sqlc.arg(rev) and hosts && sqlc.arg(wanted)::int8multirange
order by rev desc, status, reason;

-- name: EverLookedInside :one
-- EverLookedInside returns the hosts that were looked inside to the end at least
-- once.
select coalesce(range_agg(r.r), '{}')::int8multirange as hosts
from listener_coverage c cross join lateral unnest(c.hosts) as r (r)
where c.status = 'answered' and c.hosts && sqlc.arg(wanted)::int8multirange;

-- name: SubjectHosts :many
-- SubjectHosts returns the hosts of addresses that a run looked at, from each
-- vantage.
select distinct h.id, h.address, s.vantage_id
from host h join stage_host s on s.run_id = sqlc.arg(run_id) and s.host_id = h.id
where h.address = any (sqlc.arg(addresses)::inet[])
order by h.id, s.vantage_id;

-- name: OpenApprovalsOfHosts :many
-- OpenApprovalsOfHosts returns the approvals of hosts that have not ended.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where a.ended_at is null and a.host_id = any (sqlc.arg(hosts)::bigint[])
order by a.id;

-- name: ListenerChangesOfRev :many
-- ListenerChangesOfRev returns what is told of the listeners of hosts in a
-- revision.
select sqlc.embed(c), h.address from listener_change c join host h on h.id = c.host_id where c.rev = $1 and c.kind <> '';

-- name: ListenerChangesOfHosts :many
-- ListenerChangesOfHosts returns all that was ever told of the listeners of hosts.
select sqlc.embed(c), h.address from listener_change c join host h on h.id = c.host_id
where c.host_id = any (sqlc.arg(hosts)::bigint[]) and c.kind <> '';

-- name: OpenStagedPorts :exec
-- OpenStagedPorts calls ports open that gave no answer and behind which something
-- listens.
update stage_port s set state = 'open'
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(protocols)::text[]) as protocol,
             unnest(sqlc.arg(ports)::integer[]) as port) k
where s.run_id = sqlc.arg(run_id) and s.vantage_id = sqlc.arg(vantage_id)
  and s.host_id = k.host_id and s.protocol = k.protocol and s.port = k.port and s.state = 'open|filtered';
