// Package desk is where people set what is scanned and how: it holds what they type
// against the config and keeps it in the book. The command line and the web page do so by
// the same rules.
package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// Desk takes what people set. All fields are required.
type Desk struct {
	Book *persist.Book
	File load.Config // of the file alone
	Now  func() time.Time
}

// config returns the config in force: of the file, and what is set on the web page.
func (d *Desk) config(ctx context.Context) (load.Config, error) {
	stored, err := d.Book.Settings(ctx)
	if err != nil {
		return load.Config{}, err
	}
	config, _ := d.File.With(stored) // what is left out of it is told by Settings
	return config, nil
}

// Settings returns everything that can be set on the web page as it is in force.
func (d *Desk) Settings(ctx context.Context) (state.Settings, error) {
	config, err := d.config(ctx)
	if err != nil {
		return state.Settings{}, err
	}
	own, err := d.Book.OwnTargets(ctx)
	if err != nil {
		return state.Settings{}, err
	}
	s := config.Settings()
	for i := range s.Profiles {
		s.Profiles[i].Used = len(users(s.Profiles[i].Name, config.StateTargets(), own))
	}
	return s, nil
}

// users returns the targets that are scanned with a profile.
func users(profile string, lists ...[]state.Target) []state.Target {
	return slices.DeleteFunc(slices.Concat(lists...), func(t state.Target) bool {
		return t.Profile != profile && (t.Profile != "" || profile != state.DefaultProfile)
	})
}

// Set makes a change to what is set on the web page. What is wrong with it is a
// state.RefusedError, what the file sets a state.LockedError, and what somebody else has
// changed meanwhile a state.ChangedError.
func (d *Desk) Set(ctx context.Context, change state.SettingChange) error {
	stored, err := d.Book.Settings(ctx)
	if err != nil {
		return err
	}
	change, err = d.File.Change(stored, change)
	if err != nil {
		return err
	}
	if change.Key == state.SettingProfile && change.Value == nil && d.File.CheckProfile(change.Name) != nil {
		own, err := d.Book.OwnTargets(ctx)
		if err != nil {
			return err
		}
		if using := users(change.Name, own); len(using) > 0 {
			return refused("profile %s is that of %s, such as %s: give them another one first", change.Name, state.Count(len(using), "target", "targets"), using[0].Spec)
		}
	}
	return d.Book.Set(ctx, change)
}

// Upcoming returns the next times at which scans would begin by a schedule in five fields
// of cron.
func (d *Desk) Upcoming(words string) ([]time.Time, error) {
	table, err := d.File.TimetableOf(words)
	if err != nil {
		return nil, err
	}
	var times []time.Time
	for at := d.Now(); len(times) < 3; {
		if at = table.Next(at); at.IsZero() {
			break
		}
		times = append(times, at)
	}
	return times, nil
}

// attended is how long after a process looked after the schedule it counts as there.
const attended = 5 * time.Minute

// NextRun says what begins the next run of all targets, and when.
func (d *Desk) NextRun(ctx context.Context) (state.NextRun, error) {
	config, err := d.config(ctx)
	if err != nil {
		return state.NextRun{}, err
	}
	return NextRun(ctx, d.Book, config, d.Now())
}

// NextRun says what begins the next run by a config, and when.
func NextRun(ctx context.Context, book *persist.Book, config load.Config, now time.Time) (state.NextRun, error) {
	table := config.Timetable()
	if table.IsZero() {
		return state.NextRun{}, nil
	}
	next := state.NextRun{Schedule: table.String(), Source: config.Settings().Schedule.Source, At: table.Next(now), Unattended: true}
	seen, ok, err := book.Scheduled(ctx)
	if err != nil {
		return next, err
	}
	next.Unattended = !ok || now.Sub(seen.SeenAt) > attended
	return next, nil
}

func refused(format string, args ...any) error {
	return &state.RefusedError{Reasons: []string{fmt.Sprintf(format, args...)}}
}
