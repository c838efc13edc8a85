-- name: AddStep :execrows
-- AddStep notes that a kind of work was added to a run, once: no row means that
-- it was added before, or that the run is over.
update run set steps = array_append(steps, sqlc.arg(work)::text), pending = pending + sqlc.arg(shards)::integer
where id = sqlc.arg(id) and state = 'scanning' and sqlc.arg(work)::text <> all (steps);

-- name: LastShard :one
-- LastShard returns the highest number of a run's shards, or 0.
select coalesce(max(no), 0)::integer from shard where run_id = $1;

-- name: PendingShards :many
-- PendingShards returns the shards of a run that have no result.
select no, work, vantage, hosts from shard where run_id = $1 and done_at is null order by no;

-- name: ShardToDo :one
-- ShardToDo returns a shard without a result of a run that is scanning, and who
-- did the shard that it asks again.
select s.spec, coalesce(o.done_by, '')::text as asked_before
from shard s
join run on run.id = s.run_id
left join shard o on o.run_id = s.run_id and o.no = (s.spec ->> 'Of')::integer
where s.run_id = sqlc.arg(run_id) and s.no = sqlc.arg(no) and s.done_at is null and run.state = 'scanning';

-- name: LockShards :exec
-- LockShards waits for those who stage a result of the run under way, and makes
-- others wait: whoever changes shards and their run locks the shards first.
select from shard s where s.run_id in (select id from run where state = 'scanning')
order by s.run_id, s.no for update;

-- name: CompleteShard :execrows
-- CompleteShard marks a shard as done, once: no row means that somebody else
-- brought its result already, or that its run is over.
update shard set done_at = now(), done_by = sqlc.arg(done_by), open = sqlc.arg(open), hosts_done = hosts, fraction = 1
from run
where shard.run_id = sqlc.arg(run_id) and shard.no = sqlc.arg(no) and shard.done_at is null
  and run.id = shard.run_id and run.state = 'scanning';

-- name: GiveUpShard :one
-- GiveUpShard marks a shard as done without a result.
update shard set done_at = now(), error = sqlc.arg(reason)
from run
where shard.run_id = sqlc.arg(run_id) and shard.no = sqlc.arg(no) and shard.done_at is null
  and run.id = shard.run_id and run.state = 'scanning'
returning shard.spec;

-- name: CountShards :execrows
-- CountShards notes in the run what shards brought; a scanner or pace of null
-- leaves the one that is there.
update run set pending = pending - sqlc.arg(shards)::integer,
    scanner = coalesce(sqlc.narg(scanner)::jsonb, scanner), pace = coalesce(sqlc.narg(pace)::jsonb, pace),
    partial = partial or sqlc.arg(partial)::boolean,
    notes = notes || array(select n from unnest(sqlc.arg(notes)::text[]) as n where n <> all (notes))
where id = sqlc.arg(id) and state = 'scanning';

-- name: PaceForUpdate :one
-- PaceForUpdate returns the pace of a run, which nobody else changes until the
-- transaction ends.
select pace from run where id = $1 for update;

-- name: LearnRate :exec
-- LearnRate notes what to begin with at the next scan from a vantage, and where
-- doubling ends.
update vantage set rate = sqlc.arg(rate), knee = sqlc.arg(knee)
where name = sqlc.arg(name) and (rate, knee) is distinct from (sqlc.arg(rate), sqlc.arg(knee));

-- name: Rate :one
-- Rate returns what was learned of the rate of a vantage.
select rate, knee from vantage where name = $1;

-- name: NoteRun :exec
-- NoteRun adds a note to a run that is scanning, once.
update run set notes = array_append(notes, sqlc.arg(note)::text)
where id = sqlc.arg(id) and state = 'scanning' and sqlc.arg(note)::text <> all (notes);

-- name: TrackShard :exec
-- TrackShard notes how far a shard is.
update shard set worker = sqlc.arg(worker), fraction = sqlc.arg(fraction), hosts_done = sqlc.arg(hosts_done), open = sqlc.arg(open),
    tracked_at = clock_timestamp()
where run_id = sqlc.arg(run_id) and no = sqlc.arg(no) and done_at is null;

-- name: Progress :many
-- Progress returns how far the run under way is, by kind of work and in their
-- order; steps are those that were added.
select run.id, run.started_at, run.cancelled_by, s.work, count(*) as shards, count(s.done_at) as done, sum(s.hosts)::bigint as hosts,
       sum(s.hosts_done)::bigint as hosts_done, sum(s.open)::bigint as open,
       coalesce(sum(s.fraction * greatest(s.hosts, 1)) / nullif(sum(greatest(s.hosts, 1)), 0), 0)::double precision as fraction,
       coalesce(array_agg(distinct s.worker) filter (where s.done_at is null and s.tracked_at > now() - interval '30 seconds'), '{}')::text[] as workers
from run join shard s on s.run_id = run.id
where run.state = 'scanning'
group by run.id, s.work
order by array_position(array['ports', 'confirm', 'services'], s.work);

-- name: CancelRun :one
-- CancelRun notes who cancelled the run under way, if it is the one of a number; 0: any.
update run set cancelled_by = sqlc.arg(cancelled_by)
where state = 'scanning' and sqlc.arg(id)::bigint in (0, id) returning id;

-- name: CancelledBy :one
-- CancelledBy says who cancelled a run, if anybody did.
select cancelled_by from run where id = $1;
