-- name: AddApprovalLinks :exec
-- AddApprovalLinks gives a message what its links to approve are made of, unless it has it.
insert into approval_link (id, delivery_id, key, expires_at)
select sqlc.arg(id), d.id, sqlc.arg(key), sqlc.arg(expires_at)
from delivery d where d.message_id = sqlc.arg(message_id)
on conflict (delivery_id) do nothing;

-- name: ApprovalLinksOfDelivery :one
-- ApprovalLinksOfDelivery returns what the links of a message are made of, unless they were
-- revoked before it went out.
select id, key, expires_at from approval_link where delivery_id = $1 and revoked_at is null;

-- name: ApprovalLink :one
-- ApprovalLink returns the message of a link that is good at a time and was not used.
select d.recipient, d.channel, d.message_id, d.run_id
from approval_link l join delivery d on d.id = l.delivery_id
where l.id = sqlc.arg(id) and l.revoked_at is null and l.expires_at > sqlc.arg(now)
  and not exists (select from approval_link_use u where u.link_id = l.id and u.host_id = sqlc.arg(host_id) and u.ports = sqlc.arg(ports));

-- name: UseApprovalLink :execrows
-- UseApprovalLink has a link approve, which it does once.
insert into approval_link_use (link_id, host_id, ports, used_at, used_by)
select l.id, sqlc.arg(host_id), sqlc.arg(ports), sqlc.arg(now), sqlc.arg(used_by)
from approval_link l where l.id = sqlc.arg(id) and l.revoked_at is null and l.expires_at > sqlc.arg(now)
on conflict do nothing;

-- name: RevokeApprovalLinks :many
-- RevokeApprovalLinks ends the links of messages that are still good: all, those to a
-- recipient (a channel that knows only one goes by its name), or those of a message.
update approval_link l set revoked_at = sqlc.arg(now), revoked_by = sqlc.arg(revoked_by)
from delivery d
where d.id = l.delivery_id and l.revoked_at is null and l.expires_at > sqlc.arg(now)
  and (sqlc.arg(everything)::boolean
    or sqlc.arg(recipient)::text <> '' and lower(coalesce(nullif(d.recipient, ''), d.channel)) = lower(sqlc.arg(recipient)::text)
    or d.message_id = sqlc.arg(message_id)::text)
returning d.id, d.channel, d.recipient, d.message_id;

-- name: LastApprovalLinks :many
-- LastApprovalLinks returns when the last link of each key is over, and how many messages
-- have links that are good.
select key, max(expires_at)::timestamptz as expires_at, count(*) filter (where revoked_at is null and expires_at > sqlc.arg(now)) as good
from approval_link group by key;
