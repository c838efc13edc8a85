-- name: HashApprovals :exec
-- HashApprovals makes the approvals that are part of no run yet part of a revision.
with known as (
    select coalesce(range_agg(r.r), '{}')::int8multirange as ids
    from hashed k cross join lateral unnest(k.ids) as r (r) where k.what = 'approval'
), gap as (
    select g.g from known cross join lateral unnest('{[1,)}'::int8multirange - known.ids) as g (g)
)
insert into hashed (rev, what, ids)
select sqlc.arg(rev)::bigint, 'approval', range_agg(int8range(a.id, a.id, '[]'))
from gap join approval a on a.id >= lower(gap.g) and a.id < coalesce(upper(gap.g), 9223372036854775807)
having count(*) > 0;

-- name: HashEnds :exec
-- HashEnds is HashApprovals for approvals that ended, by the number of their end.
with known as (
    select coalesce(range_agg(r.r), '{}')::int8multirange as ids
    from hashed k cross join lateral unnest(k.ids) as r (r) where k.what = 'end'
), gap as (
    select g.g from known cross join lateral unnest('{[1,)}'::int8multirange - known.ids) as g (g)
)
insert into hashed (rev, what, ids)
select sqlc.arg(rev)::bigint, 'end', range_agg(int8range(a.end_no, a.end_no, '[]'))
from gap join approval a on a.end_no >= lower(gap.g) and a.end_no < coalesce(upper(gap.g), 9223372036854775807)
having count(*) > 0;

-- name: HashAudit :exec
-- HashAudit is HashApprovals for lines of the audit.
with known as (
    select coalesce(range_agg(r.r), '{}')::int8multirange as ids
    from hashed k cross join lateral unnest(k.ids) as r (r) where k.what = 'audit'
), gap as (
    select g.g from known cross join lateral unnest('{[1,)}'::int8multirange - known.ids) as g (g)
)
insert into hashed (rev, what, ids)
select sqlc.arg(rev)::bigint, 'audit', range_agg(int8range(a.id, a.id, '[]'))
from gap join audit a on a.id >= lower(gap.g) and a.id < coalesce(upper(gap.g), 9223372036854775807)
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

-- name: FirstHashed :one
-- FirstHashed returns the first revision that has a hash; 0: none has.
select coalesce(min(rev), 0)::bigint as rev from run_hash;

-- name: RevsOfRuns :many
-- RevsOfRuns returns all revisions with the numbers of their runs, oldest first.
select id, run_id from rev order by id;

-- name: CountUnhashed :one
-- CountUnhashed counts what is part of no run yet, and will be of the next one.
select (select count(*) from approval a where a.id > coalesce((select max(upper(k.ids)) - 1 from hashed k where k.what = 'approval'), 0)) as approvals,
       (select count(*) from audit l where l.id > coalesce((select max(upper(k.ids)) - 1 from hashed k where k.what = 'audit'), 0)) as audit;
