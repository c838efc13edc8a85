-- name: CurrentApprovals :many
-- CurrentApprovals returns approvals that hold and were given before one, newest first, by
-- anybody where the author is empty.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where a.ended_at is null and (a.expires_at is null or a.expires_at > clock_timestamp()) and a.id < sqlc.arg(before)
  and (sqlc.arg(author)::text = '' or a.granted_by = sqlc.arg(author))
order by a.id desc limit sqlc.arg(most);

-- name: CurrentApprovalsWithin :many
-- CurrentApprovalsWithin is CurrentApprovals of the hosts of a prefix.
select sqlc.embed(a), h.address from host h join approval a on a.host_id = h.id
where h.address <<= (sqlc.arg(prefix)::text)::inet
  and a.ended_at is null and (a.expires_at is null or a.expires_at > clock_timestamp()) and a.id < sqlc.arg(before)
  and (sqlc.arg(author)::text = '' or a.granted_by = sqlc.arg(author))
order by a.id desc limit sqlc.arg(most);

-- name: EndedApprovals :many
-- EndedApprovals returns approvals that ended before one did, the last first, by anybody and
-- for any reason where these are empty.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where a.ended_at is not null and (a.ended_at, a.id) < (sqlc.arg(before_at)::timestamptz, sqlc.arg(before)::bigint)
  and (sqlc.arg(author)::text = '' or a.granted_by = sqlc.arg(author)) and (sqlc.arg(reason)::text = '' or a.end_reason = sqlc.arg(reason))
order by a.ended_at desc, a.id desc limit sqlc.arg(most);

-- name: EndedApprovalsWithin :many
-- EndedApprovalsWithin is EndedApprovals of the hosts of a prefix.
select sqlc.embed(a), h.address from host h join approval a on a.host_id = h.id
where h.address <<= (sqlc.arg(prefix)::text)::inet
  and a.ended_at is not null and (a.ended_at, a.id) < (sqlc.arg(before_at)::timestamptz, sqlc.arg(before)::bigint)
  and (sqlc.arg(author)::text = '' or a.granted_by = sqlc.arg(author)) and (sqlc.arg(reason)::text = '' or a.end_reason = sqlc.arg(reason))
order by a.ended_at desc, a.id desc limit sqlc.arg(most);

-- name: OpenApprovalsOf :many
-- OpenApprovalsOf returns the approvals of these numbers that have not ended, in the order
-- in which they were given.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where a.id = any (sqlc.arg(ids)::bigint[]) and a.ended_at is null order by a.id;

-- name: AboutApprovals :many
-- AboutApprovals returns of approvals what belongs to their hosts, and whether the port is
-- open still.
select a.id, coalesce(c.names, '{}')::text[] as names, coalesce((select t.owner from target t where t.id = c.target_id), '')::text as owner,
       exists (select from port_current p where p.host_id = a.host_id and p.protocol = a.protocol and p.port = a.port and p.state = 'open'
               and (a.vantage_id is null or p.vantage_id = a.vantage_id))::boolean as open
from approval a
left join lateral (select * from host_current c where c.host_id = a.host_id and (a.vantage_id is null or c.vantage_id = a.vantage_id)
                   order by c.vantage_id limit 1) c on true
where a.id = any (sqlc.arg(ids)::bigint[]);

-- name: AuditNewest :many
-- AuditNewest returns lines of the audit before one, newest first.
select * from audit where id < sqlc.arg(before) order by id desc limit sqlc.arg(most);

-- name: AuditBy :many
-- AuditBy is AuditNewest of what somebody did, of any kind where the action is empty.
select * from audit where actor = sqlc.arg(actor) and id < sqlc.arg(before) and (sqlc.arg(action)::text = '' or action = sqlc.arg(action))
order by id desc limit sqlc.arg(most);

-- name: AuditOf :many
-- AuditOf is AuditNewest of one kind.
select * from audit where action = sqlc.arg(action) and id < sqlc.arg(before) order by id desc limit sqlc.arg(most);

-- name: AuditAbout :many
-- AuditAbout is AuditNewest of subjects from one text up to another, by anybody and of any
-- kind where these are empty.
select * from audit
where subject collate "C" >= sqlc.arg(first)::text and subject collate "C" < sqlc.arg(next)::text and id < sqlc.arg(before)
  and (sqlc.arg(actor)::text = '' or actor = sqlc.arg(actor)) and (sqlc.arg(action)::text = '' or action = sqlc.arg(action))
order by id desc limit sqlc.arg(most);

-- name: WorstFindings :many
-- WorstFindings returns findings that last and are of these kinds, less those that are only
-- for the record, the most severe first.
select f.host_id, v.name as vantage, f.protocol, f.port, f.kind, f.severity, coalesce(f.detail ->> 'text', '')::text as detail,
       h.address, coalesce(c.names, '{}')::text[] as names, r.at
from finding f
join host h on h.id = f.host_id
join vantage v on v.id = f.vantage_id
join rev r on r.id = f.rev
left join host_current c on c.host_id = f.host_id and c.vantage_id = f.vantage_id
where f.rev_to is null and f.severity <> 'info' and f.kind = any (sqlc.arg(kinds)::text[])
order by array_position(array['critical', 'high', 'medium', 'low'], f.severity), v.name collate "C", h.address, f.port, f.protocol, f.kind
limit sqlc.arg(most);

-- name: CountFindings :one
-- CountFindings counts what WorstFindings would return.
select count(*) from finding f where f.rev_to is null and f.severity <> 'info' and f.kind = any (sqlc.arg(kinds)::text[]);
