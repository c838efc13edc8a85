-- name: OpenTargets :many
-- OpenTargets returns the targets that nobody has removed.
select id, spec, exclude, tags, owner, profile, vantage, origin, created_at, ssh
from target where removed_at is null order by vantage, spec, origin, id;

-- name: RemoveTargets :exec
-- RemoveTargets ends targets; their rows stay for past reports.
update target set removed_at = now() where id = any (sqlc.arg(ids)::bigint[]) and removed_at is null;

-- name: AddTarget :one
-- AddTarget begins a target.
insert into target (spec, exclude, tags, owner, profile, vantage, origin, ssh)
values ($1, $2, $3, $4, $5, $6, $7, $8)
returning id, created_at;

-- name: KnownHosts :many
-- KnownHosts returns the hosts of earlier runs with the target they came from.
select h.address, v.name as vantage, coalesce(t.spec, '') as spec
from host_current c
join host h on h.id = c.host_id
join vantage v on v.id = c.vantage_id
left join target t on t.id = c.target_id
order by v.name, h.address;

-- name: TargetHosts :many
-- TargetHosts counts the known hosts of targets, and those of them that answered.
select t.spec, v.name as vantage, sum(c.hosts)::integer as hosts, sum(c.up)::integer as up
from (
    select target_id, vantage_id, count(*) as hosts, count(*) filter (where state = 'up') as up
    from host_current where target_id is not null group by target_id, vantage_id
) c
join target t on t.id = c.target_id
join vantage v on v.id = c.vantage_id
group by t.spec, v.name;
