-- The hardware address of a host on a network of the scanner's own, since a revision:
-- as nmap's format has it.
alter table stage_host add mac text not null default '';
create table mac (
    host_id    bigint not null references host,
    vantage_id smallint not null,
    rev        bigint not null references rev,
    mac        text not null,
    primary key (host_id, vantage_id, rev)
);

---- create above / drop below ----

drop table mac;
alter table stage_host drop mac;
