-- name: AddTargetTest :one
-- AddTargetTest asks for a test of a target.
insert into target_test (spec, vantage, asked_by, via) values ($1, $2, $3, $4) returning id;

-- name: AddTargetTestPart :exec
-- AddTargetTestPart asks for a part of a test, from a vantage.
insert into target_test_part (test_id, work, vantage) values ($1, $2, $3);

-- name: TakeTargetTest :one
-- TakeTargetTest takes the oldest part of a test that waits for a vantage, or one that a
-- process took that died. What waits too long is not done any more: nobody looks at it.
update target_test_part p set taken_at = clock_timestamp()
from target_test t
where t.id = p.test_id and (p.test_id, p.work) = (
    select o.test_id, o.work from target_test_part o
    join target_test a on a.id = o.test_id
    where o.vantage = sqlc.arg(vantage) and o.finished_at is null and a.asked_at > clock_timestamp() - interval '10 minutes'
        and (o.taken_at is null or o.taken_at < clock_timestamp() - interval '1 minute')
    order by o.test_id, o.work limit 1 for update of o skip locked
)
returning p.test_id, p.work, t.spec, t.vantage, t.asked_by;

-- name: FinishTargetTest :exec
-- FinishTargetTest keeps what a part of a test brought.
update target_test_part set finished_at = clock_timestamp(), steps = $3
where test_id = $1 and work = $2 and finished_at is null;

-- name: TargetTest :many
-- TargetTest returns a test with its parts, in the order in which they are to be read.
select t.id, t.spec, t.vantage, t.asked_by, t.via, t.asked_at, p.work, p.vantage as by_vantage, p.taken_at, p.finished_at, p.steps
from target_test t join target_test_part p on p.test_id = t.id
where t.id = $1 order by p.work desc;

-- name: ForgetTargetTests :exec
-- ForgetTargetTests deletes tests that are older than a week.
delete from target_test where asked_at < now() - interval '7 days';
