-- Who accepted which port, and everything that anybody did. Rows of approval
-- end and never vanish.

create table approval (
    id          bigint generated always as identity primary key,
    host_id     bigint not null references host,
    vantage_id  smallint, -- null: from any vantage
    protocol    text not null,
    port        integer not null,
    service     text not null, -- what was seen when it was given
    family      text not null,
    probed      boolean not null,
    exe         text not null default '', -- from the inside view; empty: any
    os_user     text not null default '',
    unit        text not null default '',
    package     text not null default '',
    reason      text not null,
    granted_by  text not null,
    via         text not null check (via in ('cli', 'web', 'mail', 'rule')),
    granted_at  timestamptz not null,
    expires_at  timestamptz,
    ended_at    timestamptz,
    ended_by    text not null default '',
    end_reason  text not null default '' check (end_reason in ('', 'revoked', 'expired', 'superseded', 'drifted')),
    check ((ended_at is null) = (end_reason = ''))
);
-- coalesce instead of "nulls not distinct", which PostgreSQL 14 lacks.
create unique index approval_open on approval (host_id, protocol, port, coalesce(vantage_id, 0)) where ended_at is null;
create index approval_host on approval (host_id, protocol, port, granted_at);
create index approval_ended on approval (ended_at) where ended_at is not null;
create index approval_expires on approval (expires_at) where ended_at is null and expires_at is not null;
alter table port_current add foreign key (approval_id) references approval;

create table audit (
    id      bigint generated always as identity primary key,
    at      timestamptz not null default clock_timestamp(),
    actor   text not null,
    via     text not null,
    action  text not null,
    subject text not null,
    detail  jsonb not null default '{}'
);
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit is append-only: % refused', tg_op;
end
$$;
create trigger audit_rows before update or delete on audit
    for each row execute function audit_is_append_only();
create trigger audit_table before truncate on audit
    for each statement execute function audit_is_append_only();

---- create above / drop below ----

drop table audit;
drop function audit_is_append_only;
alter table port_current drop constraint port_current_approval_id_fkey;
drop table approval;
