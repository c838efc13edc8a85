package load

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

// withFile is what the file says in these tests.
const withFile = `
profiles:
  web: {ports: "80,443"}
  quick: {ports: top-50}
exclude: [10.0.0.1, 10.0.1.0/24]
windows:
  - {name: patches, when: "0 22 * * 6", for: 4h, tags: [prod]}
reports: {time_zone: Europe/Berlin}
`

func setting(label, value string) state.Setting {
	key, name, _ := strings.Cut(label, ".")
	return state.Setting{
		Key: state.SettingKey(key), Name: name, Value: []byte(value), Version: 7, By: "alice", At: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC),
	}
}

// merged returns what is in force, one thing a line with its source.
func merged(c Config) string {
	var lines []string
	line := func(s state.Source, words ...string) {
		lines = append(lines, strings.Join(words, " ")+" | "+s.String())
	}
	s := c.Settings()
	for _, p := range s.Profiles {
		line(p.Source, "profile", p.Name, p.Ports, p.UDP, strings.Join(p.Scripts, " "))
	}
	line(s.Schedule.Source, "schedule", s.Schedule.Words, s.Schedule.Zone)
	line(s.Remind.Source, "remind", strings.Join(s.Remind.Words, " "))
	for _, w := range s.Windows {
		line(w.Source, "window", w.Name, w.When, w.For, strings.Join(w.Tags, " "), strings.Join(w.Hosts, " "))
	}
	for _, e := range s.Exclude {
		line(e.Source, "exclude", e.Spec.String(), e.Reason)
	}
	for _, u := range s.Unused {
		lines = append(lines, "unused "+u.Setting.Label()+": "+strings.Join(u.Why, "; "))
	}
	return strings.Join(lines, "\n")
}

func TestWith(t *testing.T) {
	t.Parallel()
	const page = "set on the web page by alice on 2026-11-28"
	c, err := mustParse(t, withFile).With([]state.Setting{
		setting("exclude.10.0.0.1", `{}`), // the file has it
		setting("exclude.10.9.0.0/16", `{"reason": "printers"}`),
		setting("profiles.web", `{"ports": "1-10"}`),   // so here
		setting("profiles.full", `{"ports": "1-100"}`), // built in
		setting("profiles.dns", `{"ports": "53", "udp": "53", "services": true, "scripts": ["dns-nsid"], "timing": 3}`),
		setting("remind", `["1d", "3d"]`),
		setting("schedule", `"30 1 * * *"`),
		setting("windows.patches", `{"when": "@daily", "for": "1h"}`), // and here
		setting("windows.night", `{"when": "0 20 * * *", "for": "10h", "quiet": true}`),
	})
	if err != nil {
		t.Errorf("a whole page: %v", err)
	}
	want := strings.TrimSpace(`
profile dns 53 53 dns-nsid | ` + page + `
profile full 1-100 ` + fullUDP + `  | ` + page + `
profile quick top-50   | ownmap.yaml:4
profile standard top-1000   | built-in
profile web 80,443   | ownmap.yaml:3
schedule 30 1 * * * Europe/Berlin | ` + page + `
remind 1d 3d | ` + page + `
window patches 0 22 * * 6 4h prod  | ownmap.yaml:7
window night 0 20 * * * 10h   | ` + page + `
exclude 10.0.0.1  | ownmap.yaml:5
exclude 10.0.1.0/24  | ownmap.yaml:5
exclude 10.9.0.0/16 printers | ` + page + `
unused exclude.10.0.0.1: set in ownmap.yaml:5, which wins
unused profiles.web: set in ownmap.yaml:3, which wins
unused windows.patches: set in ownmap.yaml:7, which wins`)
	if diff := cmp.Diff(want, merged(c)); diff != "" {
		t.Errorf("in force (-want +got):\n%s", diff)
	}
	if next := c.Timetable().Next(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)); next.Format(time.RFC3339) != "2026-11-29T01:30:00+01:00" {
		t.Errorf("the next scan is at %s", next)
	}
	var text strings.Builder
	if err := c.Dump(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"schedule: 30 1 * * * # " + page, "remind: [1d, 3d] # " + page, "- 10.9.0.0/16 # " + page, "web: # ownmap.yaml:3", "full: # " + page} {
		if !strings.Contains(text.String(), want+"\n") {
			t.Errorf("config show does not say %q:\n%s", want, text.String())
		}
	}
	if plain := merged(mustParse(t, withFile)); strings.Contains(plain, page) {
		t.Errorf("the config of the file has changed:\n%s", plain)
	}
}

