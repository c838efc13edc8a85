package persist

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// naive is what pages are to show, made of the whole inventory in the plainest way.
type naive struct {
	hosts   []state.HostReport
	rows    []state.PortRow
	snoozes []state.Snooze
	at      time.Time
}

func naively(tb testing.TB, book *Book) naive {
	tb.Helper()
	ctx := tb.Context()
	n := naive{snoozes: must[[]state.Snooze](tb)(book.Snoozes(ctx)), at: must[queries.PresentRow](tb)(book.q.Present(ctx)).At}
	v := must[*view](tb)(present(ctx, book.q))
	base := must[int64](tb)(book.q.LastFullRev(ctx, v.rev))
	last := make(map[string]state.Approval)
	for _, a := range must[[]state.Approval](tb)(book.Approvals(ctx, state.Scope{}, true)) { // newest first
		if key := a.Address.String() + " " + a.Port.String() + " " + a.Vantage; last[key].ID == 0 {
			last[key] = a
		}
	}
	n.hosts = must[[]state.HostReport](tb)(book.Inventory(ctx))
	for _, h := range n.hosts {
		for _, p := range h.Ports {
			p.Findings = nil
			row := state.PortRow{Host: bareHost(h.Host), Tags: h.Tags, Owner: h.Owner, PortReport: p, New: !p.FirstSeen.Before(v.time(base)), Snooze: snoozeOf(n.snoozes, h.ID, p.Port)}
			if a := last[h.Address.String()+" "+p.String()+" "+h.Vantage]; row.Unapproved() && a.ID != 0 {
				if a.EndedAt == nil {
					a.EndReason = state.EndedExpired
				}
				if a.EndReason == state.EndedDrifted || a.EndReason == state.EndedExpired {
					row.Void = &a
				}
			}
			n.rows = append(n.rows, row)
		}
	}
	return n
}

func bareHost(h state.Host) state.Host {
	h.Coverage, h.Ports = nil, nil
	return h
}

func (n naive) selected(f state.Filter) []state.PortRow {
	return slices.DeleteFunc(slices.Clone(n.rows), func(r state.PortRow) bool { return !f.Match(r, n.at) })
}

func (n naive) ports(q state.PortQuery) state.PortPage {
	rows := n.selected(q.Filter)
	var page state.PortPage
	hosts := make(map[string]bool)
	for _, r := range rows {
		hosts[r.Host.Vantage+r.Host.Address.String()] = true
		if r.State == state.Open {
			page.Open++
		}
		if r.Unapproved() {
			page.Unapproved++
		}
	}
	page.Total, page.Hosts = len(rows), len(hosts)
	slices.SortStableFunc(rows, func(a, b state.PortRow) int {
		switch q.Sort {
		case state.ByPort:
			return a.Compare(b.Port)
		case state.ByAge:
			return a.FirstSeen.Compare(b.FirstSeen)
		case state.ByService:
			return strings.Compare(a.Service.String(), b.Service.String())
		case state.ByOwner:
			return strings.Compare(a.Owner, b.Owner)
		case state.ByHost:
		}
		return cmp.Or(state.CompareHosts(a.Host, b.Host), a.Compare(b.Port))
	})
	if q.Descending {
		slices.Reverse(rows)
	}
	page.Rows, page.Page, page.Pages = cut(rows, q.Page, q.Limit)
	return page
}

// cut is a page of rows.
func cut[R any](rows []R, page, limit int) (some []R, at, pages int) {
	pages = max(1, (len(rows)+limit-1)/limit)
	at = min(max(page, 1), pages)
	return rows[(at-1)*limit : min(at*limit, len(rows))], at, pages
}

func (n naive) hostsPage(q state.HostQuery) state.HostPage {
	matching := make(map[string]int)
	for _, r := range n.selected(q.Filter) {
		matching[r.Host.Vantage+r.Host.Address.String()]++
	}
	var rows []state.HostRow
	for _, h := range n.hosts {
		count := matching[h.Vantage+h.Address.String()]
		if !q.Filter.MatchHost(h.Host, h.Tags, h.Owner) || count == 0 && q.Filter.OfPorts() {
			continue
		}
		row := state.HostRow{
			Host: bareHost(h.Host), Tags: h.Tags, Owner: h.Owner, Matching: count, FirstSeen: h.FirstSeen, LastSeen: h.LastSeen, Status: h.Status(),
			Inside: h.Inside, Snooze: snoozeOf(n.snoozes, h.ID, state.Port{}),
		}
		row.Inside.Listeners = nil
		for _, p := range h.Ports {
			if p.State == state.Open {
				row.Open++
			}
			if p.Unapproved() {
				row.Unapproved++
			}
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b state.HostRow) int {
		switch q.Sort {
		case state.HostsByName:
			nameless := func(r state.HostRow) int { return 1 - min(1, len(r.Name())) }
			return cmp.Or(nameless(a)-nameless(b), strings.Compare(strings.ToLower(a.Name()), strings.ToLower(b.Name())))
		case state.HostsByOpen:
			return cmp.Compare(b.Open, a.Open)
		case state.HostsByUnapproved:
			return cmp.Compare(b.Unapproved, a.Unapproved)
		case state.HostsByAge:
			return a.FirstSeen.Compare(b.FirstSeen)
		case state.HostsByOwner:
			return strings.Compare(a.Owner, b.Owner)
		case state.HostsByAddress:
		}
		return state.CompareHosts(a.Host, b.Host)
	})
	if q.Descending {
		slices.Reverse(rows)
	}
	page := state.HostPage{Total: len(rows)}
	page.Rows, page.Page, page.Pages = cut(rows, q.Page, q.Limit)
	return page
}
