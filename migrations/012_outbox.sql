-- What the outbox has to know of a message: it is made anew at each try, from the run
-- and the share of it that the message tells. No row was written before.
alter table delivery
    drop column rev,
    drop column payload,
    add column run_id     bigint references run,           -- null: of no run
    add column kind       text not null,
    add column grp        text not null default '',
    add column share      jsonb not null default '{}',
    add column title      text not null default '',
    add column lines      text[] not null default '{}',
    add column notes      text[] not null default '{}',
    add column due_at     timestamptz not null,            -- not to be sent before
    add column next_at    timestamptz not null,            -- when it is tried (again)
    add column dropped_at timestamptz,                     -- a person gave it up
    add column instead    bigint references delivery;      -- that it makes up for
alter table delivery alter column created_at drop default;
drop index if exists delivery_waiting;
create index delivery_open on delivery (channel, recipient, id) where sent_at is null and parked_at is null and dropped_at is null;
create index delivery_parked on delivery (id) where parked_at is not null and sent_at is null and dropped_at is null;

-- What a channel remembers from message to message, like the thread of a chat.
create table channel_memo (
    channel text not null,
    key     text not null,
    value   text not null,
    set_at  timestamptz not null default now(),
    primary key (channel, key)
);

-- Tells this book's messages from those of others.
create table book (
    id   uuid not null default gen_random_uuid(),
    sole boolean primary key default true check (sole)
);
insert into book default values;

-- Hosts and ports that are not spoken of for a while.
create table snooze (
    id         bigint generated always as identity primary key,
    host_id    bigint not null references host,
    protocol   text,    -- null: the whole host
    port       integer,
    reason     text not null,
    set_by     text not null,
    via        text not null,
    since      timestamptz not null default now(),
    until      timestamptz not null check (until > since),
    ended_at   timestamptz,
    ended_by   text not null default '',
    check ((protocol is null) = (port is null))
);
create index snooze_open on snooze (host_id) where ended_at is null;

---- create above / drop below ----

drop table snooze, book, channel_memo;
drop index delivery_open, delivery_parked;
alter table delivery
    drop column run_id, drop column kind, drop column grp, drop column share, drop column title, drop column lines, drop column notes,
    drop column due_at, drop column next_at, drop column dropped_at, drop column instead,
    add column rev bigint not null references rev, add column payload jsonb not null,
    add constraint delivery_rev_channel_recipient_key unique (rev, channel, recipient);
alter table delivery alter column created_at set default now();
create index delivery_waiting on delivery (created_at) where sent_at is null;