// TestWithoutTheFile holds that empty keys of the file, as in config.example.yaml, leave
// theirs to the page.
func TestWithoutTheFile(t *testing.T) {
	t.Parallel()
	page := []state.Setting{setting("exclude.10.0.0.1", `{}`), setting("schedule", `"@daily"`), setting("windows.a", `{"when": "@daily", "for": "1h"}`)}
	for _, file := range []string{"exclude: []\nschedule: \"\"\nwindows: []\n", "mail: {subject: counts}\n"} {
		c, err := mustParse(t, file).With(page)
		if got := merged(c); err != nil || strings.Count(got, "alice") != 3 || strings.Contains(got, "unused") {
			t.Errorf("%s: %v\n%s", file, err, got)
		}
	}
	c, err := mustParse(t, "exclude: 10.0.0.1\nschedule: '@weekly'\n").With(page)
	if got := merged(c); err != nil || strings.Count(got, "alice") != 1 || !strings.Contains(got, "exclude 10.0.0.1  | ownmap.yaml:1\n") || !strings.Contains(got, "schedule @weekly UTC | ownmap.yaml:2\n") {
		t.Errorf("a file that sets both: %v\n%s", err, got)
	}
}

// TestWithBroken holds that what is no value is left out, by itself, and told.
func TestWithBroken(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct{ value, want string }{
		"profiles.a":            {`{"ports": "0-99999"}`, "ports of profile a: "},
		"profiles.b":            {`{"ports": 22.5}`, "ports of profile b is a number: it takes numbers and ranges"},
		"profiles.c":            {`{"args": "-oN /etc/x"}`, `unknown key "args" in profile c: known are ports, udp`},
		"profiles.d":            {`{"scripts": ["../x.nse"]}`, "scripts of profile d: script"},
		"profiles.e":            {`{"scripts": ["banner"], "services": false}`, "profile e has scripts without service detection"},
		"profiles.f":            {`{"ports": "none"}`, "profile f scans nothing"},
		"profiles.g":            {`[]`, "profile g is a list: it takes keys"},
		"profiles.h":            {`{"timing": "4"}`, "timing of profile h is \"4\": it takes a whole number from 0 to 5"},
		"profiles.i":            {`{"services": null}`, `"services" has no value`},
		"profiles.-x":           {`{}`, `profile name "-x": it takes lower-case letters`},
		"schedule":              {`"0 2 * *"`, "schedule: expected exactly 5 fields"},
		"schedule.x":            {`5`, "schedule is a number: put"},
		"remind":                {`["3d", "1d"]`, "does not come after the age before it"},
		"windows.w":             {`{"when": "TZ=x", "for": "1h"}`, "leave TZ= out"},
		"windows.v":             {`{"when": "@daily"}`, "a window takes name, when and for"},
		"windows.u":             {`{"when": "@daily", "for": "1h", "quiet": true, "tags": ["a"]}`, "quiet hours are for all messages"},
		"windows.t\x1b":         {`{"when": "@daily", "for": "1h"}`, `name "t\x1b": it takes a line`},
		"windows.s":             {`{"name": "other", "when": "@daily", "for": "1h"}`, "name is set twice"},
		"exclude.x.example.org": {`{}`, "is a DNS name: exclude its addresses"},
		"exclude.10.0.0.300":    {`{}`, "10.0.0.300"},
		"exclude.10.0.0.9":      {`{"reason": 5}`, "reason is a number"},
		"exclude.10.0.0.8":      {`{`, "exclude.10.0.0.8: no JSON"},
		"exclude.10.0.0.7":      {`{} {}`, "something follows the value"},
		"profiles.j":            {`"` + strings.Repeat("x", maxSetting) + `"`, "more than 65536 bytes"},
		"colours":               {`{}`, `unknown setting "colours"`},
	} {
		base := mustParse(t, withFile)
		good, _ := base.With([]state.Setting{setting("exclude.10.0.0.2", `{}`)})
		c2, err := base.With([]state.Setting{setting(label, c.value), setting("exclude.10.0.0.2", `{}`)})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "web page: ") {
			t.Errorf("%s %.40s: %v, want %q", label, c.value, err, c.want)
		}
		got, found := strings.CutPrefix(merged(c2), merged(good)+"\nunused "+label+": ")
		if !found || !strings.Contains(got, c.want) {
			t.Errorf("%s %.40s: in force is\n%s", label, c.value, merged(c2))
		}
	}
}

