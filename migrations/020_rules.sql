-- Approvals by rules of the config. A rule is told by what it says: one that is changed is
-- another one.

create table approval_rule (
    id       text primary key,     -- state.Rule.ID
    spec     jsonb not null,       -- what it says
    since    timestamptz not null, -- what people took back since then it does not approve
    ended_at timestamptz           -- it is not in the config any more; null: it is
);

alter table approval
    add rule text references approval_rule, -- that gave it; null: a person did
    drop constraint approval_end_reason_check,
    add constraint approval_end_reason_check check (end_reason in ('', 'revoked', 'expired', 'superseded', 'drifted', 'rule-ended'));
create index approval_of_rule on approval (host_id) where rule is not null and ended_at is null;
create index approval_revoked on approval (host_id, protocol, port, ended_at) where end_reason = 'revoked';

---- create above / drop below ----

drop index approval_revoked, approval_of_rule;
update approval set end_reason = 'revoked' where end_reason = 'rule-ended';
alter table approval
    drop constraint approval_end_reason_check,
    add constraint approval_end_reason_check check (end_reason in ('', 'revoked', 'expired', 'superseded', 'drifted')),
    drop rule;
drop table approval_rule;
