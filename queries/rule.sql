-- name: Rules :many
-- Rules returns the rules that are in force, and since when.
select id, since from approval_rule where ended_at is null;

-- name: BeginRules :many
-- BeginRules begins rules that are not in force, and returns them. One that was in force before
-- has that day as its first: what a person took back since stays so until the rule's text is
-- another one.
insert into approval_rule (id, spec, since)
select n.id, n.spec::jsonb, sqlc.arg(at)::timestamptz
from (select unnest(sqlc.arg(ids)::text[]) as id, unnest(sqlc.arg(specs)::text[]) as spec) n
on conflict (id) do update set ended_at = null where approval_rule.ended_at is not null
returning id, since;

-- name: EndRules :many
-- EndRules ends all rules in force but these, and returns them.
update approval_rule set ended_at = sqlc.arg(at)::timestamptz
where ended_at is null and id <> all (sqlc.arg(ids)::text[])
returning id, spec;

-- name: RuledUpTo :one
-- RuledUpTo returns the revision before one up to which rules have decided, and its time: the
-- last that is not an import's. Without one it is 0.
select coalesce(max(rev.id), 0)::bigint as rev, coalesce(max(rev.at), to_timestamp(0))::timestamptz as at
from rev join run on run.id = rev.run_id
where rev.id < $1 and run.import is null;

-- name: HostsForRules :many
-- HostsForRules returns the hosts of which rules have to decide: those that changed after a
-- revision, those with an approval that ended after a time or that a rule gave which is gone,
-- and, where a rule is new, those with ports that nobody approved.
select h.host_id, h.vantage_id from host_current h
where h.rev_from > sqlc.arg(after)
   or exists (select from port_change c where c.rev > sqlc.arg(after) and c.host_id = h.host_id)
   or exists (select from listener_change c where c.rev > sqlc.arg(after) and c.host_id = h.host_id)
   or exists (select from approval a where a.host_id = h.host_id and a.ended_at > sqlc.arg(ended_after)::timestamptz)
   or sqlc.arg(gone)::boolean and exists (
        select from approval a where a.host_id = h.host_id and a.ended_at is null and a.rule is not null and a.rule <> all (sqlc.arg(ids)::text[]))
   or (sqlc.arg(fresh)::boolean and exists (
        select from port_current p where p.host_id = h.host_id and p.vantage_id = h.vantage_id and p.approval_id is null and p.state = 'open'))
order by h.vantage_id, h.host_id;

-- name: RevokedSince :many
-- RevokedSince returns the ports of hosts of which a person took an approval back, and when
-- last.
select host_id, coalesce(vantage_id, 0)::smallint as vantage_id, protocol, port, max(ended_at)::timestamptz as at
from approval where end_reason = 'revoked' and host_id = any (sqlc.arg(hosts)::bigint[])
group by host_id, coalesce(vantage_id, 0), protocol, port;

-- name: RuledApprovals :many
-- RuledApprovals returns the approvals of hosts that rules gave and that have not ended.
select id, host_id, vantage_id, protocol, port, rule::text as rule from approval
where rule is not null and ended_at is null and host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: EndRuled :many
-- EndRuled ends approvals that rules gave.
update approval set ended_at = sqlc.arg(at)::timestamptz, ended_by = 'ownmap', end_reason = 'rule-ended', end_no = nextval('approval_end_no')
where id = any (sqlc.arg(ids)::bigint[]) and ended_at is null
returning *;

-- name: AllApprovals :many
-- AllApprovals returns the approvals that are good at a time, by host and port.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where a.ended_at is null and (a.expires_at is null or a.expires_at > sqlc.arg(at)::timestamptz)
order by h.address, a.protocol, a.port, a.id;
