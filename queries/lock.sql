-- name: LockState :exec
-- LockState waits for the one lock under which state and approvals change; it
-- is freed with the transaction.
select pg_advisory_xact_lock(sqlc.arg(key)::bigint);

-- name: LockHolder :one
-- LockHolder says which session holds an advisory lock, and since when that
-- session has been there.
select coalesce(a.application_name, 'a session that this database user may not see')::text as name,
       coalesce(a.backend_start, now())::timestamptz as since
from pg_catalog.pg_locks l
left join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
  and l.classid::bigint = (sqlc.arg(key)::bigint >> 32) & 4294967295
  and l.objid::bigint = sqlc.arg(key)::bigint & 4294967295
limit 1;

-- name: LockHeldBy :one
-- LockHeldBy says whether the server process pid holds an advisory lock.
select exists (
    select from pg_catalog.pg_locks l
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid = sqlc.arg(pid)::integer
      and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
      and l.classid::bigint = (sqlc.arg(key)::bigint >> 32) & 4294967295
      and l.objid::bigint = sqlc.arg(key)::bigint & 4294967295
);
