package state

import (
	"net/netip"
	"time"
)

// Import is where a run comes from that OwnMap did not make: what another scanner wrote
// down.
type Import struct {
	File    string `json:"file"`    // its name without folders, cleaned
	Program string `json:"program"` // that made it, cleaned: "nmap 7.93"
	Vantage string `json:"vantage"`
	SHA256  string `json:"sha256"` // of what the file holds, unpacked, in hexadecimal
	// Question is a hash of what was asked, so that a host which one scan mentions and
	// the next that asked the same does not was silent; empty: nothing follows from that.
	Question string `json:"question,omitempty"`
}

// ImportedScan is a finished scan that becomes a run, at its own time.
type ImportedScan struct {
	Import

	StartedAt  time.Time
	FinishedAt time.Time // not before StartedAt
	Scanner    Scanner
	Hosts      []Host // in the order of SortHosts, all of the one vantage, each with its coverage
	PortNames  map[Port]string
	Notes      []string // what a reader should know, cleaned
	Args       string   // the command line, cleaned
	// Left are hosts that scans which asked the same were asked for and this one was not: a
	// name belongs to another address now.
	Left []netip.Addr
}
