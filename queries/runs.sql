-- name: ListRuns :many
-- ListRuns returns the newest runs before a number, newest first; rev is 0 and at
-- meaningless for one that kept no state.
select sqlc.embed(run), coalesce(rev.id, 0)::bigint as rev, coalesce(rev.at, run.started_at)::timestamptz as at
from run left join rev on rev.run_id = run.id
where run.id < sqlc.arg(before)
order by run.id desc limit sqlc.arg(most);

-- name: NewestRev :one
-- NewestRev returns the run that kept the newest state at or before a time.
select sqlc.embed(run), rev.id as rev, rev.at
from rev join run on run.id = rev.run_id
where rev.at <= sqlc.arg(at)
order by rev.id desc limit 1;

-- name: RevsUpTo :many
-- RevsUpTo returns the newest runs that kept a state, up to a revision and newest
-- first.
select sqlc.embed(run), rev.id as rev, rev.at
from rev join run on run.id = rev.run_id
where rev.id <= sqlc.arg(rev)
order by rev.id desc limit sqlc.arg(most);

-- name: OldestRev :one
-- OldestRev returns the run that kept the first state.
select sqlc.embed(run), rev.id as rev, rev.at
from rev join run on run.id = rev.run_id
order by rev.id limit 1;

-- name: RunUnderWay :one
-- RunUnderWay returns the newest run that is not finished.
select sqlc.embed(run), coalesce(rev.id, 0)::bigint as rev
from run left join rev on rev.run_id = run.id
where run.state in ('scanning', 'persisted')
order by run.state = 'scanning' desc, run.id desc limit 1;

-- name: CountChanges :many
-- CountChanges counts the changes of revisions.
select c.rev, count(*) as changes
from (select rev from host_change h where h.rev = any (sqlc.arg(revs)::bigint[])
      union all
      select rev from port_change p where p.rev = any (sqlc.arg(revs)::bigint[])
      union all
      select rev from listener_change l where l.kind <> '' and l.rev = any (sqlc.arg(revs)::bigint[])) c
group by c.rev;

-- name: CountPorts :many
-- CountPorts says by how much the numbers of open and of approved ports of each
-- host rose or fell between revisions. revs and ats are the numbers and times of
-- the revisions, oldest first; step counts them from 0. width_bucket is a binary
-- search: how many elements are not above its argument.
with bounds as (
    select sqlc.arg(revs)::bigint[] as revs, sqlc.arg(ats)::timestamptz[] as ats, cardinality(sqlc.arg(revs)::bigint[]) as n
), known as (
    select host_id, vantage_id, protocol, port, rev_from, null::bigint as rev_to from port_current where state = 'open'
    union all
    select host_id, vantage_id, protocol, port, rev_from, rev_to from port_history where state = 'open'
), seen as (
    select k.host_id, k.vantage_id, k.protocol, k.port,
           width_bucket(k.rev_from - 1, b.revs) as first, coalesce(width_bucket(k.rev_to - 1, b.revs), b.n) as last
    from known k cross join bounds b
), good as (
    select a.host_id, a.vantage_id, a.protocol, a.port,
           width_bucket(a.granted_at - interval '1 microsecond', b.ats) as first,
           coalesce(width_bucket(least(a.ended_at, a.expires_at) - interval '1 microsecond', b.ats), b.n) as last
    from approval a cross join bounds b
), approved as (
    select s.host_id, s.vantage_id, range_agg(int4range(greatest(s.first, g.first), least(s.last, g.last))) as steps
    from seen s
    join good g on g.host_id = s.host_id and g.protocol = s.protocol and g.port = s.port
               and (g.vantage_id = s.vantage_id or g.vantage_id is null)
    where greatest(s.first, g.first) < least(s.last, g.last)
    group by s.host_id, s.vantage_id, s.protocol, s.port, s.first, s.last
), step as (
    select host_id, vantage_id, first as step, 1 as open, 0 as approved from seen where first < last
    union all
    select host_id, vantage_id, last, -1, 0 from seen where first < last
    union all
    select a.host_id, a.vantage_id, lower(r), 0, 1 from approved a cross join lateral unnest(a.steps) as r
    union all
    select a.host_id, a.vantage_id, upper(r), 0, -1 from approved a cross join lateral unnest(a.steps) as r
)
select vantage_id::smallint as vantage_id, host_id::bigint as host_id, step::integer as step,
       sum(open)::bigint as open, sum(approved)::bigint as approved
from step, bounds b where step < b.n
group by 1, 2, 3 order by 3, 1, 2;

-- name: FullRevs :many
-- FullRevs returns the revisions from one on whose runs were not narrowed to
-- some hosts.
select rev.id from rev join run on run.id = rev.run_id
where rev.id >= $1 and cardinality(run.only_hosts) = 0
order by rev.id;

-- name: Figures :many
-- Figures returns what runs found in figures, as far as it was written down.
select id, open::integer as open, unapproved::integer as unapproved, changes::integer as changes,
       answered::integer as answered, silent::integer as silent, not_scanned::integer as not_scanned
from rev where id = any (sqlc.arg(revs)::bigint[]) and open is not null;

-- name: SetFigures :exec
-- SetFigures writes down what a run found in figures.
update rev set open = sqlc.arg(open)::integer, unapproved = sqlc.arg(unapproved)::integer, changes = sqlc.arg(changes)::integer,
    answered = sqlc.arg(answered)::integer, silent = sqlc.arg(silent)::integer, not_scanned = sqlc.arg(not_scanned)::integer
where id = sqlc.arg(id);

-- name: RevsWithoutFigures :many
-- RevsWithoutFigures returns the revisions of which no figures were written down.
select id from rev where open is null order by id;
