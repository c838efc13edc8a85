-- name: UnfinishedRun :one
-- UnfinishedRun returns the run that was begun and not persisted, if any; there
-- is never more than one.
select sqlc.embed(run), (started_at > now() - sqlc.arg(age)::interval)::boolean as recent
from run where state = 'scanning' for update;

-- name: AddRun :one
-- AddRun begins a run. The run lock is held, so nobody else draws a number; a
-- sequence would leave gaps when the server crashes.
insert into run (id, only_hosts, plan_hash, planned, pending, partial, notes)
select coalesce(max(id), 0) + 1, $1, $2, true, $3, $4, $5 from run
returning *;

-- name: AddShards :copyfrom
-- AddShards stores the work of a run.
insert into shard (run_id, no, vantage, work, hosts, spec) values ($1, $2, $3, $4, $5, $6);

-- name: RunForUpdate :one
-- RunForUpdate returns a run and keeps others from changing it until the
-- transaction ends.
select * from run where id = $1 for update;

-- name: FailRun :execrows
-- FailRun gives an unfinished run up.
update run set state = 'failed', error = sqlc.arg(error), finished_at = clock_timestamp(), pending = 0
where id = sqlc.arg(id) and state = 'scanning';

-- name: UnreportedRuns :many
-- UnreportedRuns returns the runs whose reports are due, oldest first.
select sqlc.embed(run), rev.id as rev
from run join rev on rev.run_id = run.id
where run.state = 'persisted' order by run.id;

-- name: FinishRun :exec
-- FinishRun marks a run whose reports are written.
update run set state = 'done' where id = $1 and state = 'persisted';

-- name: PersistRun :exec
-- PersistRun marks a run whose state and changes are kept.
update run
set state = 'persisted', finished_at = sqlc.arg(at)::timestamptz, baseline = sqlc.arg(baseline), notes = sqlc.arg(notes), alerts = sqlc.arg(alerts),
    partial = partial or sqlc.arg(partial)::boolean or exists (select from stage_host s where s.run_id = run.id and s.status = 'not_scanned')
where id = sqlc.arg(id);

-- name: AddRev :one
-- AddRev draws the next revision, of now unless a time is given. The state lock makes it
-- gapless. Its time is after that of the one before it, also when two imported scans end in
-- one second or a clock was set back: what is good as of a time has one answer.
insert into rev (id, run_id, at)
select coalesce(max(id), 0) + 1, sqlc.arg(run_id)::bigint,
       greatest(coalesce(sqlc.narg(at)::timestamptz, clock_timestamp()), (select r.at + interval '1 microsecond' from rev r order by r.id desc limit 1))
from rev
returning id, at;
