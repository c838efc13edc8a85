-- Who scans. A worker is alive while it holds the advisory lock (7, hashtext(id))
-- and was seen within seconds: the lock tells of one that was killed, the time of
-- one that is paused or cut off.

create table worker (
    id         text primary key,
    vantage    text not null,
    version    text not null,
    host       text not null,
    pid        integer not null,
    started_at timestamptz not null default clock_timestamp(),
    seen_at    timestamptz not null default clock_timestamp()
);

---- create above / drop below ----

drop table worker;
