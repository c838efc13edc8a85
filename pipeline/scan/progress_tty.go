package scan

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Of the bar: steps it can show, and the least time between two pictures.
const (
	barSteps    = 1000
	barInterval = 100 * time.Millisecond
)

// BarProgress draws a bar on a terminal and clears it at the end. Make it with
// NewBarProgress.
type BarProgress struct {
	w     io.Writer
	now   func() time.Time
	bar   *progressbar.ProgressBar
	total int
	start time.Time
	last  time.Time
}

// NewBarProgress returns a Progress that draws on the terminal w.
func NewBarProgress(w io.Writer, now func() time.Time) *BarProgress {
	return &BarProgress{w: w, now: now}
}

// Start implements Progress.
func (p *BarProgress) Start(hosts int) {
	p.total, p.start, p.last = hosts, p.now(), time.Time{}
	p.bar = progressbar.NewOptions(barSteps,
		progressbar.OptionSetWriter(p.w),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetTheme(progressbar.ThemeUnicode),
	)
	p.Update(0, 0, 0)
}

// Update implements Progress.
func (p *BarProgress) Update(hosts, open int, fraction float64) {
	now := p.now()
	if now.Sub(p.last) < barInterval {
		return
	}
	p.last = now
	text := describe(hosts, p.total, open)
	if left, ok := remaining(now.Sub(p.start), fraction); ok {
		text += ", " + left.String() + " left"
	}
	p.bar.Describe(text)
	_ = p.bar.Set(int(fraction * barSteps)) // a terminal that went away is no fault of the scan
}

// Done implements Progress: the line is empty again.
func (p *BarProgress) Done() {
	_ = p.bar.Clear()
	_ = p.bar.Exit()
}
