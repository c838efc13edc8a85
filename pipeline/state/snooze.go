package state

import (
	"fmt"
	"net/netip"
	"time"
)

// Snooze is a person's word that a host or one of its ports is not to be spoken of
// until a time. What happens meanwhile is kept and reported, and nobody is alerted or
// reminded. It approves nothing.
type Snooze struct {
	ID      int64
	HostID  int64
	Address netip.Addr
	Name    string // of the host
	Port    Port   // the zero Port: the whole host
	Reason  string
	By      string
	Via     string // cli, web
	Since   time.Time
	Until   time.Time
	EndedAt *time.Time // a person ended it before
	EndedBy string
}

// Covers says whether the snooze is about a port of a host, or about the host itself
// where port is the zero Port.
func (s Snooze) Covers(host int64, port Port) bool {
	return s.HostID == host && (s.Port == (Port{}) || s.Port == port)
}

// Words says what is snoozed, until when and why: "10.20.0.5 (db-1) 22/tcp until
// 2026-12-24 03:00 UTC (waits for the vendor)".
func (s Snooze) Words() string {
	what := Label(s.Name, s.Address)
	if s.Port != (Port{}) {
		what += " " + s.Port.String()
	}
	return fmt.Sprintf("%s until %s (%s)", what, s.Until.Format("2006-01-02 15:04 MST"), s.Reason)
}
