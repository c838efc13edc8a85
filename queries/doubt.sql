-- name: DropStagedPorts :exec
-- DropStagedPorts takes ports back that a run saw.
delete from stage_port s
using (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(protocols)::text[]) as protocol, unnest(sqlc.arg(ports)::integer[]) as port) k
where s.run_id = sqlc.arg(run_id) and s.vantage_id = sqlc.arg(vantage_id)
  and s.host_id = k.host_id and s.protocol = k.protocol and s.port = k.port;

-- name: ChangeStagedLines :exec
-- ChangeStagedLines says otherwise what a run looked at.
update stage_host s set status = k.status, reason = k.reason, port_set_id = k.port_set_id, filtered_set = k.filtered_set
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(protocols)::text[]) as protocol,
             unnest(sqlc.arg(statuses)::text[]) as status, unnest(sqlc.arg(reasons)::text[]) as reason,
             unnest(sqlc.arg(port_sets)::bigint[]) as port_set_id,
             unnest(sqlc.arg(filtered_sets)::bigint[]) as filtered_set) k
where s.run_id = sqlc.arg(run_id) and s.vantage_id = sqlc.arg(vantage_id) and s.host_id = k.host_id and s.protocol = k.protocol;

-- name: AddDoubts :exec
-- AddDoubts notes what was taken back.
insert into stage_doubt (run_id, host_id, vantage_id, protocol, port, saw, settled)
select sqlc.arg(run_id), k.host_id, sqlc.arg(vantage_id), k.protocol, k.port, k.saw, k.settled
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(protocols)::text[]) as protocol,
             unnest(sqlc.arg(ports)::integer[]) as port, unnest(sqlc.arg(saws)::text[]) as saw,
             unnest(sqlc.arg(settled)::boolean[]) as settled) k;

-- name: NameStagedPorts :exec
-- NameStagedPorts gives staged ports the services that were detected.
update stage_port s set fp = k.fp, named = true
from (select unnest(sqlc.arg(hosts)::bigint[]) as host_id, unnest(sqlc.arg(protocols)::text[]) as protocol,
             unnest(sqlc.arg(ports)::integer[]) as port, unnest(sqlc.arg(fps)::uuid[]) as fp) k
where s.run_id = sqlc.arg(run_id) and s.vantage_id = sqlc.arg(vantage_id)
  and s.host_id = k.host_id and s.protocol = k.protocol and s.port = k.port and s.state = 'open';
