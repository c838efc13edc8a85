-- name: DeliveriesWaiting :one
-- DeliveriesWaiting counts the messages that are not sent: those that are still
-- tried, and those that were refused for good.
select count(*) filter (where parked_at is null) as waiting, count(*) filter (where parked_at is not null) as parked
from delivery where sent_at is null and dropped_at is null;

-- name: BookID :one
-- BookID returns what tells this book from others.
select id::text as id from book;

-- name: AddDelivery :exec
-- AddDelivery puts a message into the outbox, unless it is in there.
insert into delivery (message_id, run_id, kind, channel, recipient, grp, share, title, lines, notes, created_at, due_at, next_at, instead)
values (sqlc.arg(message_id), sqlc.narg(run_id), sqlc.arg(kind), sqlc.arg(channel), sqlc.arg(recipient), sqlc.arg(grp), sqlc.arg(share), sqlc.arg(title),
        sqlc.arg(lines)::text[], sqlc.arg(notes)::text[], sqlc.arg(created_at), sqlc.arg(due_at), sqlc.arg(due_at), sqlc.narg(instead))
on conflict (message_id) do nothing;

-- name: AddRunNotes :exec
-- AddRunNotes adds to what the reports of a run say.
update run set notes = notes || sqlc.arg(notes)::text[] where id = sqlc.arg(id);

-- name: LockChannel :one
-- LockChannel makes sure that one sender at a time works for a channel.
select pg_try_advisory_xact_lock(sqlc.arg(space)::integer, hashtext(sqlc.arg(channel)::text)) as locked;

-- name: TakeDelivery :one
-- TakeDelivery returns the delivery of a channel that is to be tried now: of each
-- recipient only the oldest that is due, so that messages come in order.
select d.* from (
    select distinct on (recipient) * from delivery
    where channel = sqlc.arg(channel) and sent_at is null and parked_at is null and dropped_at is null and due_at <= sqlc.arg(now)::timestamptz
    order by recipient, id
) d
where d.next_at <= sqlc.arg(now)::timestamptz
order by d.id limit 1;

-- name: NextDelivery :one
-- NextDelivery returns when the next delivery of a channel is to be tried, and to how many
-- recipients there is something to send.
select coalesce(min(at), sqlc.arg(now)::timestamptz)::timestamptz as at, count(*) as recipients from (
    select distinct on (recipient) greatest(next_at, due_at) as at from delivery
    where channel = sqlc.arg(channel) and sent_at is null and parked_at is null and dropped_at is null
    order by recipient, due_at <= sqlc.arg(now)::timestamptz desc, id
) heads;

-- name: SettleDelivery :exec
-- SettleDelivery writes down what came of a try.
update delivery set attempts = attempts + 1, sent_at = sqlc.narg(sent_at), parked_at = sqlc.narg(parked_at), next_at = sqlc.arg(next_at), last_error = sqlc.arg(last_error)
where id = sqlc.arg(id);

-- name: PostponeChannel :exec
-- PostponeChannel lets all messages of a channel wait that does not work.
update delivery set next_at = sqlc.arg(next_at)
where channel = sqlc.arg(channel) and sent_at is null and parked_at is null and dropped_at is null and next_at < sqlc.arg(next_at);

-- name: OpenChannels :many
-- OpenChannels returns the channels that have something to send.
select distinct channel from delivery where sent_at is null and parked_at is null and dropped_at is null order by channel;

-- name: OpenDeliveries :many
-- OpenDeliveries returns what is not sent, oldest first.
select * from delivery where sent_at is null and dropped_at is null order by id;

-- name: NewestDeliveries :many
-- NewestDeliveries returns the newest deliveries of any state, newest first.
select * from delivery order by id desc limit sqlc.arg(most);

-- name: RetryDeliveries :many
-- RetryDeliveries has messages tried at once, those that were refused for good too.
update delivery set parked_at = null, next_at = sqlc.arg(now), due_at = least(due_at, sqlc.arg(now))
where sent_at is null and dropped_at is null and (sqlc.arg(everything)::boolean or id = any(sqlc.arg(ids)::bigint[]))
returning id, channel, recipient, message_id;

-- name: DropDeliveries :many
-- DropDeliveries gives messages up.
update delivery set dropped_at = sqlc.arg(now)
where sent_at is null and dropped_at is null and (sqlc.arg(everything)::boolean or id = any(sqlc.arg(ids)::bigint[]))
returning id, channel, recipient, message_id;

-- name: WaitingByChannel :many
-- WaitingByChannel counts what is not sent, by channel.
select channel, count(*) filter (where parked_at is null) as waiting, count(*) filter (where parked_at is not null) as parked, min(created_at)::timestamptz as since
from delivery where sent_at is null and dropped_at is null and due_at < sqlc.arg(before) group by channel order by channel;

-- name: Memo :one
-- Memo returns what a channel remembers.
select value from channel_memo where channel = sqlc.arg(channel) and key = sqlc.arg(key);

-- name: SetMemo :exec
-- SetMemo has a channel remember something.
insert into channel_memo (channel, key, value) values (sqlc.arg(channel), sqlc.arg(key), sqlc.arg(value))
on conflict (channel, key) do update set value = excluded.value, set_at = now();
