-- Runs that OwnMap did not make itself: what it was told that another scanner saw, from a
-- file. Null of OwnMap's own.
alter table run add import jsonb; -- state.Import
create unique index run_import on run ((import ->> 'vantage'), (import ->> 'sha256')) where import is not null;
create index run_question on run ((import ->> 'question')) where import is not null;

---- create above / drop below ----

drop index run_question, run_import;
alter table run drop import;
