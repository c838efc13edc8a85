-- name: ScheduleSeen :one
-- ScheduleSeen notes that a process looks after a schedule. One that is new is due for the
-- first time after it was seen, less a moment in which another process may have seen it.
insert into schedule_due (schedule, due_at, seen_at)
values (sqlc.arg(schedule), sqlc.arg(fresh), sqlc.arg(now))
on conflict (sole) do update set
    due_at = case when schedule_due.schedule = excluded.schedule then schedule_due.due_at else greatest(schedule_due.due_at, excluded.due_at) end,
    schedule = excluded.schedule, seen_at = excluded.seen_at
returning due_at;

-- name: ScheduleDone :execrows
-- ScheduleDone moves the last time at which the schedule was due on: one of all that try
-- does.
update schedule_due set due_at = sqlc.arg(due_at) where due_at < sqlc.arg(due_at);

-- name: Schedule :one
-- Schedule returns the schedule that was looked after last.
select schedule, due_at, seen_at from schedule_due;
