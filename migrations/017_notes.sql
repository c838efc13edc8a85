-- What people write about hosts, and how the audit is read: the newest first, by who, what
-- and about what.
create table host_note (
    id      bigint generated always as identity primary key,
    host_id bigint not null references host,
    at      timestamptz not null default clock_timestamp(),
    by      text not null,
    note    text not null check (char_length(note) between 1 and 2000)
);
create index host_note_host on host_note (host_id, id);

create index audit_actor on audit (actor, id);
create index audit_action on audit (action, id);
create index audit_subject on audit (subject collate "C", id);

---- create above / drop below ----

drop index audit_subject, audit_action, audit_actor;
drop table host_note;
