package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"ownmap/pipeline/desk"
	"ownmap/pipeline/outbox"
	"ownmap/pipeline/state"
)

// scheduleEvery is how often a process looks whether a scan is due.
const scheduleEvery = 15 * time.Second

// serveSchedule asks for a scan of all targets whenever the schedule says so, until ctx
// ends. Of any number of processes one asks; a time that passed while none was there is
// made up for once. A schedule that is set anew holds at once.
func (h *house) serveSchedule(ctx context.Context) error {
	for {
		if id, err := h.askOnSchedule(ctx); err != nil && ctx.Err() == nil {
			h.log.WarnContext(ctx, "schedule", "error", err)
		} else if id != 0 {
			h.log.InfoContext(ctx, "scan is due", "request", id)
		}
		if outbox.Sleep(ctx, scheduleEvery) != nil {
			return nil //nolint:nilerr // to be stopped is how it ends
		}
	}
}

// askOnSchedule asks for the scan that is due, if one is, and returns its number.
func (h *house) askOnSchedule(ctx context.Context) (int64, error) {
	now, err := h.anew(ctx)
	if err != nil {
		return 0, err
	}
	table, at := now.config.Timetable(), h.app.now()
	if table.IsZero() {
		return 0, nil
	}
	return h.book.AskOnSchedule(ctx, table.String(), table.Last(at), at)
}

// standAside says whether a run that a timer began has nothing to do, because the schedule
// begins the runs; a line tells so.
func (h *house) standAside(ctx context.Context) (bool, error) {
	next, err := desk.NextRun(ctx, h.book, h.config, h.app.now())
	if err != nil || next.Schedule == "" {
		return false, err
	}
	line := "nothing to do: the schedule begins the runs: " + describeNext(next)
	fmt.Fprintln(h.app.stderr, "ownmap: "+line)
	return true, nil
}

// describeNext says what begins the next run and when.
func describeNext(next state.NextRun) string {
	text := fmt.Sprintf("%s (%s), next at %s", next.Schedule, next.Source, next.At.Format("2006-01-02 15:04 MST"))
	if next.Unattended {
		text += "; but no `ownmap serve` looks after it: start one"
	}
	return state.Visible(text)
}

// unattendedError says that scans are due that nobody will begin.
type unattendedError struct{ next state.NextRun }

// Error says which.
func (e *unattendedError) Error() string { return describeNext(e.next) }

// checkSchedule says what begins runs: the schedule, or else systemd's timer, or something
// that we do not know.
func (h *house) checkSchedule(ctx context.Context) (string, error) {
	next, err := desk.NextRun(ctx, h.book, h.config, h.app.now())
	switch {
	case err != nil:
		return "", err
	case next.Unattended:
		return "", &unattendedError{next}
	case next.Schedule != "":
		return describeNext(next) + "; a timer's `ownmap run --timer` stands aside", nil
	}
	return describeTimer(ctx, systemctl), nil
}

// describeTimer says what begins runs where no schedule is set.
func describeTimer(ctx context.Context, ask func(context.Context) (string, error)) string {
	const none = "no schedule is set: "
	out, err := ask(ctx)
	active, next := "", ""
	for line := range strings.Lines(out) { // in an order of systemd's own
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), "="); name {
		case "ActiveState":
			active = value
		case "NextElapseUSecRealtime":
			next = value
		}
	}
	switch {
	case err != nil || active == "":
		return none + "whatever calls `ownmap run` begins the runs"
	case active != "active":
		return none + "whatever calls `ownmap run` begins the runs; systemd's ownmap.timer is " + state.Clean(active) + ": `systemctl enable --now ownmap.timer` has it begin them"
	case next == "":
		return none + "systemd's ownmap.timer begins the runs"
	}
	return none + "systemd's ownmap.timer begins the runs, next at " + state.Clean(next)
}

// systemctl asks systemd for the timer of our unit (systemctl(1), systemd.timer(5)).
func systemctl(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "systemctl", "show", "ownmap.timer", "--property=ActiveState", "--property=NextElapseUSecRealtime").Output()
	return string(out), err
}
