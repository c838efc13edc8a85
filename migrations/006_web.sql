-- Who may sign in to the web page, and what was set there.

create table web_user (
    id            bigint generated always as identity primary key,
    name          text not null unique,
    password_hash text not null, -- bcrypt; empty: signs in through a provider
    role          text not null check (role in ('viewer', 'admin')),
    created_at    timestamptz not null default now(),
    disabled_at   timestamptz
);

create table session (
    id_sha256  bytea primary key,
    user_id    bigint not null references web_user on delete cascade,
    created_at timestamptz not null default now(),
    seen_at    timestamptz not null default now(),
    expires_at timestamptz not null
);

-- Typed settings of the page; what ownmap.yaml sets wins.
create table setting (
    key        text primary key,
    value      jsonb not null,
    set_by     text not null,
    set_at     timestamptz not null default now()
);

---- create above / drop below ----

drop table setting, session, web_user;
