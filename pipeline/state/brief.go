package state

// Brief is a report without its hosts: what can be told of a run however large the
// network is. Hosts, Trend, Elsewhere and PortNames of its report are empty.
type Brief struct {
	Report

	Open       int // open ports
	Unapproved int // of them without an approval at that time
}

// Verdict is that of the whole report.
func (b Brief) Verdict() string { return b.VerdictOf(b.Unapproved) }

// Mood is that of the whole report.
func (b Brief) Mood() Mood { return b.MoodOf(b.Unapproved) }
