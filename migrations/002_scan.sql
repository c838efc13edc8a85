-- The work of a run and what it brought so far. Stage tables are ordinary
-- logged tables: an unlogged one is empty after a crash of the server while the
-- shard that filled it stays done.

create table shard (
    run_id  bigint not null references run,
    no      integer not null,
    vantage text not null,
    spec    jsonb not null, -- state.Shard
    done_at timestamptz,
    done_by text not null default '',
    attempt integer not null default 0,
    error   text not null default '',
    primary key (run_id, no)
);

create table stage_host (
    run_id      bigint not null,
    host_id     bigint not null,
    vantage_id  smallint not null,
    protocol    text not null,
    status      text not null check (status in ('answered', 'silent', 'not_scanned')),
    reason      text not null,
    port_set_id bigint not null,
    services    boolean not null,
    names       text[] not null,
    target_id   bigint,
    observed_at timestamptz not null default now(),
    primary key (run_id, host_id, vantage_id, protocol)
);

create table stage_port (
    run_id     bigint not null,
    host_id    bigint not null,
    vantage_id smallint not null,
    protocol   text not null,
    port       integer not null,
    state      text not null,
    fp         uuid not null,
    primary key (run_id, host_id, vantage_id, protocol, port)
);

---- create above / drop below ----

drop table stage_port, stage_host, shard;
