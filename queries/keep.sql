-- name: MismatchedChanges :one
-- MismatchedChanges counts the changes of a revision whose "before" is not what
-- is known: none, or the log would not replay to the state.
select count(*)
from port_change ch
left join port_current c
    on c.host_id = ch.host_id and c.vantage_id = ch.vantage_id and c.protocol = ch.protocol and c.port = ch.port
where ch.rev = $1 and (ch.old_state is distinct from c.state or ch.old_fp is distinct from c.fp);

-- name: EndPorts :exec
-- EndPorts closes the intervals of the ports that changed.
insert into port_history (host_id, vantage_id, protocol, port, state, fp, rev_from, rev_to)
select c.host_id, c.vantage_id, c.protocol, c.port, c.state, c.fp, c.rev_from, ch.rev
from port_change ch
join port_current c
    on c.host_id = ch.host_id and c.vantage_id = ch.vantage_id and c.protocol = ch.protocol and c.port = ch.port
where ch.rev = $1;

-- name: RemovePorts :exec
-- RemovePorts removes the ports that closed.
delete from port_current c using port_change ch
where ch.rev = $1 and ch.new_state is null
  and c.host_id = ch.host_id and c.vantage_id = ch.vantage_id and c.protocol = ch.protocol and c.port = ch.port;

-- name: ChangePorts :exec
-- ChangePorts changes the ports that were there and are. Their approvals stay
-- until they are found to have drifted.
update port_current c set state = ch.new_state, fp = ch.new_fp, rev_from = ch.rev
from port_change ch
where ch.rev = $1 and ch.old_state is not null and ch.new_state is not null
  and c.host_id = ch.host_id and c.vantage_id = ch.vantage_id and c.protocol = ch.protocol and c.port = ch.port;

-- name: AddPorts :exec
-- AddPorts adds the ports that opened, with the banners that they have in the stage.
insert into port_current (host_id, vantage_id, protocol, port, state, fp, rev_from, banner, silent)
select ch.host_id, ch.vantage_id, ch.protocol, ch.port, ch.new_state, ch.new_fp, ch.rev, coalesce(s.banner, ''), coalesce(s.silent, false)
from port_change ch
join rev on rev.id = ch.rev
left join stage_port s on s.run_id = rev.run_id and s.host_id = ch.host_id and s.vantage_id = ch.vantage_id
    and s.protocol = ch.protocol and s.port = ch.port
where ch.rev = $1 and ch.old_state is null and ch.new_state is not null
order by ch.host_id, ch.vantage_id, ch.protocol, ch.port;

