-- name: PrunedOf :many
-- PrunedOf says when the rows of a revision were taken away, and by which policy; nothing if
-- they were not.
select pruned_at::timestamptz as at, policy from rev where id = $1 and pruned_at is not null;

-- name: PrunedRevs :many
-- PrunedRevs returns the revisions whose rows were taken away.
select id, run_id, pruned_at::timestamptz as at, policy from rev where pruned_at is not null order by id;

-- name: PruneLines :many
-- PruneLines returns what the audit says of retention.
select subject, coalesce(detail ->> 'policy', '')::text as policy from audit where action = 'prune' and via = 'run';

-- name: RevsForRetention :many
-- RevsForRetention returns all revisions, oldest first, with what decides whether they stay.
select v.id, v.run_id, v.at, (v.pruned_at is not null)::boolean as pruned, (cardinality(r.only_hosts) = 0)::boolean as whole,
       exists (select from delivery d where d.run_id = v.run_id and d.sent_at is null and d.dropped_at is null)::boolean as waited_for
from rev v join run r on r.id = v.run_id
order by v.id;

-- name: MarkPruned :exec
-- MarkPruned says of all revisions before one that their rows are taken away.
update rev set pruned_at = sqlc.arg(at)::timestamptz, policy = sqlc.arg(policy)
where id < sqlc.arg(first) and pruned_at is null;

-- name: PrunePortChanges :execrows
-- PrunePortChanges takes some of the changes of ports away.
delete from port_change c where c.ctid = any (array(select x.ctid from port_change x where x.rev < sqlc.arg(first) limit sqlc.arg(most)));

-- name: PruneHostChanges :execrows
-- PruneHostChanges takes some of the changes of hosts away.
delete from host_change c where c.ctid = any (array(select x.ctid from host_change x where x.rev < sqlc.arg(first) limit sqlc.arg(most)));

-- name: PruneListenerChanges :execrows
-- PruneListenerChanges takes some of the changes of listeners away.
delete from listener_change c where c.ctid = any (array(select x.ctid from listener_change x where x.rev < sqlc.arg(first) limit sqlc.arg(most)));

-- name: PrunePorts :execrows
-- PrunePorts takes some of the closed intervals of ports away. The first one of a port that
-- was known later stays: it says when it was first seen. Of one that was closed by then and
-- stays so nothing does.
delete from port_history c where c.ctid = any (array(
    select x.ctid from port_history x
    where x.rev_to < sqlc.arg(first) and (
        exists (select from port_history e where e.host_id = x.host_id and e.vantage_id = x.vantage_id and e.protocol = x.protocol and e.port = x.port and e.rev_from < x.rev_from)
        or not exists (select from port_current k where k.host_id = x.host_id and k.vantage_id = x.vantage_id and k.protocol = x.protocol and k.port = x.port)
            and not exists (select from port_history l where l.host_id = x.host_id and l.vantage_id = x.vantage_id and l.protocol = x.protocol and l.port = x.port and l.rev_to >= sqlc.arg(first)))
    order by x.host_id, x.vantage_id, x.protocol, x.port, x.rev_from desc
    limit sqlc.arg(most)));

-- name: PruneListeners :execrows
-- PruneListeners takes some of the closed intervals of listeners away.
delete from listener_history c where c.ctid = any (array(select x.ctid from listener_history x where x.rev_to < sqlc.arg(first) limit sqlc.arg(most)));

-- name: PruneFindings :execrows
-- PruneFindings takes some of the findings away that are over, and that were not found again
-- later.
delete from finding c where c.ctid = any (array(
    select x.ctid from finding x
    where x.rev_to < sqlc.arg(first)::bigint and not exists (
        select from finding l where l.host_id = x.host_id and l.vantage_id = x.vantage_id and l.protocol = x.protocol and l.port = x.port and l.kind = x.kind
            and (l.rev_to is null or l.rev_to >= sqlc.arg(first)::bigint))
    limit sqlc.arg(most)));

-- name: PruneFlaps :execrows
-- PruneFlaps takes some of the flaps away of ports that did not flap later.
delete from flap c where c.ctid = any (array(
    select x.ctid from flap x
    where x.rev < sqlc.arg(first) and not exists (
        select from flap l where l.host_id = x.host_id and l.vantage_id = x.vantage_id and l.protocol = x.protocol and l.port = x.port and l.rev >= sqlc.arg(first))
    limit sqlc.arg(most)));

-- name: PruneFiltered :execrows
-- PruneFiltered takes some of the notes of filtered ports away that others replaced by then.
delete from filtered c where c.ctid = any (array(
    select x.ctid from filtered x
    where exists (select from filtered l where l.host_id = x.host_id and l.vantage_id = x.vantage_id and l.protocol = x.protocol and l.rev > x.rev and l.rev <= sqlc.arg(first))
    limit sqlc.arg(most)));

