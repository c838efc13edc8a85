-- name: OpenFindings :many
-- OpenFindings returns the findings that last.
select host_id, vantage_id, protocol, port, kind, severity, coalesce(detail ->> 'text', '')::text as detail
from finding where rev_to is null;

-- name: EndFindings :exec
-- EndFindings ends findings that are not found any more, or otherwise.
update finding f set rev_to = sqlc.arg(rev)::bigint
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(vantages)::smallint[]) as vantage_id,
             unnest(sqlc.arg(protocols)::text[]) as protocol, unnest(sqlc.arg(ports)::integer[]) as port,
             unnest(sqlc.arg(kinds)::text[]) as kind) k
where f.rev_to is null and f.host_id = k.host_id and f.vantage_id = k.vantage_id and f.protocol = k.protocol
  and f.port = k.port and f.kind = k.kind;

-- name: AddFindings :exec
-- AddFindings keeps findings.
insert into finding (rev, host_id, vantage_id, protocol, port, kind, severity, detail)
select sqlc.arg(rev), k.host_id, k.vantage_id, k.protocol, k.port, k.kind, k.severity, jsonb_build_object('text', k.detail)
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(vantages)::smallint[]) as vantage_id,
             unnest(sqlc.arg(protocols)::text[]) as protocol, unnest(sqlc.arg(ports)::integer[]) as port,
             unnest(sqlc.arg(kinds)::text[]) as kind, unnest(sqlc.arg(severities)::text[]) as severity,
             unnest(sqlc.arg(details)::text[]) as detail) k;

-- name: FindingsAsOf :many
-- FindingsAsOf returns the findings of hosts that held after a revision, and since
-- which revision each is found without a break, in these words or others.
select d.host_id, d.vantage_id, d.protocol, d.port, d.kind, d.severity, coalesce(d.detail ->> 'text', '')::text as detail, h.address,
       d.first::bigint as first
from (
    select b.host_id, b.vantage_id, b.protocol, b.port, b.kind, b.severity, b.detail, b.rev, b.rev_to,
           max(b.begin) over (partition by b.host_id, b.vantage_id, b.protocol, b.port, b.kind order by b.rev) as first
    from (
        select f.host_id, f.vantage_id, f.protocol, f.port, f.kind, f.severity, f.detail, f.rev, f.rev_to,
               case when lag(f.rev_to) over (partition by f.host_id, f.vantage_id, f.protocol, f.port, f.kind order by f.rev)
                         is distinct from f.rev then f.rev end as begin
        from finding f where f.host_id = any (sqlc.arg(hosts)::bigint[])
    ) b
) d
join host h on h.id = d.host_id
where sqlc.arg(rev)::bigint >= d.rev and (d.rev_to is null or sqlc.arg(rev)::bigint < d.rev_to);

-- name: AnsweredHosts :many
-- AnsweredHosts returns the hosts that answered a run over TCP: what it found out
-- about all of their ports holds.
select host_id, vantage_id from stage_host where run_id = $1 and protocol = 'tcp' and status = 'answered';

-- name: FoundHosts :many
-- FoundHosts returns the hosts with findings that held after a revision.
select distinct host_id from finding where rev <= sqlc.arg(rev) and (rev_to is null or rev_to > sqlc.arg(rev)) order by host_id;
