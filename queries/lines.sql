-- What runs wrote and ended, as lines of text that hashes are made of: queries/lines.go reads
-- them one by one. A line has all that a report reads of a row and nothing that is written
-- later: what ends it is a line of its own. It is a row as PostgreSQL writes it (row_out), of
-- types whose text no setting changes: times are microseconds since 1970. The parameters are
-- the revision after which and the one up to which, and the first one that has a hash, which
-- stands for all before it: their lines begin with their own revision. Lines come sorted by
-- themselves.

-- name: RunLines :many
-- RunLines has a line for each run that kept a state.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select v.id as rev, row(v.id, r.id, r.only_hosts, r.scanner, r.baseline, r.partial, r.notes, r.alerts, r.pace, r.error,
           (extract(epoch from r.started_at) * 1000000)::bigint, (extract(epoch from r.finished_at) * 1000000)::bigint, (extract(epoch from v.at) * 1000000)::bigint,
           v.open, v.unapproved, v.changes, v.answered, v.silent, v.not_scanned, r.import)::text as line
    from rev v join run r on r.id = v.run_id
    where v.id > $1::bigint and v.id <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: HostLines :many
-- HostLines has a line for each host that became as it is or was, and for each end of that.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev_from as rev, row('+', c.host_id, host(h.address), c.vantage_id, v.name, c.state, c.names, c.target_id, t.spec, t.tags, t.owner)::text as line
    from (
        select host_id, vantage_id, state, names, target_id, rev_from from host_current
        union all
        select host_id, vantage_id, state, names, target_id, rev_from from host_history
    ) c
    left join host h on h.id = c.host_id
    left join vantage v on v.id = c.vantage_id
    left join target t on t.id = c.target_id
    where c.rev_from > $1::bigint and c.rev_from <= $2::bigint
    union all
    select e.rev_to, row('-', e.host_id, e.vantage_id, e.rev_from)::text
    from host_history e where e.rev_to > $1::bigint and e.rev_to <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: HostChangeLines :many
-- HostChangeLines has a line for each change of a host.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.host_id, c.vantage_id, c.kind, c.was, c.now)::text as line
    from host_change c where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: PortLines :many
-- PortLines has a line for each port that became as it is or was, with what stood behind it,
-- and for each end of that.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev_from as rev, row('+', c.host_id, c.vantage_id, c.protocol, c.port, c.state, c.fp,
           f.service, f.product, f.version, f.extra_info, f.tunnel, f.cpe, f.probed)::text as line
    from (
        select host_id, vantage_id, protocol, port, state, fp, rev_from from port_current
        union all
        select host_id, vantage_id, protocol, port, state, fp, rev_from from port_history
    ) c
    left join fingerprint f on f.id = c.fp
    where c.rev_from > $1::bigint and c.rev_from <= $2::bigint
    union all
    select e.rev_to, row('-', e.host_id, e.vantage_id, e.protocol, e.port, e.rev_from)::text
    from port_history e where e.rev_to > $1::bigint and e.rev_to <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: PortChangeLines :many
-- PortChangeLines has a line for each change of a port.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.host_id, c.vantage_id, c.protocol, c.port, c.kind, c.old_state, c.old_fp, c.new_state, c.new_fp)::text as line
    from port_change c where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: CoverageLines :many
-- CoverageLines has a line for each row of the ledger.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.vantage_id, c.protocol, c.status, c.reason, encode(sha256(convert_to(s.ports, 'UTF8')), 'hex'), c.services, c.hosts)::text as line
    from coverage c left join port_set s on s.id = c.port_set_id
    where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: FilteredLines :many
-- FilteredLines has a line for each note of which ports of a host are filtered.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.host_id, c.vantage_id, c.protocol, c.filtered_set > 0, encode(sha256(convert_to(s.ports, 'UTF8')), 'hex'))::text as line
    from filtered c left join port_set s on s.id = abs(c.filtered_set)
    where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: MACLines :many
-- MACLines has a line for each hardware address.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.host_id, c.vantage_id, c.mac)::text as line
    from mac c where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: PortNameLines :many
