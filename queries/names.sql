-- name: Vantages :many
-- Vantages returns all vantages.
select id, name from vantage order by id;

-- name: AddVantages :exec
-- AddVantages gives a number to each name that has none. The first select keeps
-- a known name from using up a number.
insert into vantage (name)
select distinct n from unnest(sqlc.arg(names)::text[]) as n
where not exists (select from vantage v where v.name = n)
order by n
on conflict do nothing;

-- name: AddPortSets :exec
-- AddPortSets gives a number to each set that has none.
insert into port_set (hash, ports)
select n.hash, n.ports
from (select unnest(sqlc.arg(hashes)::bytea[]) as hash, unnest(sqlc.arg(ports)::text[]) as ports) n
where not exists (select from port_set s where s.hash = n.hash)
order by n.hash
on conflict do nothing;

-- name: PortSetIDs :many
-- PortSetIDs returns the numbers of sets by the SHA-256 of their text.
select id, hash from port_set where hash = any (sqlc.arg(hashes)::bytea[]);

-- name: PortSets :many
-- PortSets returns sets by number.
select id, ports from port_set where id = any (sqlc.arg(ids)::bigint[]);

-- name: Fingerprints :many
-- Fingerprints returns what stands behind fingerprints.
select * from fingerprint where id = any (sqlc.arg(ids)::uuid[]);
