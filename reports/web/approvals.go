package web

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// approvalsBook is what the pages of approvals need besides the API.
type approvalsBook interface {
	ApprovalList(ctx context.Context, query state.ApprovalQuery) (rows []state.ApprovalRow, more bool, err error)
	ApprovalsOf(ctx context.Context, ids []int64) ([]state.ApprovalRow, error)
	PreviewRevoke(ctx context.Context, scope state.Scope) (state.Preview, error)
	AuditList(ctx context.Context, query state.AuditQuery) (lines []state.AuditLine, more bool, err error)
}

// approvalsView is the list of approvals.
type approvalsView struct {
	Tabs     []navLink
	Show     string // current, drifted, ended
	Host, By string // as typed
	Reason   string
	Reasons  []state.EndReason
	Error    string
	Rows     approvalRows
	Drifted  []driftRow
	Back     string
	Narrowed bool
	Newest   string // leads to the top; empty: here it is
	Older    string // leads on
	Pager    list   // of what drifted
}

func (approvalsView) title() string   { return "Approvals" }
func (approvalsView) section() string { return "Approvals" }

// approvalRow is an approval in a table.
type approvalRow struct {
	state.ApprovalRow

	Label    string
	HostLink string
	Bound    string // what it is bound to
}

func approvalRowOf(a state.ApprovalRow) approvalRow {
	return approvalRow{a, cmp.Or(a.Name, a.Address.String()), hostAddress(a.Address, a.Vantage), boundTo(a.Approval)}
}

// boundTo says what an approval is bound to: "http nginx", "ssh, sshd (root)".
func boundTo(a state.Approval) string {
	if !a.Probed && a.Process == nil {
		return "the port alone"
	}
	parts := []string{strings.TrimSpace(a.Service + " " + a.Family)}
	if process := a.Behind().String(); process != "" {
		parts = append(parts, process)
	}
	return strings.Join(parts, ", ")
}

// driftRow is a port behind which something else is than what was approved.
type driftRow struct {
	portRow
	Was        string // what was approved
	WasProcess string
	Now        string
	NowProcess string
}

// approvals answers with a piece of the list of approvals.
func (s *server) approvals(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	v := approvalsView{Show: query.Get("show"), Host: query.Get("host"), By: query.Get("by"), Reason: query.Get("reason")}
	v.Reasons = []state.EndReason{state.EndedRevoked, state.EndedExpired, state.EndedSuperseded, state.EndedDrifted, state.EndedRule}
	if v.Show != "drifted" && v.Show != "ended" {
		v.Show = "current"
	}
	for _, tab := range [][2]string{{"Current", "current"}, {"Drifted", "drifted"}, {"Ended", "ended"}} {
		show := tab[1]
		if show == "current" {
			show = ""
		}
		v.Tabs = append(v.Tabs, navLink{Label: tab[0], Link: address("/approvals", "show", show), Here: v.Show == tab[1]})
	}
	if v.Show == "drifted" {
		return s.drifted(w, r, v)
	}
	ask, err := v.query(query.Get("after"))
	if err != nil {
		v.Error = s.explain(r, err).Text
		return s.show(w, r, http.StatusBadRequest, "approvals", v)
	}
	rows, more, err := s.Book.ApprovalList(r.Context(), ask)
	if err != nil {
		return err
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, approvalRowOf(row))
	}
	v.Back, v.Narrowed = v.at(query.Get("after")), v.Host != "" || v.By != "" || v.Reason != ""
	if ask.After != (state.Place{}) {
		v.Newest = v.at("")
	}
	if more {
		v.Older = v.at(placeText(rows[len(rows)-1].Place(ask.Ended)))
	}
	return s.show(w, r, http.StatusOK, "approvals", v)
}

// at is the address of a piece of the list.
func (v approvalsView) at(after string) string {
	show := v.Show
	if show == "current" {
		show = ""
	}
	return address("/approvals", "show", show, "host", v.Host, "by", v.By, "reason", v.Reason, "after", after)
}

// query is what is asked of the book.
func (v approvalsView) query(after string) (state.ApprovalQuery, error) {
	q := state.ApprovalQuery{Ended: v.Show == "ended", By: v.By, Limit: pageRows}
	if q.Ended {
		q.Reason = state.EndReason(v.Reason)
	}
	var err error
	if v.Host != "" {
		if q.Host, err = prefixOf(v.Host); err != nil {
			return q, err
		}
	}
	q.After, err = placeOf(after)
	return q, err
}

// prefixOf reads an address or a prefix.
func prefixOf(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return prefix, bad(state.OneLine(text, 60)+" is no address.", "Write 10.20.0.7 or 10.20.0.0/24.")
	}
	return prefix.Masked(), nil
}

// placeText writes a place in a long list, for addresses of ours.
func placeText(p state.Place) string {
	return strconv.FormatInt(p.At.UnixMicro(), 10) + "-" + strconv.FormatInt(p.ID, 10)
}

func placeOf(text string) (p state.Place, err error) {
	if text == "" {
		return p, nil
	}
	at, id, _ := strings.Cut(text, "-")
	micro, err := strconv.ParseInt(at, 10, 64)
	if err == nil {
		p.ID, err = strconv.ParseInt(id, 10, 64)
	}
	if err != nil || micro < 0 || micro > 1<<53 || p.ID < 1 {
		return p, bad("There is no such place in the list.", "Begin at its top.")
	}
	p.At = time.UnixMicro(micro).UTC()
	return p, nil
}

// drifted answers with the ports whose approval is void because something else listens
// than what was approved: that, and what is there now.
func (s *server) drifted(w http.ResponseWriter, r *http.Request, v approvalsView) error {
	v.Pager = listOf(r, "/approvals", "ports")
	filter, err := state.ParseFilter("drifted")
	if err != nil {
		return err
	}
	number, err := numberIn(r, "page", 1, 1, 1_000_000)
	if err != nil {
		return err
	}
	page, err := s.Book.Ports(r.Context(), state.PortQuery{Filter: filter, Page: number, Limit: pageRows})
	if err != nil {
		return err
	}
	v.Pager.Page, v.Pager.Pages, v.Pager.Total = page.Page, page.Pages, page.Total
	if page.Page > 1 {
		v.Newest = address("/approvals", "show", "drifted", "page", strconv.Itoa(page.Page-1))
	}
	if page.Page < page.Pages {
		v.Older = address("/approvals", "show", "drifted", "page", strconv.Itoa(page.Page+1))
	}
	v.Back = address("/approvals", "show", "drifted", "page", strconv.Itoa(page.Page))
	for _, row := range page.Rows {
		v.Drifted = append(v.Drifted, driftOf(row, s.Now()))
	}
	return s.show(w, r, http.StatusOK, "approvals", v)
}

func driftOf(row state.PortRow, now time.Time) driftRow {
	d := driftRow{portRow: rowOf(row, now), Now: row.Service.Summary(), NowProcess: row.Behind().Described()}
	if row.Void != nil {
		d.Was, d.WasProcess = strings.TrimSpace(row.Void.Service+" "+row.Void.Family), row.Void.Behind().Described()
	}
	return d
}
