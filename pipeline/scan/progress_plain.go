package scan

import (
	"fmt"
	"io"
	"time"
)

// plainInterval is the least time between two lines.
const plainInterval = 10 * time.Second

// PlainProgress writes lines for logs: one at most every ten seconds, and one at
// the end. Make it with NewPlainProgress.
type PlainProgress struct {
	w           io.Writer
	now         func() time.Time
	start, last time.Time
	total       int
	hosts, open int
}

// NewPlainProgress returns a Progress that writes lines to w.
func NewPlainProgress(w io.Writer, now func() time.Time) *PlainProgress {
	return &PlainProgress{w: w, now: now}
}

// Start implements Progress.
func (p *PlainProgress) Start(hosts int) {
	p.start = p.now()
	p.last, p.total = p.start, hosts
	p.hosts, p.open = 0, 0
}

// Update implements Progress.
func (p *PlainProgress) Update(hosts, open int, fraction float64) {
	p.hosts, p.open = hosts, open
	now := p.now()
	if now.Sub(p.last) < plainInterval {
		return
	}
	p.last = now
	line := fmt.Sprintf("%s, %.0f %%", describe(hosts, p.total, open), 100*fraction)
	if left, ok := remaining(now.Sub(p.start), fraction); ok {
		line += ", about " + left.String() + " left"
	}
	fmt.Fprintln(p.w, line)
}

// Done implements Progress.
func (p *PlainProgress) Done() {
	fmt.Fprintf(p.w, "%s in %s\n", describe(p.hosts, p.total, p.open), p.now().Sub(p.start).Round(time.Second))
}

// describe says how far a scan is.
func describe(hosts, total, open int) string {
	noun := "open ports"
	if open == 1 {
		noun = "open port"
	}
	return fmt.Sprintf("scanned %d of %d hosts, %d %s", hosts, total, open, noun)
}

// remaining guesses the time left from the time that the work so far took.
func remaining(elapsed time.Duration, fraction float64) (time.Duration, bool) {
	if fraction < 0.01 || fraction >= 1 {
		return 0, false
	}
	return time.Duration(float64(elapsed) * (1 - fraction) / fraction).Round(time.Second), true
}
