-- The inside view: what really listens on a host, and how it agrees with what
-- was seen from outside. Listeners are kept like ports, with a coverage of
-- their own: one failed login must not change every port of a host.

create table process (
    id        uuid primary key, -- over the material fields, as fingerprint.id
    exe       text not null,
    os_user   text not null,
    unit      text not null,
    container text not null,
    package   text not null
);

create table listener_coverage (
    rev    bigint not null references rev,
    status text not null check (status in ('answered', 'silent', 'not_scanned')),
    reason text not null default '',
    hosts  int8multirange not null,
    primary key (rev, status, reason)
);

create table listener_current (
    host_id  bigint not null references host,
    protocol text not null,
    port     integer not null check (port between 1 and 65535),
    bind     inet not null,
    process  uuid references process, -- null: not known, as without root
    rev_from bigint not null,
    primary key (host_id, protocol, port, bind)
);
create table listener_history (
    host_id  bigint not null,
    protocol text not null,
    port     integer not null,
    bind     inet not null,
    process  uuid,
    rev_from bigint not null,
    rev_to   bigint not null check (rev_to > rev_from),
    primary key (host_id, protocol, port, bind, rev_from)
);
create index listener_history_rev_to on listener_history (rev_to);
create table listener_change (
    rev         bigint not null,
    host_id     bigint not null,
    protocol    text not null,
    port        integer not null,
    bind        inet not null,
    kind        text not null,
    old_process uuid,
    new_process uuid,
    primary key (rev, host_id, protocol, port, bind)
);
create index listener_change_host on listener_change (host_id, rev);

create table finding (
    rev        bigint not null references rev,
    host_id    bigint not null references host,
    vantage_id smallint not null,
    protocol   text not null,
    port       integer not null,
    kind       text not null,
    severity   text not null check (severity in ('critical', 'high', 'medium', 'low', 'info')),
    detail     jsonb not null default '{}',
    primary key (rev, host_id, vantage_id, protocol, port, kind)
);

---- create above / drop below ----

drop table finding, listener_change, listener_history, listener_current, listener_coverage, process;
