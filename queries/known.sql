-- name: KnownStates :many
-- KnownStates returns what is known of addresses from a vantage: whether each was
-- up, and whether it ever was.
select h.id, h.address, coalesce(c.state = 'up', false)::boolean as up,
       (coalesce(c.state = 'up', false) or exists (
           select from host_history o where o.host_id = h.id and o.vantage_id = sqlc.arg(vantage_id) and o.state = 'up'))::boolean as answered
from host h
left join host_current c on c.host_id = h.id and c.vantage_id = sqlc.arg(vantage_id)
where h.address = any (sqlc.arg(addresses)::inet[]);

-- name: KnownPorts :many
-- KnownPorts returns the ports that are known of hosts from a vantage.
select host_id, protocol, port, state, fp, banner, silent
from port_current where vantage_id = sqlc.arg(vantage_id) and host_id = any (sqlc.arg(hosts)::bigint[])
order by host_id, port, protocol;

-- name: StagedPorts :many
-- StagedPorts returns the ports that a run has seen of hosts from a vantage.
select host_id, protocol, port, state, fp, banner, silent
from stage_port where run_id = sqlc.arg(run_id) and vantage_id = sqlc.arg(vantage_id) and host_id = any (sqlc.arg(hosts)::bigint[])
order by host_id, port, protocol;

-- name: StagedLines :many
-- StagedLines returns what a run looked at of hosts from a vantage.
select host_id, protocol, status, reason, port_set_id, filtered_set
from stage_host where run_id = sqlc.arg(run_id) and vantage_id = sqlc.arg(vantage_id) and host_id = any (sqlc.arg(hosts)::bigint[])
order by host_id, protocol;

-- name: DuePorts :many
-- DuePorts returns the open ports that a run should detect the service of: those
-- that are new or whose service is not known, those whose banner differs, and
-- those that have a name which nobody checked for two to four weeks, each port on a
-- day of its own. Ports that say nothing have no turn: they cost minutes each.
select h.address, v.name as vantage, s.protocol, s.port, s.silent
from stage_port s
join host h on h.id = s.host_id
join vantage v on v.id = s.vantage_id
left join port_current c on c.host_id = s.host_id and c.vantage_id = s.vantage_id and c.protocol = s.protocol and c.port = s.port
left join fingerprint f on f.id = c.fp
where s.run_id = sqlc.arg(run_id) and s.state = 'open' and (
    c.host_id is null or c.state <> 'open' or not f.probed
    or (s.banner <> '' and c.banner <> '' and s.banner <> c.banner)
    or (not s.silent and (f.product <> '' or f.version <> '' or f.extra_info <> '' or f.tunnel <> '' or f.cpe <> '{}')
        and coalesce(c.named_at, '-infinity') < now() - (14 + (s.host_id * 3 + s.port) % 15) * interval '1 day')
)
order by v.name collate "C", h.address, s.port, s.protocol;
