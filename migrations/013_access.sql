-- Who is let in to the web page. Users of ownmap.yaml and of a provider have no row
-- here, but sessions. Nobody could sign in before.
alter table web_user add column password_at timestamptz not null default now();

delete from session;
alter table session
    alter column user_id drop not null,
    alter column created_at drop default,
    alter column seen_at drop default,
    add column name    text not null,
    add column role    text not null check (role in ('viewer', 'admin')),
    add column origin  text not null check (origin in ('config', 'database', 'oidc', 'link')),
    add column stamp   bytea not null, -- of what the sign-in rested on
    add column address text not null,
    add column agent   text not null,
    add check ((user_id is not null) = (origin = 'database'));
create index session_of_user on session (user_id);

-- Passwords for programs. Only their SHA-256 is kept: they are 256 random bits.
create table api_token (
    id           bigint generated always as identity primary key,
    name         text not null,
    token_sha256 bytea not null unique,
    role         text not null check (role in ('viewer', 'admin')),
    made_by      text not null,
    origin       text not null check (origin in ('', 'config', 'database', 'oidc', 'proxy')), -- how the maker had signed in
    user_id      bigint references web_user on delete cascade,
    created_at   timestamptz not null,
    expires_at   timestamptz,
    used_at      timestamptz,
    revoked_at   timestamptz,
    revoked_by   text not null default '',
    check ((user_id is not null) = (origin = 'database'))
);
create unique index api_token_name on api_token (name) where revoked_at is null;

---- create above / drop below ----

drop table api_token;
delete from session;
drop index session_of_user;
alter table session
    drop column name, drop column role, drop column origin, drop column stamp, drop column address, drop column agent,
    alter column user_id set not null,
    alter column created_at set default now(),
    alter column seen_at set default now();
alter table web_user drop column password_at;
