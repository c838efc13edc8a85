-- name: HostsKnown :many
-- HostsKnown returns every host that was ever known, with the names it has now.
select c.host_id, c.vantage_id, h.address, c.names
from host_current c join host h on h.id = c.host_id
order by h.address, c.vantage_id;

-- name: PortIntervals :many
-- PortIntervals returns when the ports of hosts were open with which service;
-- rev_to is 0 for what is so still.
select host_id, vantage_id, protocol, port, state, fp, rev_from, 0::bigint as rev_to
from port_current c where c.host_id = any (sqlc.arg(hosts)::bigint[])
union all
select host_id, vantage_id, protocol, port, state, fp, rev_from, rev_to
from port_history e where e.host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: HostChangesOfHosts :many
-- HostChangesOfHosts returns all that ever changed of hosts.
select sqlc.embed(c), h.address from host_change c join host h on h.id = c.host_id
where c.host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: PortChangesOfHosts :many
-- PortChangesOfHosts returns all that ever changed of the ports of hosts.
select sqlc.embed(c), h.address from port_change c join host h on h.id = c.host_id
where c.host_id = any (sqlc.arg(hosts)::bigint[]);

-- name: ApprovalsOfHosts :many
-- ApprovalsOfHosts returns all approvals that hosts ever had.
select sqlc.embed(a), h.address from approval a join host h on h.id = a.host_id
where a.host_id = any (sqlc.arg(hosts)::bigint[]);
