package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"ownmap/pipeline/queue"
	"ownmap/pipeline/state"
)

// How often progress is shown: as lines for logs, and as steps of a bar.
const (
	plainInterval = 10 * time.Second
	barSteps      = 1000
)

// progress shows how far a run has come, until it is ended.
type progress interface {
	queue.Progress
	End()
}

// newProgress returns what fits a stream: a bar on a terminal, else lines.
func newProgress(w io.Writer, now func() time.Time) progress {
	if _, tty := terminal(w); tty {
		return &barProgress{w: w, clock: clock{now: now}}
	}
	return &plainProgress{w: w, clock: clock{now: now}}
}

// clock times the kinds of work of a run.
type clock struct {
	now   func() time.Time
	work  state.Work
	begun time.Time
}

// begins says whether a kind of work begins.
func (c *clock) begins(p state.ScanProgress) bool {
	if c.work == p.Work && !c.begun.IsZero() {
		return false
	}
	c.work, c.begun = p.Work, c.now()
	return true
}

// left guesses how long the work still takes, from how long it took so far.
func (c *clock) left(fraction float64) (time.Duration, bool) {
	if fraction < 0.01 || fraction >= 1 {
		return 0, false
	}
	return time.Duration(float64(c.now().Sub(c.begun)) * (1 - fraction) / fraction).Round(time.Second), true
}

// describeProgress says how far a run is.
func describeProgress(p state.ScanProgress) string {
	done := fmt.Sprintf("%d of %s", p.HostsDone, state.Count(p.Hosts, "host", "hosts"))
	switch p.Work {
	case state.WorkConfirm:
		return "asked again " + done
	case state.WorkServices:
		return "named the services of " + done
	case state.WorkInside:
		return "looked inside " + done
	case state.WorkPorts:
	}
	return "scanned " + done + ", " + state.Count(p.Open, "open port", "open ports")
}

// plainProgress writes lines for logs: one at most every ten seconds, and one at
// the end of each kind of work.
type plainProgress struct {
	clock

	w     io.Writer
	last  time.Time
	ended bool // the end of this work was told
}

// Show implements queue.Progress.
func (b *plainProgress) Show(p state.ScanProgress) {
	now := b.now()
	if b.begins(p) {
		b.last, b.ended = b.begun, false
	}
	switch {
	case b.ended:
		return
	case p.Shards == p.ShardsDone:
		b.ended = true
		fmt.Fprintf(b.w, "%s in %s\n", describeProgress(p), now.Sub(b.begun).Round(time.Second))
	case now.Sub(b.last) >= plainInterval:
		line := fmt.Sprintf("%s, %.0f %%", describeProgress(p), 100*p.Fraction)
		if left, ok := b.left(p.Fraction); ok {
			line += ", about " + left.String() + " left"
		}
		fmt.Fprintln(b.w, line)
	default:
		return
	}
	b.last = now
}

// End ends it.
func (b *plainProgress) End() {}

// barProgress draws a bar on a terminal and clears it at the end.
type barProgress struct {
	clock

	w   io.Writer
	bar *progressbar.ProgressBar
}

// Show implements queue.Progress.
func (b *barProgress) Show(p state.ScanProgress) {
	if b.begins(p) {
		b.End()
		b.bar = progressbar.NewOptions(barSteps,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionSetWidth(24),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetTheme(progressbar.ThemeUnicode),
		)
	}
	text := describeProgress(p)
	if left, ok := b.left(p.Fraction); ok {
		text += ", " + left.String() + " left"
	}
	b.bar.Describe(text)
	_ = b.bar.Set(int(p.Fraction * barSteps)) // a terminal that went away is no fault of the scan
}

// End empties the line again.
func (b *barProgress) End() {
	if b.bar == nil {
		return
	}
	_ = b.bar.Clear()
	_ = b.bar.Exit()
}
