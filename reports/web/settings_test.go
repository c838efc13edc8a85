package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// version returns the version of the setting in the form of a page that goes to a path.
func version(t *testing.T, body, action string) string {
	t.Helper()
	found := regexp.MustCompile(`(?s)action="` + action + `[^"]*">\s*<input type="hidden" name="version" value="(\d+)">`).FindStringSubmatch(body)
	if found == nil {
		t.Fatalf("no form to %s:\n%s", action, body)
	}
	return found[1]
}

func TestSchedulePage(t *testing.T) {
	t.Parallel()
	p := start(t, withFile(t, "reports: {time_zone: Europe/Berlin}\n"))
	body := p.get(t, state.Admin, "/settings")
	wants(t, body, "None is set", "Every night at 2:00", "not The next times")
	if v := version(t, body, "/settings/schedule"); v != "0" {
		t.Errorf("version %s", v)
	}
	wants(t, p.get(t, state.Viewer, "/settings"), "None is set", "not Set the schedule")
	// It can be tried, which changes nothing.
	wants(t, p.get(t, state.Admin, "/settings?schedule=0+2+*+*+*"), "By <code>0 2 * * *</code> the next times would be", " 02:00</time> (Europe/Berlin)", `value="0 2 * * *"`)
	wants(t, p.get(t, state.Admin, "/settings?schedule=0+2+*+*"), "expected exactly 5 fields")
	wants(t, p.get(t, state.Admin, "/settings?schedule=TZ%3Dx"), "leave TZ= out")
	if p.rows(t, "select count(*) from setting") != 0 {
		t.Error("what is tried is kept")
	}

	body = p.post(t, "/settings/schedule", 303, url.Values{"schedule": {" 30 2 * * * "}, "version": {"0"}})
	wants(t, body, "✓</span> Scans begin by the schedule 30 2 * * *, the next one at 20", "<code>30 2 * * *</code>", "set on the web page by alice on 20", "nobody looks after it")
	seen := version(t, body, "/settings/schedule")
	wants(t, p.post(t, "/settings/schedule", 422, url.Values{"schedule": {"* * * * *"}, "version": {seen}}), "more often than every 10 minutes", `value="* * * * *"`)
	// Somebody else was quicker.
	other := state.SettingChange{Key: state.SettingSchedule, Value: []byte(`"@daily"`), By: state.Actor{Name: "bob", Via: "web"}}
	list, err := p.book.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other.Version = list[0].Version
	if err := p.book.Set(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	body = p.post(t, "/settings/schedule", 409, url.Values{"schedule": {"0 3 * * *"}, "version": {seen}})
	wants(t, body, "The schedule was changed by bob at ", `value="0 3 * * *"`, "<code>@daily</code>")
	body = p.post(t, "/settings/schedule", 303, url.Values{"schedule": {""}, "version": {version(t, body, "/settings/schedule")}})
	wants(t, body, "No schedule is set", "None is set")
	wants(t, p.post(t, "/settings/schedule", 422, url.Values{"schedule": {"@daily"}}), "It is not said which version")

	locked := start(t, withFile(t, "schedule: '@weekly'\n"))
	wants(t, locked.get(t, state.Admin, "/settings"), "<code>@weekly</code>", "Set in ownmap.yaml:1, changed there", "not Set the schedule")
	wants(t, locked.post(t, "/settings/schedule", 409, url.Values{"schedule": {"@daily"}, "version": {"0"}}), "is set in ownmap.yaml:1")
}

func TestProfilePage(t *testing.T) {
	t.Parallel()
	p := start(t, withFile(t, "profiles: {web: {ports: '80,443'}}\ntargets: [{hosts: 10.0.0.1, profile: web}]\n"))
	wants(t, p.get(t, state.Viewer, "/settings"), "4 profiles", "ownmap.yaml:1", "top-1000", "built in")
	wants(t, p.get(t, state.Admin, "/settings/profile?name=web"), "Set in ownmap.yaml:1, changed there", "1 target is scanned with it", "not <form class=\"form\"")
	wants(t, p.get(t, state.Viewer, "/settings/profile?name=full"), "not <form class=\"form\"", "47808")
	if r, _ := p.ask(t, state.Viewer, http.MethodGet, "/settings/profile?name=nosuch", nil); r.StatusCode != http.StatusNotFound {
		t.Errorf("no such profile: %d", r.StatusCode)
	}
	form := func(name, ports, version string, more ...string) url.Values {
		values := url.Values{"name": {name}, "ports": {ports}, "udp": {"53, 123"}, "services": {"1"}, "timing": {"3"}, "version_intensity": {"2"}, "scripts": {"ssl-cert, ssh-hostkey"}, "version": {version}}
		for i := 0; i+1 < len(more); i += 2 {
			values[more[i]] = []string{more[i+1]}
		}
		return values
	}
	body := p.get(t, state.Admin, "/settings/profile")
	wants(t, body, "New profile", `name="name"`, `value="top-1000"`)
	wants(t, p.post(t, "/settings/profile", 303, form("dns", "22,53", "0", "new", "1")), "Profile dns is set", "5 profiles", "22,53", "yes, 2 scripts")
	for _, c := range []struct{ field, value, want string }{
		{"ports", "0-99999", "Ports of profile evil"},
		{"ports", "-oN /etc/x", "Ports of profile evil"},
		{"udp", "U:x", "Udp of profile evil"},
		{"timing", "9", "a whole number from 0 to 5"},
		{"version_intensity", "-1", "a whole number from 0 to 9"},
		{"scripts", "../../evil.nse", "is not allowed"},
		{"scripts", "default", "is not allowed"},
		{"name", "-oN", "Profile name"},
	} {
		body := p.post(t, "/settings/profile", 422, form("evil", "22", "0", "new", "1", c.field, c.value))
		wants(t, body, c.want, `role="alert"`)
	}
	wants(t, p.post(t, "/settings/profile", 422, form("evil", "22", "0", "timing", "x")), "takes a number")
	wants(t, p.post(t, "/settings/profile", 409, form("web", "22", "0")), "Profile web is set in ownmap.yaml:1")
	if n := p.rows(t, "select count(*) from setting"); n != 1 {
		t.Errorf("%d settings are kept, want 1", n)
	}

	// Two have opened the same page.
	body = p.get(t, state.Admin, "/settings/profile?name=dns")
	seen := version(t, body, "/settings/profile")
	p.post(t, "/settings/profile", 303, form("dns", "53", seen))
	body = p.post(t, "/settings/profile", 409, form("dns", "5353", seen))
	wants(t, body, "Profile dns was changed by alice", `value="5353"`)
	wants(t, p.post(t, "/settings/profile", 303, form("dns", "5353", version(t, body, "/settings/profile"))), "Profile dns is set", "5353")

	// A built-in one is changed and reset, one that a target has stays.
	p.post(t, "/settings/profile", 303, form("quick", "1-10", "0"))
	body = p.get(t, state.Admin, "/settings/profile/remove?name=quick")
	wants(t, body, "Reset profile quick?")
	hidden := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(body)
	wants(t, p.post(t, "/settings/profile/remove", 303, url.Values{"name": {"quick"}, "version": {hidden[1]}}), "Profile quick is not set here any more", "top-100<")
	p.post(t, "/targets", 303, url.Values{"targets": {"10.9.0.1"}, "profile": {"dns"}})
	body = p.get(t, state.Admin, "/settings/profile/remove?name=dns")
	wants(t, body, "It is the profile of 1 target")
	hidden = regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(body)
	wants(t, p.post(t, "/settings/profile/remove", 422, url.Values{"name": {"dns"}, "version": {hidden[1]}}), "give them another one first")
}

func TestRemindAndWindowsPage(t *testing.T) {
	t.Parallel()
	p := start(t, withFile(t, "windows: [{name: night, when: '@daily', for: 8h, quiet: true}]\n"))
	wants(t, p.get(t, state.Admin, "/settings"), "Unapproved ports are told with every run.", "night", "quiet hours", "ownmap.yaml:1", "not Edit<span class=\"unseen\"> night")
	body := p.post(t, "/settings/remind", 303, url.Values{"how": {"ages"}, "ages": {"1d, 3d 7d"}, "version": {"0"}})
	wants(t, body, "told again at ages of 1d, 3d, 7d, and later every week", `value="1d 3d 7d"`, "as it is built in")
	seen := version(t, body, "/settings/remind")
	wants(t, p.post(t, "/settings/remind", 422, url.Values{"how": {"ages"}, "ages": {"3d 1d"}, "version": {seen}}), "does not come after the age before it")
	wants(t, p.post(t, "/settings/remind", 422, url.Values{"how": {"ages"}, "version": {seen}}), "Name ages")
	wants(t, p.post(t, "/settings/remind", 409, url.Values{"how": {"never"}, "version": {"0"}}), "was changed by alice")
	wants(t, p.post(t, "/settings/remind", 303, url.Values{"how": {"default"}, "version": {seen}}), "Unapproved ports are told with every run.")

	window := func(name, when, kind, version string) url.Values {
		return url.Values{"name": {name}, "when": {when}, "for": {"4h"}, "kind": {kind}, "tags": {"prod"}, "version": {version}, "new": {"1"}}
	}
	wants(t, p.get(t, state.Admin, "/settings/window"), "New window", `value="4h"`)
	wants(t, p.post(t, "/settings/window", 303, window("patches", "FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22", "maintenance", "0")), "Window patches is set", "maintenance", "tag:prod", "2 windows")
	wants(t, p.post(t, "/settings/window", 422, window("odd", "0 22 * * 6", "quiet", "0")), "Quiet hours are for all messages", `value="odd"`)
	wants(t, p.post(t, "/settings/window", 422, window("odd", "CRON_TZ=", "maintenance", "0")), "leave TZ= out")
	wants(t, p.post(t, "/settings/window", 409, window("night", "@daily", "maintenance", "0")), "Window night is set in ownmap.yaml:1")
	body = p.get(t, state.Admin, "/settings/window?name=patches")
	wants(t, p.post(t, "/settings/window", 303, window("patches", "0 23 * * 6", "maintenance", version(t, body, "/settings/window"))), "0 23 * * 6")
	body = p.get(t, state.Admin, "/settings/window/remove?name=patches")
	hidden := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(body)
	wants(t, p.post(t, "/settings/window/remove", 303, url.Values{"name": {"patches"}, "version": {hidden[1]}}), "Window patches is not set any more", "1 window<")
}

// TestUnusedSettings holds that what is no value any more is told, and stops nothing.
func TestUnusedSettings(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	if _, err := p.book.Pool().Exec(t.Context(), `insert into setting (key, name, value, set_by) values
		('profiles', 'old', '{"ports": "22", "colour": "<b>red</b>"}', 'alice'), ('colours', '', '{}', 'bob'), ('exclude', '10.0.0.0/8', '{}', 'bob')`); err != nil {
		t.Fatal(err)
	}
	wants(t, p.get(t, state.Viewer, "/settings"), "profiles.old, set by alice, is not in force: unknown key", "colours, set by bob, is not in force", "not <b>red")
	wants(t, p.get(t, state.Viewer, "/targets"), "10.0.0.0/8")
}

func TestSettingsAPI(t *testing.T) {
	t.Parallel()
	p := start(t, withFile(t, "targets: [{hosts: 10.0.0.1}]\nprofiles: {web: {ports: '80'}}\n"))
	kind := []string{"Content-Type", "application/json"}
	for _, test := range []struct {
		method, path, body string
		role               state.Role
		status             int
		says               string
	}{
		{"GET", "/api/v1/targets", "", state.Viewer, 200, `"where": "ownmap.yaml:1"`},
		{"POST", "/api/v1/targets", `{"targets": [{"target": "10.1.0.1", "tags": ["prod"], "ssh": {"look": "on", "port": 2222}}]}`, state.Admin, 200, `"added": 1`},
		{"POST", "/api/v1/targets", `{"targets": [{"target": "10.1.0.2"}, {"target": "0.0.0.0/0"}]}`, state.Admin, 422, "limit 65,536"},
		{"POST", "/api/v1/targets", `{"targets": [{"target": "--script=x"}]}`, state.Admin, 422, "begins with a dash"},
		{"POST", "/api/v1/targets", `{"targets": [{"target": "10.1.0.2", "key_file": "/etc/shadow"}]}`, state.Admin, 400, "unknown field"},
		{"POST", "/api/v1/targets", `{"targets": []}`, state.Admin, 422, "no target in it"},
		{"POST", "/api/v1/targets", `{"targets": [{"target": "10.1.0.2"}]}`, state.Viewer, 403, "may only read"},
		{"GET", "/api/v1/targets", "", state.Viewer, 200, `"port": 2222`},
		{"PUT", "/api/v1/targets/99", `{"target": "10.1.0.1"}`, state.Admin, 409, "is not what you have seen"},
		{"PUT", "/api/v1/targets/1", `{"target": "10.1.0.1", "owner": "bob", "vantage": "moon"}`, state.Admin, 200, "worker --vantage moon"},
		{"DELETE", "/api/v1/targets/1", "", state.Admin, 409, "was taken away meanwhile"},
		{"DELETE", "/api/v1/targets/2", "", state.Admin, 200, `"removed": 2`},
		{"POST", "/api/v1/tests", `{"target": "10.1.0.1"}`, state.Admin, 202, `"id": 1`},
		{"POST", "/api/v1/tests", `{"target": "10.0.0.0/8"}`, state.Admin, 422, "more than 16 addresses"},
		{"GET", "/api/v1/tests/1", "", state.Viewer, 200, `"done": false`},
		{"GET", "/api/v1/tests/2", "", state.Viewer, 404, "no such test"},
		{"GET", "/api/v1/settings", "", state.Viewer, 200, `"source": "ownmap.yaml:2"`},
		{"PUT", "/api/v1/settings", `{"key": "schedule", "value": "0 2 * * *", "version": 0}`, state.Admin, 200, `"words": "0 2 * * *"`},
		{"PUT", "/api/v1/settings", `{"key": "schedule", "value": "0 3 * * *", "version": 0}`, state.Admin, 409, "was changed by alice"},
		{"PUT", "/api/v1/settings", `{"key": "profiles", "name": "web", "value": {"ports": "22"}, "version": 0}`, state.Admin, 409, "Profile web is set in ownmap.yaml:2"},
		{"PUT", "/api/v1/settings", `{"key": "profiles", "name": "x", "value": {"ports": "22", "args": "-oN"}, "version": 0}`, state.Admin, 422, "Unknown key"},
		{"PUT", "/api/v1/settings", `{"key": "targets", "value": [], "version": 0}`, state.Admin, 422, "Unknown setting"},
		{"PUT", "/api/v1/settings", `{"key": "exclude", "name": "10.9.0.0/16", "value": {"reason": "printers"}, "version": 0}`, state.Admin, 200, `"reason": "printers"`},
		{"PUT", "/api/v1/settings", `{"key": "remind", "value": ["never"], "version": 0}`, state.Viewer, 403, "may only read"},
	} {
		response, body := p.send(t, test.role, test.method, test.path, test.body, kind...)
		if response.StatusCode != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s %s %s as %s: %d %s", test.method, test.path, test.body, test.role, response.StatusCode, body)
		}
		if !json.Valid([]byte(body)) || response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: no JSON", test.method, test.path)
		}
	}
}
