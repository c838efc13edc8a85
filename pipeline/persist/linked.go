package persist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Linked returns what a link to approve leads to: what its message told of each of its
// ports, and what is there now. It fails with state.ErrLinkGone where the link is not good
// any more.
func (b *Book) Linked(ctx context.Context, scope state.LinkScope, now time.Time) (state.Linked, error) {
	var l linked
	err := b.reading(ctx, func(q *queries.Queries) (err error) {
		l, err = findLinked(ctx, q, scope, now)
		return err
	})
	if err != nil {
		return state.Linked{}, fmt.Errorf("link to approve: %w", err)
	}
	return l.Linked, nil
}

// UseLink approves what a link names and awaits approval, bound to what is there now, and
// uses the link up, both or neither. What is there must be what the message told, and what
// whoever approves has seen; else it fails with state.ErrLinkChanged, or with ErrLinkDone
// where all is approved already: with both it returns what is there. With ErrLinkGone the
// link is not good any more; of many who use one at once, all but one get that.
func (b *Book) UseLink(ctx context.Context, use state.LinkUse) (state.Linked, []state.Approval, error) {
	var l linked
	var granted []state.Approval
	err := b.inStateTx(ctx, func(q *queries.Queries) (err error) {
		if l, err = findLinked(ctx, q, use.Scope, use.At); err != nil {
			return err
		}
		if err := l.Err(); err != nil {
			return err
		}
		if l.Seen() != use.Seen {
			return state.ErrLinkChanged
		}
		granted, err = l.use(ctx, use)
		return err
	})
	if err != nil {
		return l.Linked, nil, fmt.Errorf("approve by link: %w", err)
	}
	return l.Linked, granted, nil
}

// linked is where a link leads to, and the host as it is now, to be approved.
type linked struct {
	state.Linked
	now   *view
	hosts []*standing
}

func findLinked(ctx context.Context, q *queries.Queries, scope state.LinkScope, now time.Time) (l linked, err error) {
	row, err := q.ApprovalLink(ctx, queries.ApprovalLinkParams{ID: scope.Links, Now: now, HostID: scope.Host, Ports: scope.PortList()})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return l, state.ErrLinkGone
	case err != nil:
		return l, fmt.Errorf("read its message: %w", err)
	case row.RunID == nil:
		return l, state.ErrLinkGone
	}
	l.Linked = state.Linked{Scope: scope, SentTo: cmp.Or(row.Recipient, row.Channel), Channel: row.Channel, Message: row.MessageID}
	kept, err := keptRun(ctx, q, *row.RunID)
	if err != nil {
		return l, err
	}
	if l.Run, err = reportedRun(kept); err != nil {
		return l, err
	}
	if l.now, err = present(ctx, q); err != nil {
		return l, err
	}
	told := *l.now // the same revisions, read once
	told.rev, told.at = kept.Rev, kept.At
	was, err := told.linkedHosts(ctx, scope.Host, kept.Rev)
	if err != nil {
		return l, err
	}
	base, err := q.LastFullRev(ctx, l.now.rev)
	if err != nil {
		return l, fmt.Errorf("look for the last run of all targets: %w", err)
	}
	if l.hosts, err = l.now.linkedHosts(ctx, scope.Host, base); err != nil {
		return l, err
	}
	l.compare(was)
	if len(l.Ports) == 0 {
		return l, state.ErrLinkGone // a database that is not the one of the message
	}
	return l, nil
}

// linkedHosts returns a host as each vantage sees it, if a run since a revision was asked
// for it: with its ports, their dates, what stands behind them and what was found out.
func (v *view) linkedHosts(ctx context.Context, host, since int64) ([]*standing, error) {
	lines, err := v.ledger(ctx, since, v.rev, hostSet{{host, host}})
	if err != nil {
		return nil, err
	}
	return v.standings(ctx, scope(lines))
}

// compare puts side by side what the message told and what is there now. A port that was
// approved when the message was decided upon was no part of it.
func (l *linked) compare(was []*standing) {
	for _, h := range was {
		i := slices.IndexFunc(l.hosts, func(now *standing) bool { return now.seat == h.seat })
		for _, p := range h.Ports {
			if _, named := slices.BinarySearchFunc(l.Scope.Ports, p.Port, state.Port.Compare); !named || !p.Unapproved() {
				continue
			}
			port := state.LinkedPort{Vantage: h.Vantage, Was: p}
			if i >= 0 {
				if j := slices.IndexFunc(l.hosts[i].Ports, func(now state.PortReport) bool { return now.Port == p.Port }); j >= 0 {
					port.Now = &l.hosts[i].Ports[j]
				}
			}
			l.Ports = append(l.Ports, port)
		}
		l.Host = h.HostReport
	}
	if len(l.hosts) > 0 { // its name and owner of today
		l.Host = l.hosts[0].HostReport
	}
}

// use approves the ports that wait. The row of use decides who of many was first.
func (l *linked) use(ctx context.Context, use state.LinkUse) ([]state.Approval, error) {
	grant := state.Grant{
		Reason: state.Clean(use.Reason), By: state.Clean(l.Author(use.Who)), Via: "mail", Until: use.Until, Scope: state.Scope{Unapproved: true},
		About: use.Who.Actor().Detail,
	}
	maps.Copy(grant.About, map[string]string{"message": l.Message, "channel": l.Channel})
	if use.Who.Role != state.Nobody {
		grant.About["user"] = use.Who.Name
	}
	if grant.Until != nil && !grant.Until.After(l.now.at) {
		return nil, fmt.Errorf("until %s is not in the future", grant.Until.UTC().Format(time.RFC3339))
	}
	used, err := l.now.q.UseApprovalLink(ctx, queries.UseApprovalLinkParams{
		ID: use.Scope.Links, HostID: use.Scope.Host, Ports: use.Scope.PortList(), Now: use.At, UsedBy: grant.By,
	})
	if err != nil {
		return nil, fmt.Errorf("use it up: %w", err)
	}
	if used == 0 {
		return nil, state.ErrLinkGone
	}
	var hosts []*standing
	for _, h := range l.hosts {
		named := *h
		named.ports = nil
		for _, p := range l.Ports {
			if p.Vantage == h.Vantage && p.Waits() {
				named.ports = append(named.ports, standingPort{PortReport: *p.Now})
			}
		}
		hosts = append(hosts, &named)
	}
	granted, _, err := l.now.grant(ctx, grant, wishesOf(hosts))
	return granted, err
}
