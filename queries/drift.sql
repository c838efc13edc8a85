-- name: ExpireApprovals :many
-- ExpireApprovals ends the approvals whose time is over, and returns them.
update approval set ended_at = sqlc.arg(at)::timestamptz, ended_by = 'ownmap', end_reason = 'expired', end_no = nextval('approval_end_no')
where ended_at is null and expires_at <= sqlc.arg(at)
returning id;

-- name: TouchedApprovals :many
-- TouchedApprovals returns the open approvals of ports that changed in a
-- revision and are still there, with what stands behind the port now.
select a.id, a.service as approved_service, a.family as approved_family, a.probed as approved_probed, sqlc.embed(f)
from port_change ch
join approval a
    on a.host_id = ch.host_id and a.protocol = ch.protocol and a.port = ch.port and a.ended_at is null
    and (a.vantage_id is null or a.vantage_id = ch.vantage_id)
join fingerprint f on f.id = ch.new_fp
where ch.rev = $1;

-- name: DriftApprovals :many
-- DriftApprovals ends approvals of something else than what is there now, and returns them. One
-- that was granted after an imported scan was made and before it was imported ends as soon as it
-- begins.
update approval set ended_at = greatest(granted_at, sqlc.arg(at)::timestamptz), ended_by = 'ownmap', end_reason = 'drifted', end_no = nextval('approval_end_no')
where id = any (sqlc.arg(ids)::bigint[]) and ended_at is null
returning id;

-- name: AuditEnded :exec
-- AuditEnded notes the approvals that a run ended.
insert into audit (at, actor, via, action, subject, detail)
select a.ended_at, 'ownmap', 'run', 'approval-' || a.end_reason, host(h.address) || ' ' || a.port || '/' || a.protocol,
       jsonb_build_object('approval', a.id, 'rev', sqlc.arg(rev)::bigint, 'service', a.service, 'family', a.family, 'exe', a.exe, 'expires_at', a.expires_at)
from approval a
join host h on h.id = a.host_id
where a.id = any (sqlc.arg(ids)::bigint[])
order by a.id;

-- name: ClearEnded :exec
-- ClearEnded takes the approvals that a run ended from their ports.
update port_current c set approval_id = null
from approval a
where a.id = any (sqlc.arg(ids)::bigint[]) and c.approval_id = a.id
  and c.host_id = a.host_id and c.protocol = a.protocol and c.port = a.port;

-- name: MatchApprovals :exec
-- MatchApprovals gives the ports that changed in a revision, or that lost their
-- approval in it, the open approval that fits: one for their vantage before one
-- for any.
update port_current c set approval_id = (
    select a.id from approval a
    where a.host_id = c.host_id and a.protocol = c.protocol and a.port = c.port and a.ended_at is null
      and (a.vantage_id is null or a.vantage_id = c.vantage_id)
    order by a.vantage_id nulls last limit 1
)
from (
    select ch.host_id, ch.protocol, ch.port from port_change ch where ch.rev = sqlc.arg(rev) and ch.new_state is not null
    union
    select e.host_id, e.protocol, e.port from approval e where e.id = any (sqlc.arg(ended)::bigint[])
) touched
where c.host_id = touched.host_id and c.protocol = touched.protocol and c.port = touched.port and c.approval_id is null
  and exists (
    select from approval a
    where a.host_id = c.host_id and a.protocol = c.protocol and a.port = c.port and a.ended_at is null
      and (a.vantage_id is null or a.vantage_id = c.vantage_id)
);
