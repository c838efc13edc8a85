-- Tamper evidence: each run has a hash over the run before it and over all that it wrote or
-- ended, in a form that can be made again from the same rows at any time. Runs of before
-- there were hashes are part of the first one that has one.

create table run_hash (
    rev      bigint primary key references rev,
    previous bytea,             -- the hash of the run before; null: this is the first
    parts    text[] not null,   -- what it has rows of, as queries/lines.sql has them
    counts   bigint[] not null, -- how many
    digests  bytea[] not null,  -- SHA-256 of their lines
    hash     bytea not null     -- SHA-256 of all this: persist/chain.go
);

-- Which approvals, ends of approvals and lines of the audit are part of which run. They are
-- told by number and not by time: clocks are put back, and a line that was numbered before a
-- run may be committed after it, and so be part of the next.
create table hashed (
    rev  bigint not null references rev,
    what text not null check (what in ('approval', 'end', 'audit')),
    ids  int8multirange not null,
    primary key (rev, what)
);

-- Approvals that ended before the ends had numbers.
update approval a set end_no = nextval('approval_end_no')
from (select id from approval where ended_at is not null and end_no is null order by ended_at, id) e
where a.id = e.id;

---- create above / drop below ----

drop table hashed, run_hash;
