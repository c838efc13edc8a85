-- Old runs whose rows are taken away by policy. What runs that are kept still tell stays:
-- a hash of it takes the place of those of the runs that are gone.

alter table rev
    add pruned_at timestamptz, -- null: the report of the run can be made again
    add policy    text not null default '';

-- What was left of all revisions up to one, and its place in the chain of hashes.
create table checkpoint (
    id       bigint generated always as identity primary key,
    rev      bigint not null references rev,
    at       timestamptz not null,
    previous bytea not null,    -- the hash of the newest run when it was made
    parts    text[] not null,   -- as of run_hash
    counts   bigint[] not null,
    digests  bytea[] not null,
    hash     bytea not null
);
alter table run_hash add checkpoint bytea; -- the hash of the newest checkpoint before it; null: there was none

---- create above / drop below ----

alter table run_hash drop checkpoint;
drop table checkpoint;
alter table rev drop policy, drop pruned_at;
