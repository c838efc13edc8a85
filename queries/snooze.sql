-- name: AddSnooze :one
-- AddSnooze snoozes a host or a port of it.
insert into snooze (host_id, protocol, port, reason, set_by, via, until)
values (sqlc.arg(host_id), sqlc.narg(protocol), sqlc.narg(port), sqlc.arg(reason), sqlc.arg(set_by), sqlc.arg(via), sqlc.arg(until))
returning id, since;

-- name: SnoozesAt :many
-- SnoozesAt returns the snoozes that were in force at a time, by address and port.
select s.id, s.host_id, h.address, s.protocol, s.port, s.reason, s.set_by, s.via, s.since, s.until, s.ended_at, s.ended_by
from snooze s join host h on h.id = s.host_id
where s.since <= sqlc.arg(at)::timestamptz and s.until > sqlc.arg(at)::timestamptz and (s.ended_at is null or s.ended_at > sqlc.arg(at)::timestamptz)
order by h.address, s.protocol nulls first, s.port, s.id;

-- name: EndSnoozes :many
-- EndSnoozes ends snoozes before their time.
update snooze set ended_at = now(), ended_by = sqlc.arg(ended_by)
where id = any(sqlc.arg(ids)::bigint[]) and ended_at is null and until > now()
returning id;
