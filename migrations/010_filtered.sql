-- What tells filtered ports from closed ones, which an export in nmap's own format
-- does: as it changes, so that a quiet night adds nothing.

-- The number of the set of filtered ports; with a minus, that of the set of those
-- that are not, whichever is shorter: persist/apart.go. 0: not known.
alter table stage_host add filtered_set bigint not null default 0;
alter table host_coverage add filtered_set bigint not null default 0; -- as of the last answer
create table filtered (
    host_id      bigint not null references host,
    vantage_id   smallint not null,
    protocol     text not null,
    rev          bigint not null references rev, -- since then
    filtered_set bigint not null,
    primary key (host_id, vantage_id, protocol, rev)
);

-- What nmap's table calls ports that are not open, since a revision.
create table port_name (
    protocol text not null,
    port     integer not null,
    rev      bigint not null references rev,
    name     text not null,
    primary key (protocol, port, rev)
);
create table stage_port_name (
    run_id   bigint not null,
    protocol text not null,
    port     integer not null,
    name     text not null,
    primary key (run_id, protocol, port)
);

---- create above / drop below ----

drop table stage_port_name, port_name, filtered;
alter table host_coverage drop filtered_set;
alter table stage_host drop filtered_set;
