-- An end of an approval without a number is part of no hash. Rows that have none by now are
-- left to `ownmap verify`, which tells them.

alter table approval add constraint approval_end_numbered check ((ended_at is null) = (end_no is null)) not valid;

---- create above / drop below ----

alter table approval drop constraint approval_end_numbered;
