-- name: AddImportedRun :one
-- AddImportedRun begins a run of what a file says.
insert into run (id, only_hosts, planned, scanner, partial, notes, started_at, import)
select coalesce(max(id), 0) + 1, sqlc.arg(only_hosts), true, sqlc.arg(scanner), sqlc.arg(partial), sqlc.arg(notes), sqlc.arg(started_at), sqlc.arg(import)::jsonb
from run
returning *;

-- name: ImportsOf :many
-- ImportsOf returns the runs that were made of files, as seen from a vantage.
select sqlc.embed(run), rev.id as rev
from run join rev on rev.run_id = run.id
where run.import ->> 'vantage' = sqlc.arg(vantage)::text and run.import ->> 'sha256' = any (sqlc.arg(sums)::text[]);

-- name: UnfinishedRuns :many
-- UnfinishedRuns returns the run that was begun and not persisted, if any.
select id from run where state = 'scanning' for update;

-- name: AskedBefore :many
-- AskedBefore returns the hosts that the last imported scan was asked for which asked the
-- same, with the protocols that they were asked over. It names those that did not answer too,
-- and those before it may name one that is another machine's address now.
select h.address, coalesce(n.names, '{}')::text[] as names, array_agg(distinct c.protocol order by c.protocol)::text[] as protocols
from (
    select c.vantage_id, c.protocol, range_agg(r.r) as hosts
    from rev
    join coverage c on c.rev = rev.id
    cross join lateral unnest(c.hosts) as r (r)
    where rev.id = (
        select max(v.id) from rev v join run q on q.id = v.run_id where q.import ->> 'question' = sqlc.arg(question)::text)
    group by c.vantage_id, c.protocol
) c
cross join lateral unnest(c.hosts) as r (r)
cross join lateral generate_series(lower(r.r), upper(r.r) - 1) as g (host_id)
join host h on h.id = g.host_id
left join host_current n on n.host_id = h.id and n.vantage_id = c.vantage_id
group by h.address, n.names
order by h.address;

-- name: ApprovedLater :one
-- ApprovedLater counts the open ports of some hosts of a vantage whose approval was granted
-- after a time.
select count(*)
from approval a
join port_current p on p.host_id = a.host_id and p.protocol = a.protocol and p.port = a.port and p.approval_id = a.id
where a.ended_at is null and a.granted_at > sqlc.arg(at)::timestamptz
  and p.state = 'open' and p.vantage_id = sqlc.arg(vantage_id) and sqlc.arg(hosts)::int8multirange @> p.host_id;

-- name: NameImported :exec
-- NameImported dates the service detection of the ports of hosts, where nobody has looked
-- since.
update port_current p set named_at = l.at
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(vantages)::smallint[]) as vantage_id,
             unnest(sqlc.arg(ats)::timestamptz[]) as at) l, fingerprint f
where p.host_id = l.host_id and p.vantage_id = l.vantage_id and f.id = p.fp and f.probed
  and (p.named_at is null or p.named_at < l.at);