-- name: KeepHosts :exec
-- KeepHosts brings state, names and target of the staged hosts up to date and
-- closes the intervals of those that differ; all parts of the statement see the
-- table as it was before. An answer, or a port that was proved open, makes a
-- host up; only a declared change makes it down; a listed host that never
-- answered begins as down. A host that was not scanned at all is not begun.
with said as (
    select distinct on (s.host_id, s.vantage_id) s.host_id, s.vantage_id, s.names, s.target_id,
           bool_or(s.status = 'answered') over (partition by s.host_id, s.vantage_id) as answered,
           bool_or(s.status = 'silent') over (partition by s.host_id, s.vantage_id) as silent
    from stage_host s where s.run_id = sqlc.arg(run_id)
    order by s.host_id, s.vantage_id, cardinality(s.names) desc
), proved as (
    select distinct p.host_id, p.vantage_id
    from stage_host s
    join stage_port p on p.run_id = s.run_id and p.host_id = s.host_id and p.vantage_id = s.vantage_id and p.protocol = s.protocol
    where s.run_id = sqlc.arg(run_id) and s.status <> 'answered' and p.state = 'open'
), wanted as (
    select s.host_id, s.vantage_id,
           case when s.answered or p.host_id is not null then 'up'
                when d.host_id is not null or (c.host_id is null and s.silent) then 'down'
                else c.state end as state,
           case when s.names = '{}' then coalesce(c.names, '{}') else s.names end as names,
           coalesce(s.target_id, c.target_id) as target_id,
           c.host_id is not null as known
    from said s
    left join proved p on p.host_id = s.host_id and p.vantage_id = s.vantage_id
    left join host_current c on c.host_id = s.host_id and c.vantage_id = s.vantage_id
    left join host_change d on d.rev = sqlc.arg(rev) and d.host_id = s.host_id and d.vantage_id = s.vantage_id and d.kind = 'host-down'
), moved as (
    select w.* from wanted w
    join host_current c on c.host_id = w.host_id and c.vantage_id = w.vantage_id
    where (c.state, c.names, c.target_id) is distinct from (w.state, w.names, w.target_id)
), ended as (
    insert into host_history (host_id, vantage_id, state, names, target_id, rev_from, rev_to)
    select c.host_id, c.vantage_id, c.state, c.names, c.target_id, c.rev_from, sqlc.arg(rev)
    from moved m
    join host_current c on c.host_id = m.host_id and c.vantage_id = m.vantage_id
), changed as (
    update host_current c set state = m.state, names = m.names, target_id = m.target_id, rev_from = sqlc.arg(rev)
    from moved m
    where c.host_id = m.host_id and c.vantage_id = m.vantage_id
)
insert into host_current (host_id, vantage_id, state, names, target_id, rev_from)
select w.host_id, w.vantage_id, w.state, w.names, w.target_id, sqlc.arg(rev)
from wanted w
where not w.known and w.state is not null;

-- name: FoldCoverage :exec
-- FoldCoverage writes the ledger of a revision: hosts of which the same is to be
-- said share a row.
insert into coverage (rev, vantage_id, protocol, status, reason, port_set_id, services, hosts)
select sqlc.arg(rev)::bigint, s.vantage_id, s.protocol, s.status, s.reason, s.port_set_id, s.services,
       range_agg(int8range(s.host_id, s.host_id, '[]'))
from stage_host s
where s.run_id = sqlc.arg(run_id)
group by s.vantage_id, s.protocol, s.status, s.reason, s.port_set_id, s.services;

-- name: KeepFiltered :exec
-- KeepFiltered notes of the hosts that answered which ports are filtered, where that
-- is news. KeepHostCoverage has given each of them its row.
with news as (
    select s.host_id, s.vantage_id, s.protocol, s.filtered_set
    from stage_host s
    join host_coverage c on c.host_id = s.host_id and c.vantage_id = s.vantage_id and c.protocol = s.protocol
    where s.run_id = sqlc.arg(run_id) and s.status = 'answered' and s.filtered_set <> c.filtered_set
), changed as (
    update host_coverage c set filtered_set = n.filtered_set
    from news n where c.host_id = n.host_id and c.vantage_id = n.vantage_id and c.protocol = n.protocol
)
insert into filtered (host_id, vantage_id, protocol, rev, filtered_set)
select n.host_id, n.vantage_id, n.protocol, sqlc.arg(rev)::bigint, n.filtered_set
from news n
order by n.host_id, n.vantage_id, n.protocol;

-- name: KeepMACs :exec
-- KeepMACs notes the hardware addresses of hosts that are news.
insert into mac (host_id, vantage_id, rev, mac)
select distinct on (s.host_id, s.vantage_id) s.host_id, s.vantage_id, sqlc.arg(rev)::bigint, s.mac
from stage_host s
where s.run_id = sqlc.arg(run_id) and s.mac <> '' and s.mac is distinct from (
    select m.mac from mac m where m.host_id = s.host_id and m.vantage_id = s.vantage_id order by m.rev desc limit 1)
order by s.host_id, s.vantage_id, s.mac;

-- name: KeepPortNames :exec
-- KeepPortNames notes the names of ports that are news.
insert into port_name (protocol, port, rev, name)
select s.protocol, s.port, sqlc.arg(rev)::bigint, s.name
from stage_port_name s
where s.run_id = sqlc.arg(run_id) and s.name is distinct from (
    select n.name from port_name n where n.protocol = s.protocol and n.port = s.port order by n.rev desc limit 1)
