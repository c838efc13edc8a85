-- name: EndApprovalsOfPorts :exec
-- EndApprovalsOfPorts ends the approvals of ports because others replace them.
update approval a
set ended_at = sqlc.arg(at)::timestamptz, ended_by = sqlc.arg(ended_by), end_reason = 'superseded', end_no = nextval('approval_end_no')
from (select unnest(sqlc.arg(host_ids)::bigint[]) as host_id, unnest(sqlc.arg(vantage_ids)::smallint[]) as vantage_id,
             unnest(sqlc.arg(protocols)::text[]) as protocol, unnest(sqlc.arg(ports)::integer[]) as port) k
where a.ended_at is null and a.host_id = k.host_id and a.protocol = k.protocol and a.port = k.port
  and a.vantage_id = k.vantage_id;

-- name: AddApprovals :many
-- AddApprovals approves ports, each bound to the service that it has and
-- the process behind it.
insert into approval (host_id, vantage_id, protocol, port, service, family, probed, exe, os_user, unit, container, package, reason, granted_by, via, granted_at, expires_at, rule)
select k.host_id, k.vantage_id, k.protocol, k.port, k.service, k.family, k.probed,
       k.exe, k.os_user, k.unit, k.container, k.package,
       sqlc.arg(reason), sqlc.arg(granted_by), sqlc.arg(via), sqlc.arg(at)::timestamptz, sqlc.narg(expires_at)::timestamptz, sqlc.narg(rule)::text
from (select unnest(sqlc.arg(host_ids)::bigint[]) as host_id, unnest(sqlc.arg(vantage_ids)::smallint[]) as vantage_id,
             unnest(sqlc.arg(protocols)::text[]) as protocol, unnest(sqlc.arg(ports)::integer[]) as port,
             unnest(sqlc.arg(services)::text[]) as service, unnest(sqlc.arg(families)::text[]) as family,
             unnest(sqlc.arg(probed)::boolean[]) as probed, unnest(sqlc.arg(exes)::text[]) as exe,
             unnest(sqlc.arg(os_users)::text[]) as os_user, unnest(sqlc.arg(units)::text[]) as unit,
             unnest(sqlc.arg(containers)::text[]) as container, unnest(sqlc.arg(packages)::text[]) as package) k
returning *;

-- name: LinkApprovals :exec
-- LinkApprovals marks the ports of approvals as approved.
update port_current p set approval_id = a.id
from approval a
where a.id = any (sqlc.arg(ids)::bigint[]) and p.host_id = a.host_id and p.vantage_id = a.vantage_id
  and p.protocol = a.protocol and p.port = a.port;

-- name: RevokeApprovals :many
-- RevokeApprovals ends approvals because a person takes them back.
update approval
set ended_at = sqlc.arg(at)::timestamptz, ended_by = sqlc.arg(ended_by), end_reason = 'revoked', end_no = nextval('approval_end_no')
where id = any (sqlc.arg(ids)::bigint[]) and ended_at is null
returning *;

-- name: UnlinkApprovals :many
-- UnlinkApprovals takes approvals away from their ports; another one that is
-- good for the port, given for any vantage, takes its place. It returns these ports, with the
-- number of that one or 0.
update port_current p
set approval_id = (select a.id from approval a
                   where a.host_id = p.host_id and a.protocol = p.protocol and a.port = p.port and a.ended_at is null
                     and (a.expires_at is null or a.expires_at > now())
                     and (a.vantage_id is null or a.vantage_id = p.vantage_id)
                   order by a.vantage_id nulls last, a.id limit 1)
where p.approval_id = any (sqlc.arg(ids)::bigint[])
returning p.host_id, p.vantage_id, p.protocol, p.port, coalesce(p.approval_id, 0)::bigint as approval_id;

-- name: AddAudit :exec
-- AddAudit writes what somebody did, one line per subject.
insert into audit (actor, via, action, subject, detail)
select sqlc.arg(actor), sqlc.arg(via), sqlc.arg(action), l.subject, l.detail::jsonb
from (select unnest(sqlc.arg(subjects)::text[]) as subject, unnest(sqlc.arg(details)::text[]) as detail) l;

-- name: Audit :many
-- Audit returns the newest lines of the audit, newest first.
select * from audit order by id desc limit $1;

