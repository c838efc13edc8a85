-- name: OpenTargets :many
-- OpenTargets returns the targets that nobody has removed.
select id, spec, exclude, tags, owner, profile, vantage, origin, created_at
from target where removed_at is null order by vantage, spec, origin, id;

-- name: RemoveTargets :exec
-- RemoveTargets ends targets; their rows stay for past reports.
update target set removed_at = now() where id = any (sqlc.arg(ids)::bigint[]) and removed_at is null;

-- name: AddTarget :one
-- AddTarget begins a target.
insert into target (spec, exclude, tags, owner, profile, vantage, origin)
values ($1, $2, $3, $4, $5, $6, $7)
returning id, created_at;

-- name: KnownHosts :many
-- KnownHosts returns the hosts of earlier runs with the target they came from.
select h.address, v.name as vantage, coalesce(t.spec, '') as spec
from host_current c
join host h on h.id = c.host_id
join vantage v on v.id = c.vantage_id
left join target t on t.id = c.target_id
order by v.name, h.address;
