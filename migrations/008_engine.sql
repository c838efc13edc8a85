-- The scan engine: the kinds of work of a run, how far its shards have come, what
-- was doubted and asked again, light fingerprints of ports, the learned rate of a
-- vantage, and scans that people ask for.

alter table run
    add steps        text[] not null default '{}',   -- kinds of work that were added after ports
    add pace         jsonb not null default '{}',    -- state.Pace by vantage
    add alerts       jsonb not null default '[]',    -- of state.Alert
    add cancelled_by text not null default '';

alter table shard
    add work       text not null default 'ports' check (work in ('ports', 'confirm', 'services')),
    add hosts      integer not null default 0,
    add worker     text not null default '',  -- that scans it, or did
    add fraction   real not null default 0,   -- of the work that is done
    add hosts_done integer not null default 0,
    add open       integer not null default 0,
    add tracked_at timestamptz;

alter table stage_host
    add spoofed text not null default ''; -- TCP ports that a host calls open which calls nearly all of them open

alter table stage_port
    add banner text not null default '', -- state.PortStatus.Banner
    add silent boolean not null default false,
    add named  boolean not null default false; -- service detection looked at it in this run

-- What a confirm shard took back. A settled doubt was proved wrong; of any other
-- nothing is concluded. Port 0 is the host itself: it was silent, and is there.
create table stage_doubt (
    run_id     bigint not null,
    host_id    bigint not null,
    vantage_id smallint not null,
    protocol   text not null,
    port       integer not null,
    saw        text not null, -- the state that the scan saw at first; empty: not open
    settled    boolean not null,
    primary key (run_id, host_id, vantage_id, protocol, port)
);

-- These are no part of the state: they have no history.
alter table port_current
    add banner   text not null default '',
    add silent   boolean not null default false,
    add named_at timestamptz; -- when service detection last looked at it

alter table vantage
    add rate integer not null default 0, -- packets a second to begin with; 0: not known
    add knee integer not null default 0; -- up to there it doubles; 0: up to the cap

-- Ports that a scan saw otherwise than they were, one row per run in which it
-- did.
create table flap (
    rev        bigint not null references rev,
    host_id    bigint not null references host,
    vantage_id smallint not null,
    protocol   text not null,
    port       integer not null,
    saw        text not null,
    primary key (host_id, vantage_id, protocol, port, rev)
);
create index flap_rev on flap (rev);

create table scan_request (
    id          bigint generated always as identity primary key,
    only_hosts  text[] not null, -- empty: all targets
    asked_by    text not null,
    via         text not null,
    asked_at    timestamptz not null default clock_timestamp(),
    taken_at    timestamptz,
    run_id      bigint, -- that it led to
    finished_at timestamptz,
    error       text not null default ''
);
create index scan_request_open on scan_request (id) where finished_at is null;

---- create above / drop below ----

drop table scan_request, flap, stage_doubt;
alter table vantage drop rate, drop knee;
alter table port_current drop banner, drop silent, drop named_at;
alter table stage_port drop banner, drop silent, drop named;
alter table stage_host drop spoofed;
alter table shard drop work, drop hosts, drop worker, drop fraction, drop hosts_done, drop open, drop tracked_at;
alter table run drop steps, drop pace, drop alerts, drop cancelled_by;
