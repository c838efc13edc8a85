package state

import (
	"net/netip"
	"time"
)

// ApprovalQuery asks for a piece of the list of approvals, newest first.
type ApprovalQuery struct {
	Ended  bool         // those that ended, by when they did; else those that have not, by when they were given
	Reason EndReason    // with Ended: only those that ended so; empty: all
	Host   netip.Prefix // only of these hosts; the zero Prefix: of all
	By     string       // only those given by this author; empty: by anybody
	After  Place        // the last row of the piece before; the zero Place: from the top
	Limit  int
}

// Place is a place in a long list that is sorted by time and number.
type Place struct {
	At time.Time
	ID int64
}

// ApprovalRow is an approval as a table of many hosts shows it.
type ApprovalRow struct {
	Approval
	Name  string // of the host
	Owner string // of the host's target
	Open  bool   // the port is open still, as the vantage sees it
}

// Place returns where the row stands.
func (r ApprovalRow) Place(ended bool) Place {
	if ended && r.EndedAt != nil {
		return Place{*r.EndedAt, r.ID}
	}
	return Place{r.GrantedAt, r.ID}
}

// AuditQuery asks for a piece of the audit, newest first.
type AuditQuery struct {
	Actor   string
	Action  string
	Subject string // an address: what was done to that host; else what subjects begin with
	Before  int64  // the number of the last line of the piece before; 0: from the top
	Limit   int
}
