-- name: AddHosts :exec
-- AddHosts gives a number to each address that has none, in one order and
-- without using up numbers for known ones.
insert into host (address)
select distinct a from unnest(sqlc.arg(addresses)::inet[]) as a
where not exists (select from host h where h.address = a)
order by a
on conflict do nothing;

-- name: HostIDs :many
-- HostIDs returns the numbers of addresses.
select id, address from host where address = any (sqlc.arg(addresses)::inet[]);

-- name: AddFingerprints :exec
-- AddFingerprints keeps what stands behind new fingerprints. cpe holds each
-- fingerprint's names joined by a line feed, which Clean leaves in none: an
-- array of arrays would have to be rectangular.
insert into fingerprint (id, service, product, version, extra_info, tunnel, cpe, probed)
select f.id, f.service, f.product, f.version, f.extra_info, f.tunnel, string_to_array(f.cpe, e'\n'), f.probed
from (select unnest(sqlc.arg(ids)::uuid[]) as id, unnest(sqlc.arg(services)::text[]) as service,
             unnest(sqlc.arg(products)::text[]) as product, unnest(sqlc.arg(versions)::text[]) as version,
             unnest(sqlc.arg(extra_infos)::text[]) as extra_info, unnest(sqlc.arg(tunnels)::text[]) as tunnel,
             unnest(sqlc.arg(cpes)::text[]) as cpe, unnest(sqlc.arg(probed)::boolean[]) as probed) f
where not exists (select from fingerprint k where k.id = f.id)
order by f.id
on conflict do nothing;

-- name: StagePortNames :exec
-- StagePortNames stages what nmap's table calls ports.
insert into stage_port_name (run_id, protocol, port, name)
select sqlc.arg(run_id)::bigint, n.protocol, n.port, n.name
from (select unnest(sqlc.arg(protocols)::text[]) as protocol, unnest(sqlc.arg(ports)::integer[]) as port, unnest(sqlc.arg(names)::text[]) as name) n
order by n.protocol, n.port
on conflict do nothing;

-- name: DropStage :exec
-- DropStage removes what a run staged and its shards; what is worth keeping is
-- in the state by then, or the run was given up.
with hosts as (delete from stage_host h where h.run_id = $1),
     ports as (delete from stage_port p where p.run_id = $1),
     doubts as (delete from stage_doubt d where d.run_id = $1),
     names as (delete from stage_port_name n where n.run_id = $1)
delete from shard where shard.run_id = $1;
