-- What is scanned and what is known of it: targets, hosts, runs, coverage,
-- hosts and ports as current rows, closed intervals and a log of changes.
-- History is keyed on rev, a number that is drawn inside the persist
-- transaction under an advisory lock, because run ids do not follow the order
-- of commits.

create table vantage (
    id   smallint generated always as identity primary key,
    name text not null unique
);
insert into vantage (name) values ('local');

-- A target row never changes but for removed_at: a past report can still name
-- its tags and owner.
create table target (
    id         bigint generated always as identity primary key,
    spec       text not null,
    exclude    text[] not null default '{}',
    tags       text[] not null default '{}',
    owner      text not null default '',
    profile    text not null default '',
    vantage    text not null default 'local',
    ssh        jsonb not null default '{}',
    origin     text not null check (origin in ('config', 'cli', 'web')),
    created_at timestamptz not null default now(),
    removed_at timestamptz
);
create unique index target_open on target (spec, vantage, origin) where removed_at is null;

create table host (
    id      bigint generated always as identity primary key,
    address inet not null unique check (masklen(address) = case family(address) when 4 then 32 else 128 end)
);

create table run (
    id          bigint primary key, -- drawn under the run lock, without gaps: people say these numbers
    state       text not null default 'scanning' check (state in ('scanning', 'persisted', 'done', 'failed')),
    only_hosts  text[] not null default '{}',
    plan_hash   text not null default '',
    planned     boolean not null default false,
    pending     integer not null default 0 check (pending >= 0),
    scanner     jsonb not null default '{}',
    baseline    boolean not null default false,
    partial     boolean not null default false,
    notes       text[] not null default '{}',
    error       text not null default '',
    started_at  timestamptz not null default now(),
    finished_at timestamptz
);
create unique index run_unfinished on run ((true)) where state = 'scanning';

create table rev (
    id     bigint primary key,
    run_id bigint not null unique references run,
    at     timestamptz not null
);

-- A set of port numbers in nmap's spelling, kept once.
create table port_set (
    id    bigint generated always as identity primary key,
    hash  bytea not null unique, -- SHA-256 of ports: a list of 65,535 numbers is too long for an index
    ports text not null
);

-- The ledger: which hosts were answered, silent or not scanned in a revision,
-- over which protocol and ports. Hosts are folded into ranges of their ids, so
-- that a quiet night costs one row.
create table coverage (
    rev         bigint not null references rev,
    vantage_id  smallint not null,
    protocol    text not null,
    status      text not null check (status in ('answered', 'silent', 'not_scanned')),
    reason      text not null default '',
    port_set_id bigint not null,
    services    boolean not null,
    hosts       int8multirange not null,
    primary key (rev, vantage_id, protocol, status, reason, port_set_id, services)
);

-- What was looked at when a host last answered: it changes with the profile, not
-- with the night, so a quiet night leaves it alone.
create table host_coverage (
    host_id     bigint not null,
    vantage_id  smallint not null,
    protocol    text not null,
    port_set_id bigint not null,
    services    boolean not null,
    primary key (host_id, vantage_id, protocol)
);

create table fingerprint (
    id         uuid primary key, -- state.Service.Fingerprint
    service    text not null,
    product    text not null,
    version    text not null,
    extra_info text not null, -- as first seen; not part of the id
    tunnel     text not null,
    cpe        text[] not null default '{}',
    probed     boolean not null
);

create table host_current (
    host_id    bigint not null references host,
    vantage_id smallint not null,
    state      text not null check (state in ('up', 'down')),
    names      text[] not null,
    target_id  bigint,
    rev_from   bigint not null,
    primary key (host_id, vantage_id)
);
create table host_history (
    host_id    bigint not null,
    vantage_id smallint not null,
    state      text not null,
    names      text[] not null,
    target_id  bigint,
    rev_from   bigint not null,
    rev_to     bigint not null check (rev_to > rev_from),
    primary key (host_id, vantage_id, rev_from)
);
create index host_history_rev_to on host_history (rev_to);
create table host_change (
    rev        bigint not null,
    host_id    bigint not null,
    vantage_id smallint not null,
    kind       text not null,
    was        text not null default '', -- the name before, of host-renamed
    now        text not null default '',
    primary key (rev, host_id, vantage_id, kind)
);
create index host_change_host on host_change (host_id, rev);

create table port_current (
    host_id     bigint not null references host,
    vantage_id  smallint not null,
    protocol    text not null,
    port        integer not null check (port between 1 and 65535),
    state       text not null check (state in ('open', 'open|filtered')),
    fp          uuid not null references fingerprint,
    rev_from    bigint not null,
    approval_id bigint,
    primary key (host_id, vantage_id, protocol, port)
);
create index port_current_unapproved on port_current (host_id, vantage_id, protocol, port)
    where approval_id is null and state = 'open';
create table port_history (
    host_id    bigint not null,
    vantage_id smallint not null,
    protocol   text not null,
    port       integer not null,
    state      text not null,
    fp         uuid not null,
    rev_from   bigint not null,
    rev_to     bigint not null check (rev_to > rev_from),
    primary key (host_id, vantage_id, protocol, port, rev_from)
);
create index port_history_rev_to on port_history (rev_to);
-- One row per changed port and revision. kind is what was announced then: a
-- later version may call it otherwise, a past report may not.
create table port_change (
    rev        bigint not null,
    host_id    bigint not null,
    vantage_id smallint not null,
    protocol   text not null,
    port       integer not null,
    kind       text not null,
    old_state  text,
    old_fp     uuid,
    new_state  text,
    new_fp     uuid,
    primary key (rev, host_id, vantage_id, protocol, port),
    check ((old_state, old_fp) is distinct from (new_state, new_fp))
);
create index port_change_host on port_change (host_id, rev);

---- create above / drop below ----

drop table port_change, port_history, port_current, host_change, host_history, host_current,
    fingerprint, host_coverage, coverage, port_set, rev, run, host, target, vantage;
