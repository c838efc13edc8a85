package state

// CoverageStatus says what came of looking at a host over one protocol.
type CoverageStatus string

// A port changes only on evidence: of the three only Answered is evidence.
const (
	Answered   CoverageStatus = "answered"    // the host gave a positive answer in this pass
	Silent     CoverageStatus = "silent"      // it was asked and gave none
	NotScanned CoverageStatus = "not_scanned" // it was not asked, or not to the end
)

// Why a host is silent or was not scanned. These are the only reasons, so that
// coverage folds into few rows.
const (
	NoAnswer     = "no answer"
	HostTimeout  = "host timeout"
	ScanFailed   = "scan failed"
	Interrupted  = "interrupted"
	Unresolved   = "name does not resolve"
	NotReachable = "no route"
	OwnSide      = "the scanner's own link is down"
	NotInWindow  = "outside of its scan window"
	NoWorker     = "no worker for its vantage"
	Overdue      = "the run's deadline passed"
)

// Coverage is one line of the ledger of a run: what was looked at on a host
// over one protocol, and what came of it.
type Coverage struct {
	Protocol Protocol
	Status   CoverageStatus
	Reason   string  // one of the reasons above; empty when answered
	Ports    PortSet // the ports with a conclusive answer: open, closed, or filtered on a host that answered
	// Filtered are those of Ports from which nothing came back; what is not among
	// them, and not open, is closed. A port that is open is not meant, in it or not.
	Filtered PortSet
	Apart    bool // Filtered is known; runs of early versions did not keep it
	Services bool // service detection looked at the open ports
}

// Equal says whether two lines of coverage say the same.
func (c Coverage) Equal(d Coverage) bool {
	return c.Protocol == d.Protocol && c.Status == d.Status && c.Reason == d.Reason && c.Services == d.Services && c.Apart == d.Apart &&
		c.Ports.Equal(d.Ports) && c.Filtered.Equal(d.Filtered)
}

// Conclusive says whether the absence of a port from the host's open ports is
// evidence that it is closed.
func (c Coverage) Conclusive(p Port) bool {
	return c.Status == Answered && c.Protocol == p.Protocol && c.Ports.Contains(p.Number)
}

// Totals counts hosts by their status in a run.
type Totals struct {
	Hosts      int `json:"hosts"`
	Answered   int `json:"answered"`
	Silent     int `json:"silent"`
	NotScanned int `json:"not_scanned"`
}

// Add counts one host.
func (t *Totals) Add(s CoverageStatus) {
	t.Hosts++
	switch s {
	case Answered:
		t.Answered++
	case Silent:
		t.Silent++
	case NotScanned:
		t.NotScanned++
	}
}
