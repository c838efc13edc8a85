package persist

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Settle says of the ports that gave no answer either way, as UDP ports do, what
// looking inside tells: open where something listens, closed where nothing does.
// Only complete looks settle anything.
func (b *Book) Settle(ctx context.Context, run state.Run, subjects []state.Subject, looks []state.Look) error {
	verdicts := make(map[string]*settling)
	for i, look := range looks {
		if !look.Complete() {
			continue
		}
		for _, h := range subjects[i].Outside {
			if verdicts[h.Vantage] == nil {
				verdicts[h.Vantage] = &settling{}
			}
			verdicts[h.Vantage].host(h, look.Listeners)
		}
	}
	err := pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		q := b.q.WithTx(tx)
		names, err := vantageNames(ctx, q)
		if err != nil {
			return err
		}
		for vantage, name := range names {
			if s := verdicts[name]; s != nil {
				if err := s.write(ctx, q, run.ID, vantage); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle what gave no answer: %w", err)
	}
	return nil
}

// settling is what the inside view says of the unanswered ports of a vantage.
type settling struct {
	open   []hostPort
	closed []hostPort
	lines  []settledLine
}

// settledLine is what was looked at of a host, with the ports that are settled.
type settledLine struct {
	host     int64
	coverage state.Coverage
	apart    apart
}

func (s *settling) host(h state.Host, listeners []state.Listener) {
	closed := make(map[state.Protocol][]uint16)
	for _, p := range h.Ports {
		if p.State != state.OpenFiltered {
			continue
		}
		if _, found := state.Behind(listeners, h.Address, p.Port); found {
			s.open = append(s.open, hostPort{h.ID, p.Port})
		} else if h.Covered(p.Protocol).Status == state.Answered {
			s.closed = append(s.closed, hostPort{h.ID, p.Port})
			closed[p.Protocol] = append(closed[p.Protocol], p.Number)
		}
	}
	for _, c := range h.Coverage {
		if numbers := closed[c.Protocol]; len(numbers) > 0 {
			c.Ports = c.Ports.Union(state.PortsOf(numbers...))
			s.lines = append(s.lines, settledLine{h.ID, c, apartOf(c, openOver(h.Ports, c.Protocol))})
		}
	}
}

func (s *settling) write(ctx context.Context, q *queries.Queries, run int64, vantage int16) error {
	open := queries.OpenStagedPortsParams{RunID: run, VantageID: vantage}
	open.Hosts, open.Protocols, open.Ports = columns(s.open)
	if err := q.OpenStagedPorts(ctx, open); err != nil {
		return fmt.Errorf("open ports: %w", err)
	}
	closed := queries.DropStagedPortsParams{RunID: run, VantageID: vantage}
	closed.Hosts, closed.Protocols, closed.Ports = columns(s.closed)
	if err := q.DropStagedPorts(ctx, closed); err != nil {
		return fmt.Errorf("closed ports: %w", err)
	}
	if len(s.lines) == 0 {
		return nil
	}
	sets := make([]state.PortSet, 0, 2*len(s.lines))
	for _, l := range s.lines {
		sets = append(sets, l.coverage.Ports, l.apart.set)
	}
	ids, err := portSetIDs(ctx, q, sets)
	if err != nil {
		return err
	}
	lines := queries.ChangeStagedLinesParams{RunID: run, VantageID: vantage}
	for _, l := range s.lines {
		lines.Hosts, lines.Protocols = append(lines.Hosts, l.host), append(lines.Protocols, string(l.coverage.Protocol))
		lines.Statuses, lines.Reasons = append(lines.Statuses, string(l.coverage.Status)), append(lines.Reasons, l.coverage.Reason)
		lines.PortSets, lines.FilteredSets = append(lines.PortSets, ids[l.coverage.Ports.String()]), append(lines.FilteredSets, l.apart.number(ids))
	}
	if err := q.ChangeStagedLines(ctx, lines); err != nil {
		return fmt.Errorf("what was looked at: %w", err)
	}
	return nil
}

// columns takes ports apart for a query.
func columns(list []hostPort) (hosts []int64, protocols []string, ports []int32) {
	for _, at := range list {
		hosts, protocols, ports = append(hosts, at.host), append(protocols, string(at.port.Protocol)), append(ports, int32(at.port.Number))
	}
	return hosts, protocols, ports
}
