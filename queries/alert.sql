-- name: KeepBanners :exec
-- KeepBanners notes what ports said that were asked for their service since they
-- said something else. A port that should have been asked and was not keeps its
-- old banner, so that it is asked the next time.
update port_current c set banner = s.banner, silent = s.silent
from stage_port s
where s.run_id = sqlc.arg(run_id) and s.banner <> ''
  and c.host_id = s.host_id and c.vantage_id = s.vantage_id and c.protocol = s.protocol and c.port = s.port
  and (c.banner, c.silent) <> (s.banner, s.silent) and (c.banner = '' or s.named or s.silent);

-- name: KeepNamed :exec
-- KeepNamed notes which ports service detection looked at.
update port_current c set named_at = now()
from stage_port s
where s.run_id = sqlc.arg(run_id) and s.named
  and c.host_id = s.host_id and c.vantage_id = s.vantage_id and c.protocol = s.protocol and c.port = s.port;

-- name: KeepFlaps :exec
-- KeepFlaps keeps the doubts that were proved wrong.
insert into flap (rev, host_id, vantage_id, protocol, port, saw)
select sqlc.arg(rev)::bigint, d.host_id, d.vantage_id, d.protocol, d.port, d.saw
from stage_doubt d where d.run_id = sqlc.arg(run_id) and d.settled and d.port > 0;

-- name: CountReturned :one
-- CountReturned counts the hosts that were silent and answered when asked again.
select count(*) from stage_doubt where run_id = $1 and port = 0;

-- name: FlapsOfRev :many
-- FlapsOfRev returns the flaps of a revision, how often each port did so until
-- then, and since which revision.
select f.host_id, f.vantage_id, f.protocol, f.port, f.saw, h.address, count(e.rev) as times, min(e.rev)::bigint as first
from flap f
join host h on h.id = f.host_id
join flap e on e.host_id = f.host_id and e.vantage_id = f.vantage_id and e.protocol = f.protocol and e.port = f.port and e.rev <= f.rev
where f.rev = $1
group by f.host_id, f.vantage_id, f.protocol, f.port, f.rev, h.address;

-- name: SpoofedHosts :many
-- SpoofedHosts returns the hosts that call nearly all ports open.
select host_id, vantage_id, spoofed from stage_host where run_id = $1 and protocol = 'tcp' and spoofed <> '' order by host_id, vantage_id;

-- name: CountOwnSide :one
-- CountOwnSide counts the hosts of which a run says this reason: that the
-- scanner's own link was down.
select count(distinct (host_id, vantage_id)) as hosts, array_agg(distinct v.name)::text[] as vantages
from stage_host s join vantage v on v.id = s.vantage_id
where s.run_id = sqlc.arg(run_id) and s.reason = sqlc.arg(reason);

-- name: LostShards :many
-- LostShards counts the shards of a run that were given up, by vantage and
-- reason.
select vantage, error as reason, count(*) as shards, sum(hosts)::bigint as hosts
from shard where run_id = $1 and error <> '' and work = 'ports'
group by vantage, error order by vantage, error;

-- name: AwayHosts :many
-- AwayHosts returns the hosts that are known as up and did not answer in a run.
select c.host_id, c.vantage_id from host_current c
join (
    select host_id, vantage_id from stage_host where run_id = $1
    group by host_id, vantage_id having not bool_or(status = 'answered')
) s on s.host_id = c.host_id and s.vantage_id = c.vantage_id
where c.state = 'up';

-- name: CountAsked :many
-- CountAsked counts the runs that asked for hosts, up to a revision.
select h.host_id::bigint as host_id, l.vantage_id, count(distinct l.rev)::bigint as runs
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id) h
join coverage l on l.hosts @> h.host_id and l.rev <= sqlc.arg(rev)
group by h.host_id, l.vantage_id;
