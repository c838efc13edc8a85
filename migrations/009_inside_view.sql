-- What looking inside needs beside the tables that wait for it: hashes, sockets
-- that take IPv6 alone, both sides of a change, and findings that last: one row
-- from the night in which something was found to the one in which it was gone,
-- so that a quiet night adds nothing.

alter table process add sha256 text not null default '';

alter table listener_current add only_v6 boolean not null default false;
alter table listener_history add only_v6 boolean not null default false;
create index listener_history_host on listener_history (host_id);

-- kind is empty for what is kept and not told: a first look, and ports that
-- programs draw at random.
alter table listener_change
    add old_bind inet,                            -- where what it replaces listened, if that was elsewhere
    add before   boolean not null default true,   -- there was a listener
    add after    boolean not null default true,   -- there is one
    add only_v6  boolean not null default false,  -- of the one that is
    add check (before or after);

alter table approval add container text not null default '';

-- rev is the first revision that found it, rev_to the first that did not.
alter table finding add rev_to bigint check (rev_to > rev);
update finding set rev_to = rev + 1;
create unique index finding_open on finding (host_id, vantage_id, protocol, port, kind) where rev_to is null;
create index finding_host on finding (host_id);

---- create above / drop below ----

drop index finding_host, finding_open;
alter table finding drop rev_to;
alter table approval drop container;
alter table listener_change drop old_bind, drop before, drop after, drop only_v6;
drop index listener_history_host;
alter table listener_history drop only_v6;
alter table listener_current drop only_v6;
alter table process drop sha256;
