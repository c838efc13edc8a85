package state

import (
	"fmt"
	"strings"
	"time"
)

// SettingKey is a key of ownmap.yaml that can be set on the web page too.
type SettingKey string

// The keys that can be set. Of some there are several, each with a name.
const (
	SettingProfile  SettingKey = "profiles" // by the name of the profile
	SettingSchedule SettingKey = "schedule"
	SettingRemind   SettingKey = "remind"
	SettingWindow   SettingKey = "windows" // by the name of the window
	SettingExclude  SettingKey = "exclude" // by the address, prefix or range
)

// SettingKeys returns all of them.
func SettingKeys() []SettingKey {
	return []SettingKey{SettingProfile, SettingSchedule, SettingRemind, SettingWindow, SettingExclude}
}

// Named says whether there are several of a key, each with a name.
func (k SettingKey) Named() bool {
	return k == SettingProfile || k == SettingWindow || k == SettingExclude
}

// Setting is one thing that somebody set on the web page, as it is stored.
type Setting struct {
	Key     SettingKey
	Name    string // empty unless the key is Named
	Value   []byte // JSON, with the keys and values of ownmap.yaml
	Version int64  // another one after each change; 0: nothing is set
	By      string
	At      time.Time
}

// Label says which setting it is, "profiles.web" or "schedule".
func (s Setting) Label() string {
	if s.Name == "" {
		return string(s.Key)
	}
	return string(s.Key) + "." + s.Name
}

// Words says which setting it is to people, "profile web" or "the schedule".
func (s Setting) Words() string {
	switch s.Key {
	case SettingProfile:
		return "profile " + s.Name
	case SettingSchedule:
		return "the schedule"
	case SettingRemind:
		return "when reminders are sent"
	case SettingWindow:
		return "window " + s.Name
	case SettingExclude:
		return "the exclusion of " + s.Name
	}
	return s.Label()
}

// SettingChange is what somebody wants to be set.
type SettingChange struct {
	Key     SettingKey
	Name    string
	Value   []byte // JSON as in Setting; nil: nothing is to be set any more
	Version int64  // of the setting that the change is made to
	By      Actor
}

// Setting returns what is stored of the change.
func (c SettingChange) Setting() Setting {
	return Setting{Key: c.Key, Name: c.Name, Value: c.Value, Version: c.Version, By: c.By.Name}
}

// Source says where something that is in force was set. The zero value is built in.
type Source struct {
	Where string    // "ownmap.yaml:14"; empty: not in the file
	By    string    // who set it on the web page; empty: nobody
	At    time.Time // when
}

// Locked says whether the file sets it: then nobody changes it on the page.
func (s Source) Locked() bool { return s.Where != "" }

// String says it as people read it.
func (s Source) String() string {
	switch {
	case s.Where != "":
		return s.Where
	case s.By != "":
		return fmt.Sprintf("set on the web page by %s on %s", s.By, s.At.Format(time.DateOnly))
	}
	return "built-in"
}

// Settings are all that can be set on the web page, as it is in force.
type Settings struct {
	Profiles []ProfileSetting // by name
	Schedule ScheduleSetting
	Remind   RemindSetting
	Windows  []WindowSetting // those of the file first
	Exclude  []ExcludeSetting
	// What is stored and not in force: the file sets the same, or it is no value (any more).
	Unused []UnusedSetting
}

// Held is what every setting has beside its value.
type Held struct {
	Source  Source
	Version int64 // of what is stored on the page; 0: nothing is
}

// ProfileSetting is a profile in the words of ownmap.yaml.
type ProfileSetting struct {
	Name             string
	Ports, UDP       string
	Services         bool
	Timing           int
	VersionIntensity int
	Scripts          []string
	BuiltIn          bool // there is one of this name without anybody setting it
	Used             int  // targets that are scanned with it
	Held
}

// ScheduleSetting says when scans begin.
type ScheduleSetting struct {
	Words string // empty: whenever something calls `ownmap run`
	Zone  string // time zone of the words
	Held
}

// RemindSetting says when unapproved ports are told again.
type RemindSetting struct {
	Words []string // every-run, never, or ages like 3d, rising
	Held
}

// WindowSetting is a time in which less is said than else.
type WindowSetting struct {
	Name   string
	When   string // cron or iCalendar
	For    string // "4h"
	Quiet  bool
	Tags   []string
	Owners []string
	Hosts  []string
	Held
}

// ExcludeSetting is what is never scanned.
type ExcludeSetting struct {
	Spec   Spec
	Reason string // only on the web page
	Held
}

// UnusedSetting is what somebody set and what is not in force.
type UnusedSetting struct {
	Setting Setting
	Why     []string // at least one
	Broken  bool     // it is no value (any more); else the file sets the same
}

// RefusedError says what is wrong with what somebody typed.
type RefusedError struct{ Reasons []string }

// Error returns the reasons, one a line.
func (e *RefusedError) Error() string { return strings.Join(e.Reasons, "\n") }

// LockedError says that something is set in the config file, which nothing else changes.
type LockedError struct{ What, Where string }

// Error names the thing, the place and the remedy.
func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is set in %s, which the web page does not change: change it there", e.What, e.Where)
}

// ChangedError says that somebody else has changed something since whoever wants to change
// it has seen it.
type ChangedError struct {
	What string
	By   string // empty: it is not there any more
	At   time.Time
}

// Error names the thing, who changed it and the remedy.
func (e *ChangedError) Error() string {
	if e.By == "" {
		return e.What + " is not what you have seen: it was taken away meanwhile; look at it again"
	}
	return fmt.Sprintf("%s was changed by %s at %s, after you had seen it: look at it again", e.What, e.By, e.At.Format("15:04:05 on 2006-01-02"))
}
