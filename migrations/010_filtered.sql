-- What tells filtered ports from closed ones, which an export in nmap's own format
-- does: kept in the ledger, so that hosts behind the same firewall still share a
-- row, and a quiet night still costs one.

-- The number of the set of filtered ports; with a minus, that of the set of those
-- that are not, whichever is shorter: persist/apart.go. 0: not known.
alter table stage_host add filtered_set bigint not null default 0;
alter table coverage add filtered_set bigint not null default 0;
alter table coverage drop constraint coverage_pkey;
alter table coverage add primary key (rev, vantage_id, protocol, status, reason, port_set_id, services, filtered_set);

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

drop table stage_port_name, port_name;
alter table coverage drop constraint coverage_pkey;
alter table coverage add primary key (rev, vantage_id, protocol, status, reason, port_set_id, services);
alter table coverage drop filtered_set;
alter table stage_host drop filtered_set;
