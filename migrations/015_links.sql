-- Links to approve in messages. One row is behind all links of a message: what a link
-- approves its token says, under a MAC; what listened there when the message was decided
-- upon, the history says as of its run. So nothing of a token is kept, and a message about
-- a million ports has one row.

drop table approval_link;
create table approval_link (
    id          bigint primary key, -- random, for it is in tokens: a database that was set back does not give it again
    delivery_id bigint not null unique references delivery,
    key         text not null,      -- the name of what signs them
    expires_at  timestamptz not null,
    revoked_at  timestamptz,
    revoked_by  text not null default '',
    check ((revoked_at is null) = (revoked_by = ''))
);

-- Each link approves once. There is a row for each that did.
create table approval_link_use (
    link_id bigint not null references approval_link,
    host_id bigint not null references host,
    ports   text not null, -- "22/tcp 443/tcp"
    used_at timestamptz not null,
    used_by text not null,
    primary key (link_id, host_id, ports)
);
create index approval_by_link on approval (granted_at) where via = 'mail';

---- create above / drop below ----

drop index approval_by_link;
drop table approval_link_use, approval_link;
create table approval_link (
    token_sha256 bytea primary key,
    rev          bigint not null references rev,
    host_id      bigint not null references host,
    vantage_id   smallint not null,
    protocol     text not null,
    port         integer not null,
    fp           uuid not null references fingerprint,
    sent_to      text not null,
    expires_at   timestamptz not null,
    used_at      timestamptz,
    revoked_at   timestamptz
);
