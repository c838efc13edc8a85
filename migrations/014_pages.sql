-- What the pages of the web need to tell whether anything has happened since they were
-- made: a number that rises with every transaction that changes the state or an approval.
alter table book add changes bigint not null default 0;

---- create above / drop below ----

alter table book drop changes;
