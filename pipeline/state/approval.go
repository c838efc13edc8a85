package state

import (
	"net/netip"
	"time"
)

// EndReason says why an approval ended. Approvals end; they are never deleted.
type EndReason string

// The ways an approval ends.
const (
	EndedRevoked    EndReason = "revoked"    // by a person
	EndedExpired    EndReason = "expired"    // its time was over
	EndedSuperseded EndReason = "superseded" // by a later approval of the same port
	EndedDrifted    EndReason = "drifted"    // something else listens than what was approved
	EndedRule       EndReason = "rule-ended" // the rule that gave it is gone, or does not match any more
)

// Approval is a person's (or a rule's) word that a port may be open. It is
// bound to what was seen when it was given.
type Approval struct {
	ID        int64
	HostID    int64
	Vantage   string // empty: seen from any vantage
	Address   netip.Addr
	Port      Port
	Service   string   // service name at the time, as nmap prints it ("ssl/http")
	Family    string   // product family at the time; empty: any
	Probed    bool     // service and family were seen by service detection
	Process   *Process // that stood behind the port at the time, from the inside view; nil: any
	Reason    string
	By        string     // author; via mail: whom the link was sent to
	Via       string     // cli, web, mail, rule
	GrantedAt time.Time  // UTC
	Until     *time.Time // UTC; nil: no end
	EndedAt   *time.Time // UTC; nil: still good
	EndedBy   string
	EndReason EndReason
	Rule      string // the ID of the rule that gave it; empty: a person did
}

// Behind returns the process that stood behind the port when it was approved; the zero
// Process if none was known.
func (a Approval) Behind() Process { return a.Process.value() }

// Author says who approved: "alice", or "via link sent to alice@example.org" where all that
// is known is whose link it was, "rule of alice" where a rule did for which she answers.
func (a Approval) Author() string {
	switch {
	case a.Via == "mail":
		return "via link sent to " + a.By
	case a.Via == ViaRule && a.By != RuleAuthor:
		return "rule of " + a.By
	}
	return a.By
}

// ByAuthor says the same in a sentence: "was approved by alice", "was approved via link sent
// to alice@example.org".
func (a Approval) ByAuthor() string {
	if a.Via == "mail" {
		return a.Author()
	}
	return "by " + a.Author()
}

// Drifted says whether what listens now is something else than what was
// approved. A version bump is no drift, and neither is a pass that did not look:
// an approval given before service detection ever looked is bound to the port
// alone.
func (a Approval) Drifted(now Service) bool {
	if !a.Probed || !now.Probed {
		return false
	}
	return a.Service != now.String() || (a.Family != "" && a.Family != now.Family())
}

// Usurped says whether another process stands behind the port now than the one
// that was approved. Its hash takes no part: whoever wants that told reads the
// changes.
func (a Approval) Usurped(now Process) bool {
	was := a.Behind()
	was.SHA256, now.SHA256 = "", ""
	return now.Change(was) == ProcessChanged
}

// Pin binds an approval to the service and the process that are seen now.
func (a *Approval) Pin(service Service, process Process) {
	a.Service, a.Family, a.Probed = service.String(), service.Family(), service.Probed
	a.Process = process.Pointer()
}

// Scope selects ports in bulk: for approve, revoke and the lists. Every field
// that is set narrows it; the zero value is everything. To change the approvals
// of a scope that names neither hosts, tags nor ports, All must say that this is
// meant.
type Scope struct {
	All        bool
	Hosts      []string // addresses, prefixes or names of hosts
	Tags       []string // hosts that carry one of the tags
	Ports      []Port
	Filter     *Filter // ports that it selects, as a page shows them; nil: all
	Unapproved bool
	Picks      []Pick  // exactly these ports; none: all
	Approvals  []int64 // to revoke: exactly the approvals of these numbers; none: all
}

// Grant is the wish to approve every port of a scope.
type Grant struct {
	Scope  Scope
	Reason string
	By     string
	Via    string     // cli, web, mail, rule
	Until  *time.Time // nil: no end
	// Digest is Preview.Digest of what the author saw: where the ports of the scope, or
	// what is seen behind them, are others by now, nothing is done. Empty: whatever is there.
	Digest string
	// About is what else the audit is to have of it.
	About map[string]string
	// Rule is the ID of the rule that gives it; empty: a person does.
	Rule string
}
