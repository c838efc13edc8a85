package state

import "time"

// AuditLine is one line of the audit: who did what, to what and when. Lines are
// only ever added.
type AuditLine struct {
	ID      int64
	At      time.Time // UTC
	Actor   string
	Via     string            // cli, web, mail, rule, run
	Action  string            // approve, revoke, target-add, target-remove, approval-expired, approval-drifted
	Subject string            // "10.0.0.7 22/tcp", "10.0.0.0/24"
	Detail  map[string]string // what else belongs to it
}
