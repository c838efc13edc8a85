-- What the pages of the web need to be quick at a million ports.

-- A number that rises with every transaction that changes the state, an approval, a snooze
-- or a target: whoever has read it knows whether to read again.
alter table book add changes bigint not null default 0;

-- In which order approvals ended; null of those that ended before there was this column.
-- A time would not do: clocks are put back.
create sequence approval_end_no;
alter table approval add end_no bigint;
create index approval_end on approval (end_no) where end_no is not null;
create index approval_drifted on approval (host_id) where end_reason = 'drifted';

create index snooze_until on snooze (until) where ended_at is null;

-- What a run found in figures, as Runs tells it: to count again what was open and approved
-- at a time, all intervals have to be read. Null of runs before there were these columns.
alter table rev
    add open        integer,
    add unapproved  integer,
    add changes     integer,
    add answered    integer,
    add silent      integer,
    add not_scanned integer;

---- create above / drop below ----

alter table rev drop open, drop unapproved, drop changes, drop answered, drop silent, drop not_scanned;
drop index snooze_until, approval_drifted, approval_end;
alter table approval drop end_no;
drop sequence approval_end_no;
alter table book drop changes;
