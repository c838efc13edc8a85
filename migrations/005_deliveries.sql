-- What is to be told to whom: written in the transaction that keeps the state,
-- so that nothing is announced that is not kept, and nothing kept goes unsaid.

create table delivery (
    id         bigint generated always as identity primary key,
    rev        bigint not null references rev,
    channel    text not null,
    recipient  text not null,
    message_id text not null unique, -- the same at every try
    payload    jsonb not null,
    attempts   integer not null default 0,
    created_at timestamptz not null default now(),
    sent_at    timestamptz,
    parked_at  timestamptz, -- refused for good; waits for a person
    last_error text not null default '',
    unique (rev, channel, recipient)
);
create index delivery_waiting on delivery (created_at) where sent_at is null;

-- A link in a message that opens a page to approve what the message showed.
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

---- create above / drop below ----

drop table approval_link, delivery;
