-- name: DeliveriesWaiting :one
-- DeliveriesWaiting counts the messages that are not sent: those that are still
-- tried, and those that were refused for good.
select count(*) filter (where parked_at is null) as waiting, count(*) filter (where parked_at is not null) as parked
from delivery where sent_at is null;