func TestChange(t *testing.T) {
	t.Parallel()
	base := mustParse(t, withFile)
	stored := []state.Setting{setting("profiles.odd", `{"ports": "none"}`)} // broken, and no matter of other changes
	change := func(label, value string) (state.SettingChange, error) {
		key, name, _ := strings.Cut(label, ".")
		c := state.SettingChange{Key: state.SettingKey(key), Name: name, By: state.Actor{Name: "bob", Via: "web"}}
		if value != "" {
			c.Value = []byte(value)
		}
		return base.Change(stored, c)
	}
	for label, value := range map[string]string{
		"profiles.dns": `{"ports": "53"}`, "profiles.full": `{"ports": "all"}`, "profiles.odd": `{"ports": "22"}`, "schedule": `"@daily"`,
		"remind": `["never"]`, "windows.night": `{"when": "@daily", "for": "1h"}`, "exclude.10.7.0.0/16": `{}`, "profiles.gone": "",
	} {
		if _, err := change(label, value); err != nil {
			t.Errorf("%s: %v", label, err)
		}
	}
	if c, err := change("exclude. 10.7.0.0/16 ", `{}`); err != nil || c.Name != "10.7.0.0/16" {
		t.Errorf("an exclusion is called %q, %v", c.Name, err)
	}
	for label, want := range map[string]string{"profiles.web": "ownmap.yaml:3", "windows.patches": "ownmap.yaml:7", "exclude.10.0.0.1": "ownmap.yaml:5"} {
		for _, value := range []string{`{}`, ""} {
			var locked *state.LockedError
			if _, err := change(label, value); !errors.As(err, &locked) || locked.Where != want {
				t.Errorf("%s: %v, want it locked at %s", label, err, want)
			}
		}
	}
	for label, c := range map[string]struct{ value, want string }{
		"profiles.a":  {`{"ports": "0-99999"}`, "ports of profile a"},
		"profiles.":   {`{}`, "the name is missing"},
		"schedule.x":  {`"@daily"`, "schedule has no name"},
		"targets.x":   {`{}`, "unknown setting"},
		"exclude.x.y": {`{}`, "is a DNS name"},
		"exclude.-oN": {`{}`, "-oN"},
		"windows.":    {`{}`, "the name is missing"},
	} {
		var refused *state.RefusedError
		if _, err := change(label, c.value); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", label, err, c.want)
		}
	}
	for range most(state.SettingProfile) {
		stored = append(stored, setting("profiles.x"+time.Duration(len(stored)).String(), `{}`))
	}
	if _, err := change("profiles.more", `{}`); err == nil || !strings.Contains(err.Error(), "the most that there can be") {
		t.Errorf("too many profiles: %v", err)
	}
}
