-- name: AddRequest :one
-- AddRequest asks for a scan, or returns the same wish that nobody has taken yet.
with waiting as (
    select id from scan_request where finished_at is null and taken_at is null and only_hosts = sqlc.arg(only_hosts)::text[] order by id limit 1
), added as (
    insert into scan_request (only_hosts, asked_by, via)
    select sqlc.arg(only_hosts)::text[], sqlc.arg(asked_by), sqlc.arg(via) where not exists (select from waiting)
    returning id
)
select id::bigint as id, fresh::boolean as fresh
from (select id, false as fresh from waiting union all select id, true from added) r;

-- name: Requests :many
-- Requests returns the newest requests, newest first.
select id, only_hosts, asked_by, via, asked_at, taken_at, run_id, finished_at, error from scan_request order by id desc limit $1;

-- name: TakeRequest :one
-- TakeRequest takes the oldest request that nobody works on. One that was taken a
-- while ago while no run is under way was left behind by a taker that died.
update scan_request set taken_at = clock_timestamp()
where id = (
    select r.id from scan_request r
    where r.finished_at is null and (r.taken_at is null or (r.taken_at < clock_timestamp() - interval '10 seconds' and sqlc.arg(idle)::boolean))
    order by r.id limit 1 for update skip locked
)
returning id, only_hosts, asked_by, via, asked_at, taken_at, run_id, finished_at, error;

-- name: FinishRequest :execrows
-- FinishRequest ends a request.
update scan_request set finished_at = clock_timestamp(), run_id = sqlc.narg(run_id), error = sqlc.arg(error)
where id = sqlc.arg(id) and finished_at is null;

-- name: SettleRequests :exec
-- SettleRequests ends the requests that were made before a run of all targets
-- began, with that run.
update scan_request r set finished_at = clock_timestamp(), run_id = run.id
from run
where run.id = sqlc.arg(run_id)::bigint and r.finished_at is null and r.asked_at <= run.started_at;

-- name: CancelRequest :execrows
-- CancelRequest ends a request that nobody works on: it waits, or who took it waits for
-- another run to end.
update scan_request r set finished_at = clock_timestamp(), error = sqlc.arg(error)
where r.id = sqlc.arg(id) and r.finished_at is null
  and (r.taken_at is null or not exists (select from run where run.state = 'scanning' and run.started_at >= r.taken_at));

-- name: RequestWanted :one
-- RequestWanted says whether a request is still to be done.
select exists (select from scan_request where id = sqlc.arg(id) and finished_at is null) as wanted;
