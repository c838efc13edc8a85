-- name: CountUp :exec
-- CountUp notes that the state, an approval or a snooze is another one from now on.
update book set changes = changes + 1;

-- name: PageVersion :one
-- PageVersion returns what pages are made of: the number of changes, and how many approvals
-- and snoozes are over that nobody has ended yet.
select b.changes,
       (select count(*) from approval a where a.ended_at is null and a.expires_at <= clock_timestamp())::bigint as expired,
       (select count(*) from snooze s where s.ended_at is null and s.until <= clock_timestamp())::bigint as awake
from book b;

-- name: SeatsOfAddress :many
-- SeatsOfAddress returns the host of an address, from each vantage that knows it.
select c.host_id, c.vantage_id from host h join host_current c on c.host_id = h.id where h.address = sqlc.arg(address)::inet;
