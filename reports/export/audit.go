package export

import (
	"io"
	"time"

	"ownmap/pipeline/state"
)

// auditJSON is a line of the audit.
type auditJSON struct {
	At      time.Time         `json:"at"`
	Actor   string            `json:"actor"`
	Via     string            `json:"via"`
	Action  string            `json:"action"`
	Subject string            `json:"subject"`
	Detail  map[string]string `json:"detail"`
}

// AuditJSON writes audit lines as one array, in the order given.
func AuditJSON(w io.Writer, lines []state.AuditLine) error {
	all := make([]auditJSON, 0, len(lines))
	for _, l := range lines {
		all = append(all, auditJSON{At: l.At, Actor: l.Actor, Via: l.Via, Action: l.Action, Subject: l.Subject, Detail: l.Detail})
	}
	return write(w, all)
}
