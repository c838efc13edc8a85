package web

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// selection is which ports are to be approved: some that were picked, or all that a filter
// selects.
type selection struct {
	Filter string // as it was typed
	Picks  []string
	Again  bool // those that are approved already get another approval
	filter state.Filter
	picks  []state.Pick
}

// selectionOf reads what was chosen; nothing is no error.
func selectionOf(values url.Values) (selection, error) {
	sel := selection{Filter: strings.TrimSpace(values.Get("filter")), Picks: values["pick"], Again: values.Get("again") == "true"}
	if len(sel.Picks) > state.MaxRows {
		return sel, bad("More than "+number(state.MaxRows)+" ports were chosen.", "Approve them by a filter.")
	}
	for _, text := range sel.Picks {
		pick, err := parsePick(text)
		if err != nil {
			return sel, err
		}
		sel.picks = append(sel.picks, pick)
	}
	if len(sel.picks) > 0 {
		sel.Filter = ""
		return sel, nil
	}
	var err error
	if sel.filter, err = state.ParseFilter(sel.Filter); err != nil {
		return sel, bad(filterFault(sel.Filter), "")
	}
	return sel, nil
}

// empty says whether nothing was chosen. A filter that selects everything is nothing: all
// that awaits approval is "unapproved".
func (sel selection) empty() bool { return len(sel.picks) == 0 && sel.filter.IsZero() }

// scope is the selection in the words of the book.
func (sel selection) scope() state.Scope {
	if len(sel.picks) > 0 {
		return state.Scope{Picks: sel.picks, Unapproved: !sel.Again}
	}
	filter := sel.filter
	return state.Scope{Filter: &filter, Unapproved: !sel.Again}
}

// selected returns the first ports of a selection, up to a limit, and how many of those
// that were picked are not there any more.
func (s *server) selected(ctx context.Context, sel selection, limit int) (rows []state.PortRow, gone int, err error) {
	if len(sel.picks) > 0 {
		found, err := s.Book.Picked(ctx, sel.picks)
		for _, row := range found {
			if row.State == state.Open && (sel.Again || !row.Approved()) {
				rows = append(rows, row)
			}
			if row.State != state.Open {
				gone++
			}
		}
		return rows[:min(limit, len(rows))], gone + len(sel.picks) - len(found), err
	}
	page, err := s.Book.Ports(ctx, state.PortQuery{Filter: narrowed(sel.filter, sel.Again), Limit: limit})
	return slices.DeleteFunc(page.Rows, func(row state.PortRow) bool { return row.State != state.Open || !sel.Again && row.Approved() }), 0, err
}

// narrowed is a filter that selects only what is approved by it.
func narrowed(filter state.Filter, again bool) state.Filter {
	text := filter.String()
	if !again && !speaksOf(filter, state.TermApproval) {
		text += " unapproved"
	}
	if !speaksOf(filter, state.TermState) {
		text += " state:open"
	}
	if more, err := state.ParseFilter(text); err == nil {
		return more
	}
	return filter // it is as long as filters get
}

// says whether a filter speaks of something.
func speaksOf(filter state.Filter, kind state.TermKind) bool {
	for _, term := range filter.Terms() {
		if term.Kind == kind && !term.Not {
			return true
		}
	}
	return false
}
