-- name: HashApprovals :exec
-- HashApprovals makes the approvals that are part of no run yet part of a revision.
with known as (
    select coalesce(range_agg(r.r), '{}')::int8multirange as ids
    from hashed k cross join lateral unnest(k.ids) as r (r) where k.what = 'approval'
), gap as (
    select g.g from known cross join lateral unnest('{(,)}'::int8multirange - known.ids) as g (g)
)
insert into hashed (rev, what, ids)
select sqlc.arg(rev)::bigint, 'approval', range_agg(int8range(a.id, a.id, '[]'))
from gap join approval a on a.id >= coalesce(lower(gap.g), '-9223372036854775808'::bigint) and a.id < coalesce(upper(gap.g), 9223372036854775807)
having count(*) > 0;

-- name: HashEnds :exec
-- HashEnds is HashApprovals for approvals that ended, by the number of their end.
with known as (
    select coalesce(range_agg(r.r), '{}')::int8multirange as ids
    from hashed k cross join lateral unnest(k.ids) as r (r) where k.what = 'end'
), gap as (
    select g.g from known cross join lateral unnest('{(,)}'::int8multirange - known.ids) as g (g)
)
insert into hashed (rev, what, ids)
select sqlc.arg(rev)::bigint, 'end', range_agg(int8range(a.end_no, a.end_no, '[]'))
from gap join approval a on a.end_no >= coalesce(lower(gap.g), '-9223372036854775808'::bigint) and a.end_no < coalesce(upper(gap.g), 9223372036854775807)
having count(*) > 0;

-- name: HashAudit :exec
-- HashAudit is HashApprovals for lines of the audit.
with known as (
    select coalesce(range_agg(r.r), '{}')::int8multirange as ids
    from hashed k cross join lateral unnest(k.ids) as r (r) where k.what = 'audit'
), gap as (
    select g.g from known cross join lateral unnest('{(,)}'::int8multirange - known.ids) as g (g)
)
insert into hashed (rev, what, ids)
select sqlc.arg(rev)::bigint, 'audit', range_agg(int8range(a.id, a.id, '[]'))
from gap join audit a on a.id >= coalesce(lower(gap.g), '-9223372036854775808'::bigint) and a.id < coalesce(upper(gap.g), 9223372036854775807)
having count(*) > 0;

-- name: AddRunHash :exec
-- AddRunHash keeps the hash of a run and what it was made of.
insert into run_hash (rev, previous, parts, counts, digests, hash, checkpoint) values ($1, $2, $3, $4, $5, $6, $7);

-- name: RunHashes :many
-- RunHashes returns the hashes of all runs that have one, oldest first, with the number of
-- the run; 0 where the run is gone.
select h.rev, h.previous, h.parts, h.counts, h.digests, h.hash, h.checkpoint, coalesce(v.run_id, 0)::bigint as run_id
from run_hash h left join rev v on v.id = h.rev
order by h.rev;

-- name: RunHash :many
-- RunHash returns the hash of a revision, or nothing.
select hash, previous from run_hash where rev = $1;

-- name: LastRunHash :many
-- LastRunHash returns the newest hash before a revision, or nothing.
select rev, hash from run_hash where rev < $1 order by rev desc limit 1;

-- name: RevsOfRuns :many
-- RevsOfRuns returns all revisions with the numbers of their runs, oldest first.
select id, run_id from rev order by id;

-- name: AnyHashed :one
-- AnyHashed says whether something is left of hashes besides themselves.
select (exists (select from hashed) or exists (select from checkpoint) or exists (select from rev where pruned_at is not null))::boolean as found;

-- name: CountUnhashed :one
-- CountUnhashed counts what is part of no run yet, and will be of the next one.
with known as (
    select k.what, range_agg(r.r)::int8multirange as ids from hashed k cross join lateral unnest(k.ids) as r (r) group by k.what
)
select (select count(*) from approval a where not coalesce((select ids from known where what = 'approval'), '{}') @> a.id) as approvals,
       (select count(*) from approval a where not coalesce((select ids from known where what = 'end'), '{}') @> a.end_no) as ends,
       (select count(*) from audit l where not coalesce((select ids from known where what = 'audit'), '{}') @> l.id) as audit;

-- name: DatedBack :many
-- DatedBack counts the approvals, and the ends of some, that a run was the first to have, or
-- none had yet, and that are not later than the run before it, whose report tells them all the
-- same. The revision of those that no run had yet is 0.
with known as (
    select k.what, range_agg(r.r)::int8multirange as ids from hashed k cross join lateral unnest(k.ids) as r (r) group by k.what
), decided as (
    select k.rev, a.granted_at as at
    from hashed k cross join lateral unnest(k.ids) as r (r) join approval a on a.id >= lower(r.r) and a.id < upper(r.r)
    where k.what = 'approval'
    union all
    select k.rev, a.ended_at
    from hashed k cross join lateral unnest(k.ids) as r (r) join approval a on a.end_no >= lower(r.r) and a.end_no < upper(r.r)
    where k.what = 'end'
    union all
    select 0, a.granted_at from approval a where not coalesce((select ids from known where what = 'approval'), '{}') @> a.id
    union all
    select 0, a.ended_at from approval a where a.end_no is not null and not coalesce((select ids from known where what = 'end'), '{}') @> a.end_no
), before as (
    select v.id as rev, lag(v.at) over (order by v.id) as at from rev v
    union all
    select 0, (select v.at from rev v order by v.id desc limit 1)
)
select d.rev::bigint as rev, count(*) as decisions
from decided d join before b on b.rev = d.rev
where d.at <= b.at and (d.rev = 0 or d.rev > (select min(h.rev) from run_hash h))
group by d.rev order by d.rev;

-- name: CountUnnumbered :one
-- CountUnnumbered counts the approvals that have an end and no number of it, or the reverse:
-- no hash has such an end.
select count(*) from approval where (ended_at is null) <> (end_no is null);

-- name: CountMisapproved :one
-- CountMisapproved counts the ports with another approval than the one that reports tell: one
-- for their vantage before one for any.
select count(*) from port_current c left join approval a on a.id = c.approval_id
where c.approval_id is not null and (
        a.id is null or a.ended_at is not null or a.host_id <> c.host_id or a.vantage_id <> c.vantage_id or a.protocol <> c.protocol or a.port <> c.port)
   or c.approval_id is null and exists (
        select from approval o
        where o.host_id = c.host_id and o.protocol = c.protocol and o.port = c.port and o.ended_at is null
          and (o.vantage_id is null or o.vantage_id = c.vantage_id) and (o.expires_at is null or o.expires_at > now()));
