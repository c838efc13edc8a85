-- name: Present :one
-- Present returns the newest revision, 0 if there is none, and the server's
-- clock, or what follows that revision if the clock was set back: what is decided
-- now is later than all that was kept.
select coalesce(max(id), 0)::bigint as rev,
       greatest(clock_timestamp(), (select r.at + interval '1 microsecond' from rev r order by r.id desc limit 1))::timestamptz as at
from rev;

-- name: LastFullRev :one
-- LastFullRev returns the last revision up to one whose run was not narrowed to
-- some hosts, or 0.
select coalesce(max(rev.id), 0)::bigint
from rev join run on run.id = rev.run_id
where rev.id <= $1 and cardinality(run.only_hosts) = 0;

-- name: KnownSeats :many
-- KnownSeats returns every host that is known after a revision, from each
-- vantage, in the order of lists.
select k.host_id, k.vantage_id
from (
    select host_id, vantage_id from host_current c where c.rev_from <= sqlc.arg(rev)
    union
    select host_id, vantage_id from host_history e where e.rev_from <= sqlc.arg(rev)
) k
join host h on h.id = k.host_id
join vantage v on v.id = k.vantage_id
order by v.name collate "C", h.address;

-- name: LookedAt :many
-- LookedAt returns which ports were ever looked at, up to a revision, and on
-- which of some hosts there was an answer.
select c.vantage_id, c.protocol, c.port_set_id, bool_or(c.services)::boolean as services, range_agg(r.r)::int8multirange as hosts
from coverage c cross join lateral unnest(c.hosts * sqlc.arg(wanted)::int8multirange) as r (r)
where c.status = 'answered' and c.rev <= sqlc.arg(rev) and c.hosts && sqlc.arg(wanted)::int8multirange
group by c.vantage_id, c.protocol, c.port_set_id
order by c.vantage_id, c.protocol, c.port_set_id;

-- name: CountOpen :one
-- CountOpen counts the open ports of some hosts of a vantage, and those of them
-- that nobody approved or whose approval is over.
with mine as (
    select p.approval_id from port_current p
    where p.state = 'open' and p.vantage_id = sqlc.arg(vantage_id) and sqlc.arg(hosts)::int8multirange @> p.host_id
), over as (
    select a.id from approval a where a.ended_at is null and a.expires_at <= now()
)
select count(*)::bigint as open,
       (count(*) filter (where approval_id is null or approval_id in (select id from over)))::bigint as unapproved
from mine;
