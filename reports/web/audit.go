package web

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"ownmap/pipeline/state"
)

// auditView is the audit.
type auditView struct {
	Actor, Action, Subject string
	Actions                []string // to choose from
	Rows                   []auditRow
	Narrowed               bool
	Newest, Older          string
}

func (auditView) title() string   { return "Audit" }
func (auditView) section() string { return "Approvals" }

// auditRow is a line of the audit.
type auditRow struct {
	state.AuditLine

	Details []auditDetail
}

type auditDetail struct{ Name, Text string }

// auditActions are what is done often enough to choose from.
func auditActions() []string {
	return []string{
		"approve", "revoke", "approval-drifted", "approval-expired", "snooze", "snooze-end", "note", "scan-request", "target-add", "target-remove",
		"delivery-retry", "delivery-drop", "channel-test",
	}
}

// audit answers with a piece of the audit, newest first.
func (s *server) audit(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	v := auditView{Actor: query.Get("actor"), Action: query.Get("action"), Subject: query.Get("subject"), Actions: auditActions()}
	for _, text := range []string{v.Actor, v.Action, v.Subject} {
		if state.OneLine(text, 200) != text {
			return bad("What is searched for has to be a text of one line.", "")
		}
	}
	if v.Action != "" && !slices.Contains(v.Actions, v.Action) {
		v.Actions = append(v.Actions, v.Action)
	}
	before, err := strconv.ParseInt(query.Get("before"), 10, 64)
	if query.Get("before") != "" && (err != nil || before < 1) {
		return bad("There is no such place in the audit.", "Begin at its top.")
	}
	lines, more, err := s.Book.AuditList(r.Context(), state.AuditQuery{Actor: v.Actor, Action: v.Action, Subject: v.Subject, Before: before, Limit: pageRows})
	if err != nil {
		return err
	}
	for _, line := range lines {
		v.Rows = append(v.Rows, auditRowOf(line))
	}
	v.Narrowed = v.Actor != "" || v.Action != "" || v.Subject != ""
	at := func(before string) string {
		return address("/audit", "actor", v.Actor, "action", v.Action, "subject", v.Subject, "before", before)
	}
	if before > 0 {
		v.Newest = at("")
	}
	if more {
		v.Older = at(strconv.FormatInt(lines[len(lines)-1].ID, 10))
	}
	return s.show(w, r, http.StatusOK, "audit", v)
}

func auditRowOf(line state.AuditLine) auditRow {
	row := auditRow{AuditLine: line}
	for _, name := range slices.Sorted(maps.Keys(line.Detail)) {
		row.Details = append(row.Details, auditDetail{name, line.Detail[name]})
	}
	return row
}
