package persist

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// auditLines collects what somebody did in one go.
type auditLines struct {
	actor, via, action string
	how                map[string]string // what else is known of who did it
	subjects, details  []string
}

// auditOf begins the lines of what somebody did.
func auditOf(by state.Actor, action string) auditLines {
	how := make(map[string]string, len(by.Detail))
	for key, value := range by.Detail {
		how[key] = state.Clean(value)
	}
	return auditLines{actor: state.Clean(by.Name), via: by.Via, how: how, action: action}
}

// add adds a line; empty details are left out.
func (l *auditLines) add(subject string, detail map[string]string) error {
	if len(l.how) > 0 {
		all := maps.Clone(l.how)
		maps.Copy(all, detail)
		detail = all
	}
	for key, value := range detail {
		if value == "" {
			delete(detail, key)
		}
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("audit of %s: %w", subject, err)
	}
	l.subjects, l.details = append(l.subjects, subject), append(l.details, string(text))
	return nil
}

// write adds the lines to the audit.
func (l *auditLines) write(ctx context.Context, q *queries.Queries) error {
	if len(l.subjects) == 0 {
		return nil
	}
	err := q.AddAudit(ctx, queries.AddAuditParams{Actor: l.actor, Via: l.via, Action: l.action, Subjects: l.subjects, Details: l.details})
	if err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	return nil
}

// Audit returns the newest lines of the audit, newest first.
func (b *Book) Audit(ctx context.Context, limit int) ([]state.AuditLine, error) {
	rows, err := b.q.Audit(ctx, int32(min(max(limit, 0), math.MaxInt32)))
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return auditOfRows(rows)
}

func auditOfRows(rows []queries.Audit) ([]state.AuditLine, error) {
	list := make([]state.AuditLine, len(rows))
	for i, row := range rows {
		detail, err := auditDetail(row.Detail)
		if err != nil {
			return nil, fmt.Errorf("audit line %d: %w", row.ID, err)
		}
		list[i] = state.AuditLine{
			ID: row.ID, At: row.At, Actor: row.Actor, Via: row.Via, Action: row.Action, Subject: row.Subject, Detail: detail,
		}
	}
	return list, nil
}

// auditDetail reads details: values that are no text show as their JSON, and
// those that are null not at all.
func auditDetail(text []byte) (map[string]string, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	detail := make(map[string]string, len(raw))
	for key, value := range raw {
		var s string
		switch {
		case string(value) == "null":
			continue
		case json.Unmarshal(value, &s) != nil:
			s = string(value)
		}
		detail[key] = s
	}
	return detail, nil
}
