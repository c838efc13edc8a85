-- What is set on the web page, one row for each profile, window and exclusion; scans
-- that begin by a schedule; and tests of whether hosts can be reached.

alter table setting
    add name text not null default '',
    drop constraint setting_pkey,
    add primary key (key, name);
create sequence setting_version;
alter table setting add version bigint not null default nextval('setting_version'); -- never the same twice

-- The last time at which the schedule was due. Who moves it on asks for the scan, so that
-- of several processes one does.
create table schedule_due (
    schedule text not null,
    due_at   timestamptz not null,
    seen_at  timestamptz not null, -- when a process last looked
    sole     boolean primary key default true check (sole)
);

-- A test of whether the addresses of a target can be reached and looked inside, and the
-- parts of it: each is done by a worker of its vantage.
create table target_test (
    id       bigint generated always as identity primary key,
    spec     text not null,
    vantage  text not null,
    asked_by text not null,
    via      text not null,
    asked_at timestamptz not null default clock_timestamp()
);
create table target_test_part (
    test_id     bigint not null references target_test on delete cascade,
    work        text not null check (work in ('reach', 'inside')),
    vantage     text not null,
    taken_at    timestamptz,
    finished_at timestamptz,
    steps       jsonb not null default '[]', -- of state.TestStep
    primary key (test_id, work)
);
create index target_test_part_open on target_test_part (vantage, test_id) where finished_at is null;

---- create above / drop below ----

drop table target_test_part, target_test, schedule_due;
delete from setting where name <> '';
alter table setting drop constraint setting_pkey, drop name, drop version, add primary key (key);
drop sequence setting_version;