order by s.protocol, s.port;

-- name: MovedPortSets :many
-- MovedPortSets counts the hosts of which other ports were looked at than when
-- they last answered, with the ports that are or were open|filtered there: these
-- were asked for too, and no set has them, for nothing follows from them. The
-- same goes for ports that were doubted and not settled.
with uncertain as (
    select p.host_id, p.vantage_id, p.protocol, p.port from stage_port p
    where p.run_id = sqlc.arg(run_id) and p.state = 'open|filtered'
    union
    select p.host_id, p.vantage_id, p.protocol, p.port from port_change p
    where p.rev = sqlc.arg(rev) and p.old_state = 'open|filtered'
)
select s.protocol, o.ports as old_ports, n.ports as new_ports, count(distinct (s.host_id, s.vantage_id)) as hosts,
    coalesce(array_agg(distinct u.port) filter (where u.port is not null), '{}')::int[] as uncertain
from stage_host s
left join uncertain u on u.host_id = s.host_id and u.vantage_id = s.vantage_id and u.protocol = s.protocol
join host_coverage c on c.host_id = s.host_id and c.vantage_id = s.vantage_id and c.protocol = s.protocol
join port_set o on o.id = c.port_set_id
join port_set n on n.id = s.port_set_id
where s.run_id = sqlc.arg(run_id) and s.status = 'answered' and c.port_set_id <> s.port_set_id
  and not exists (
    select from stage_doubt d where d.run_id = s.run_id and d.host_id = s.host_id and d.vantage_id = s.vantage_id
      and d.protocol = s.protocol and not d.settled)
group by s.protocol, o.id, n.id
order by s.protocol, o.id, n.id;

-- name: KeepHostCoverage :exec
-- KeepHostCoverage notes what was looked at on the hosts that answered, where
-- that is news.
with changed as (
    update host_coverage c set port_set_id = s.port_set_id, services = s.services
    from stage_host s
    where s.run_id = sqlc.arg(run_id) and s.status = 'answered'
      and c.host_id = s.host_id and c.vantage_id = s.vantage_id and c.protocol = s.protocol
      and (c.port_set_id <> s.port_set_id or c.services <> s.services)
      and not exists (
        select from stage_doubt d where d.run_id = s.run_id and d.host_id = s.host_id and d.vantage_id = s.vantage_id
          and d.protocol = s.protocol and not d.settled)
)
insert into host_coverage (host_id, vantage_id, protocol, port_set_id, services)
select s.host_id, s.vantage_id, s.protocol, s.port_set_id, s.services
from stage_host s
where s.run_id = sqlc.arg(run_id) and s.status = 'answered'
  and not exists (select from host_coverage c where c.host_id = s.host_id and c.vantage_id = s.vantage_id and c.protocol = s.protocol);

-- name: AnalyzeState :exec
-- AnalyzeState tells the planner about a large load.
analyze port_current, port_history, port_change, host, host_current, host_coverage, fingerprint;

-- name: Departed :one
-- Departed counts the hosts that the last full run accounted for and that this
-- one was not asked for, with their open ports and those that nobody approved.
with gone as (
    select h.host_id, h.vantage_id from host_current h
    where not exists (
        select from stage_host s
        where s.run_id = sqlc.arg(run_id) and s.host_id = h.host_id and s.vantage_id = h.vantage_id
    ) and exists (
        select from coverage c
        where c.rev >= sqlc.arg(first) and c.rev < sqlc.arg(rev) and c.vantage_id = h.vantage_id and c.hosts @> h.host_id
    )
)
select count(distinct (g.host_id, g.vantage_id)) as hosts, count(p.port) as open,
       count(p.port) filter (where p.approval_id is null) as unapproved
from gone g
left join port_current p on p.host_id = g.host_id and p.vantage_id = g.vantage_id and p.state = 'open';
