package state

import (
	"net/netip"
	"time"
)

// MaxNote is how many characters a note may have.
const MaxNote = 2000

// Note is what somebody wrote about a host, for whoever meets it later. Notes are only
// ever added.
type Note struct {
	ID      int64
	HostID  int64
	Address netip.Addr
	At      time.Time
	By      string
	Text    string // as it was typed, of several lines: to be escaped and made visible by whoever shows it
}
