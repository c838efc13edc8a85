package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// revokeView asks before it takes approvals back.
type revokeView struct {
	IDs     []int64
	Preview state.Preview
	Rows    approvalRows
	More    string
	Reason  string
	Back    string
	Error   string
	Changed bool // something has changed since it was asked before
}

func (v revokeView) title() string {
	return "Revoke " + counted(v.Preview.Ports, "approval", "approvals")
}
func (revokeView) section() string { return "Approvals" }

// Approvals counts what would be revoked: "12 approvals".
func (v revokeView) Approvals() string { return counted(v.Preview.Ports, "approval", "approvals") }

// Hosts counts where: "4 hosts".
func (v revokeView) Hosts() string { return counted(v.Preview.Hosts, "host", "hosts") }

// askRevoke answers with a page that shows which approvals would be taken back: those of
// numbers, of picked ports, or of what a filter selects. It takes none back.
func (s *server) askRevoke(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	ids, err := idsOf(query["id"])
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		if ids, err = s.approvalsOfPorts(r.Context(), query); err != nil {
			return err
		}
	}
	return s.confirmRevoke(w, r, http.StatusOK, revokeView{IDs: ids, Back: backTo(query.Get("back")), Reason: state.OneLine(query.Get("reason"), maxReason)})
}

// idsOf reads numbers of approvals.
func idsOf(texts []string) ([]int64, error) {
	if len(texts) > state.MaxRows {
		return nil, bad("More than "+number(state.MaxRows)+" approvals were chosen.", "Revoke them in several steps.")
	}
	ids := make([]int64, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = strconv.ParseInt(text, 10, 64); err != nil || ids[i] < 1 {
			return nil, bad("There is no approval "+state.OneLine(text, 40)+".", "")
		}
	}
	return ids, nil
}

// approvalsOfPorts returns the numbers of the approvals of ports that were picked, or that a
// filter selects.
func (s *server) approvalsOfPorts(ctx context.Context, query url.Values) ([]int64, error) {
	sel, err := selectionOf(query)
	if err != nil || sel.empty() {
		return nil, err
	}
	var rows []state.PortRow
	if len(sel.picks) > 0 {
		rows, err = s.Book.Picked(ctx, sel.picks)
	} else {
		var page state.PortPage
		if page, err = s.Book.Ports(ctx, state.PortQuery{Filter: approvedOf(sel.filter), Limit: state.MaxRows}); page.Total > state.MaxRows {
			return nil, bad(number(page.Total)+" approvals match, more than can be revoked at once.", "Narrow the filter, or use ownmap revoke.")
		}
		rows = page.Rows
	}
	var ids []int64
	for _, row := range rows {
		if row.Approved() {
			ids = append(ids, row.Approval.ID)
		}
	}
	return ids, err
}

// approvedOf is a filter that selects only what is approved of what another one does.
func approvedOf(filter state.Filter) state.Filter {
	if speaksOf(filter, state.TermApproval) {
		return filter
	}
	if more, err := state.ParseFilter(filter.String() + " approved"); err == nil {
		return more
	}
	return filter
}

func (s *server) confirmRevoke(w http.ResponseWriter, r *http.Request, status int, v revokeView) error {
	if len(v.IDs) > 0 {
		rows, err := s.Book.ApprovalsOf(r.Context(), v.IDs)
		if err != nil {
			return err
		}
		// Approvals that ended meanwhile are left out; where none is left there is nothing to do.
		v.IDs = nil
		for _, row := range rows {
			v.IDs = append(v.IDs, row.ID)
		}
		if len(v.IDs) > 0 {
			if v.Preview, err = s.Book.PreviewRevoke(r.Context(), state.Scope{Approvals: v.IDs}); err != nil {
				return err
			}
		}
		for _, row := range rows[:min(confirmRows, len(rows))] {
			v.Rows = append(v.Rows, approvalRowOf(row))
		}
		v.More = state.MoreOf(len(v.Rows), len(rows), "approvals")
	}
	return s.show(w, r, status, "revoke", v)
}

// revoke takes back what its page showed.
func (s *server) revoke(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	ids, err := idsOf(strings.Fields(r.PostForm.Get("ids")))
	if err != nil {
		return err
	}
	v := revokeView{IDs: ids, Back: backTo(r.PostForm.Get("back"))}
	if v.Reason, err = field(r, "reason", maxReason); err != nil {
		return err
	}
	grant := state.Grant{
		Scope: state.Scope{Approvals: ids}, Reason: v.Reason, By: identity(r).Name, Via: "web", About: identity(r).Actor().Detail, Digest: r.PostForm.Get("digest"),
	}
	if len(ids) == 0 || grant.Digest == "" {
		v.Error = "Look at what would be revoked first."
		return s.confirmRevoke(w, r, http.StatusUnprocessableEntity, v)
	}
	left, err := s.Book.ApprovalsOf(r.Context(), ids)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		v.Changed = true
		return s.confirmRevoke(w, r, http.StatusConflict, v)
	}
	ended, err := s.Book.Revoke(r.Context(), grant)
	if err != nil {
		if f := s.explain(r, err); f.Status == http.StatusConflict {
			v.Changed = true
			return s.confirmRevoke(w, r, f.Status, v)
		}
		return err
	}
	return s.done(w, r, v.Back, "Revoked the approval of "+portsOn(ended)+".")
}