-- PortNameLines has a line for each name of a port.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.protocol, c.port, c.name)::text as line
    from port_name c where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: FlapLines :many
-- FlapLines has a line for each flap.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.host_id, c.vantage_id, c.protocol, c.port, c.saw)::text as line
    from flap c where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: ListenerLines :many
-- ListenerLines has a line for each listener that became as it is or was, with the process
-- behind it, and for each end of that.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev_from as rev, row('+', c.host_id, c.protocol, c.port, c.bind, c.only_v6, c.process,
           p.exe, p.os_user, p.unit, p.container, p.package, p.sha256)::text as line
    from (
        select host_id, protocol, port, bind, only_v6, process, rev_from from listener_current
        union all
        select host_id, protocol, port, bind, only_v6, process, rev_from from listener_history
    ) c
    left join process p on p.id = c.process
    where c.rev_from > $1::bigint and c.rev_from <= $2::bigint
    union all
    select e.rev_to, row('-', e.host_id, e.protocol, e.port, e.bind, e.rev_from)::text
    from listener_history e where e.rev_to > $1::bigint and e.rev_to <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: ListenerChangeLines :many
-- ListenerChangeLines has a line for each change of a listener.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.host_id, c.protocol, c.port, c.bind, c.kind, c.old_process, c.new_process, c.old_bind, c.before, c.after, c.only_v6)::text as line
    from listener_change c where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: ListenerCoverageLines :many
-- ListenerCoverageLines has a line for each row of the ledger of the inside view.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row(c.status, c.reason, c.hosts)::text as line
    from listener_coverage c where c.rev > $1::bigint and c.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: FindingLines :many
-- FindingLines has a line for each finding, and for each end of one.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select c.rev, row('+', c.host_id, c.vantage_id, c.protocol, c.port, c.kind, c.severity, c.detail)::text as line
    from finding c where c.rev > $1::bigint and c.rev <= $2::bigint
    union all
    select c.rev_to, row('-', c.host_id, c.vantage_id, c.protocol, c.port, c.kind, c.rev)::text
    from finding c where c.rev_to > $1::bigint and c.rev_to <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: ApprovalLines :many
-- ApprovalLines has a line for each approval, and for each end of one.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select k.rev, row('+', a.id, a.host_id, host(h.address), a.vantage_id, a.protocol, a.port, a.service, a.family, a.probed,
           a.exe, a.os_user, a.unit, a.container, a.package, a.reason, a.granted_by, a.via, a.rule,
           (extract(epoch from a.granted_at) * 1000000)::bigint, (extract(epoch from a.expires_at) * 1000000)::bigint)::text as line
    from hashed k
    cross join lateral unnest(k.ids) as r (r)
    join approval a on a.id >= lower(r.r) and a.id < upper(r.r)
    left join host h on h.id = a.host_id
    where k.what = 'approval' and k.rev > $1::bigint and k.rev <= $2::bigint
    union all
    select k.rev, row('-', a.id, (extract(epoch from a.ended_at) * 1000000)::bigint, a.ended_by, a.end_reason)::text
    from hashed k
    cross join lateral unnest(k.ids) as r (r)
    join approval a on a.end_no >= lower(r.r) and a.end_no < upper(r.r)
    where k.what = 'end' and k.rev > $1::bigint and k.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;

-- name: AuditLines :many
-- AuditLines has a line for each line of the audit.
select greatest(l.rev, $3::bigint)::bigint as rev, (case when l.rev < $3::bigint then l.rev || ' ' else '' end || l.line)::text as line
from (
    select k.rev, row(a.id, (extract(epoch from a.at) * 1000000)::bigint, a.actor, a.via, a.action, a.subject, a.detail)::text as line
    from hashed k
    cross join lateral unnest(k.ids) as r (r)
    join audit a on a.id >= lower(r.r) and a.id < upper(r.r)
    where k.what = 'audit' and k.rev > $1::bigint and k.rev <= $2::bigint
) l
order by 1, l.line collate "C", l.rev;