-- name: PruneFingerprints :execrows
-- PruneFingerprints takes the services away that no port has or had. While a run is unfinished
-- it takes none: the run may be about to see one of them.
delete from fingerprint f
where not exists (select from run where state = 'scanning')
  and not exists (select from port_current p where p.fp = f.id)
  and not exists (select from port_history h where h.fp = f.id)
  and not exists (select from port_change o where o.old_fp = f.id)
  and not exists (select from port_change n where n.new_fp = f.id)
  and not exists (select from stage_port s where s.fp = f.id);

-- name: LedgerBefore :many
-- LedgerBefore returns the rows of the ledger up to a revision, newest first.
select rev, vantage_id, protocol, status, reason, port_set_id, services, hosts from coverage
where rev <= $1 order by rev desc, vantage_id, protocol, status, reason, port_set_id, services;

-- name: SetLedgerHosts :exec
-- SetLedgerHosts leaves these hosts in a row of the ledger.
update coverage set hosts = sqlc.arg(hosts)
where rev = sqlc.arg(rev) and vantage_id = sqlc.arg(vantage_id) and protocol = sqlc.arg(protocol) and status = sqlc.arg(status)
  and reason = sqlc.arg(reason) and port_set_id = sqlc.arg(port_set_id) and services = sqlc.arg(services);

-- name: RemoveLedgerRow :exec
-- RemoveLedgerRow removes a row of the ledger.
delete from coverage
where rev = sqlc.arg(rev) and vantage_id = sqlc.arg(vantage_id) and protocol = sqlc.arg(protocol) and status = sqlc.arg(status)
  and reason = sqlc.arg(reason) and port_set_id = sqlc.arg(port_set_id) and services = sqlc.arg(services);

-- name: SetInsideHosts :exec
-- SetInsideHosts leaves these hosts in a row of the ledger of the inside view.
update listener_coverage set hosts = sqlc.arg(hosts) where rev = sqlc.arg(rev) and status = sqlc.arg(status) and reason = sqlc.arg(reason);

-- name: RemoveInsideRow :exec
-- RemoveInsideRow removes a row of the ledger of the inside view.
delete from listener_coverage where rev = sqlc.arg(rev) and status = sqlc.arg(status) and reason = sqlc.arg(reason);

-- name: AddCheckpoint :exec
-- AddCheckpoint keeps the hash of what is left.
insert into checkpoint (rev, at, previous, parts, counts, digests, hash) values ($1, $2, $3, $4, $5, $6, $7);

-- name: Checkpoints :many
-- Checkpoints returns all hashes of what was left, oldest first.
select rev, previous, parts, counts, digests, hash from checkpoint order by id;

-- name: PruneDeliveries :execrows
-- PruneDeliveries takes some of the messages away that were sent or given up before a time,
-- with the links in them that nobody used. A message for which another one made up stays with it.
with old as (
    select d.id from delivery d
    where coalesce(d.sent_at, d.dropped_at) < sqlc.arg(before)::timestamptz
      and not exists (select from delivery i where i.instead = d.id)
      and not exists (select from approval_link l join approval_link_use u on u.link_id = l.id where l.delivery_id = d.id)
    order by d.id limit sqlc.arg(most)
), links as (
    delete from approval_link l using old where l.delivery_id = old.id
)
delete from delivery d using old where d.id = old.id;

-- name: PruneRequests :execrows
-- PruneRequests takes the requests for scans away that ended before a time.
delete from scan_request where finished_at < sqlc.arg(before)::timestamptz;

-- name: PruneOldSessions :execrows
-- PruneOldSessions takes the sessions away that were over before a time.
delete from session where expires_at < sqlc.arg(before)::timestamptz;

-- name: Sizes :one
-- Sizes says how many bytes the database has, and the tables that grow by the night, and of how
-- many runs they have rows, and whether they had some of others.
select (select count(*) from rev where pruned_at is null)::bigint as runs,
       (exists (select from rev where pruned_at is not null))::boolean as pruned,
       pg_database_size(current_database())::bigint as database,
       (pg_total_relation_size('port_change'::text::regclass)
        + pg_total_relation_size('port_history'::text::regclass)
        + pg_total_relation_size('host_change'::text::regclass)
        + pg_total_relation_size('host_history'::text::regclass)
        + pg_total_relation_size('listener_change'::text::regclass)
        + pg_total_relation_size('listener_history'::text::regclass)
        + pg_total_relation_size('coverage'::text::regclass)
        + pg_total_relation_size('listener_coverage'::text::regclass)
        + pg_total_relation_size('finding'::text::regclass)
        + pg_total_relation_size('flap'::text::regclass)
        + pg_total_relation_size('filtered'::text::regclass)
        + pg_total_relation_size('mac'::text::regclass)
        + pg_total_relation_size('run'::text::regclass)
        + pg_total_relation_size('rev'::text::regclass)
        + pg_total_relation_size('run_hash'::text::regclass)
        + pg_total_relation_size('hashed'::text::regclass)
        + pg_total_relation_size('audit'::text::regclass)
        + pg_total_relation_size('approval'::text::regclass)
        + pg_total_relation_size('delivery'::text::regclass))::bigint as history;

-- name: LedgerProtocols :many
-- LedgerProtocols returns the protocols that the ledger has rows of up to a revision.
select distinct protocol from coverage where rev <= $1 order by protocol;
