package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/desk"
	"ownmap/pipeline/lab"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// TestConfigShowSaysWhere holds that the config in force is shown with where each key was
// set, and that a database that is not there yet is not made for it.
func TestConfigShowSaysWhere(t *testing.T) {
	t.Parallel()
	c := newClockwork(t, lab.Database(t), "targets: [{hosts: 127.0.0.1}]\nexclude: [10.0.0.1]\n", "2026-11-28T12:00:00Z")
	for _, set := range []struct {
		key         state.SettingKey
		name, value string
	}{
		{state.SettingProfile, "dns", `{"ports": "53"}`},
		{state.SettingExclude, "10.0.0.2", `{}`},
		{state.SettingRemind, "", `["1d", "3d"]`},
		{state.SettingSchedule, "", `"0 2 * * *"`},
		{state.SettingWindow, "night", `{"when": "@daily", "for": "8h", "quiet": true}`},
	} {
		if err := c.change(t, set.key, set.name, set.value); err != nil {
			t.Fatal(err)
		}
	}
	config, err := c.app.shownConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := config.Dump(&text); err != nil {
		t.Fatal(err)
	}
	by := "# set on the web page by alice on " + time.Now().UTC().Format(time.DateOnly)
	for _, want := range []string{
		"  - 10.0.0.1 # ownmap.yaml:3", "  - 10.0.0.2 " + by, "  dns: " + by, "remind: [1d, 3d] " + by, "schedule: 0 2 * * * " + by, "    quiet: true\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("config show does not say %q:\n%s", want, text.String())
		}
	}
	// Read back it is the same config, and all of it is the file's.
	again, err := load.Parse("ownmap.yaml", []byte(regexp.MustCompile(`(?m)^  url: .*$`).ReplaceAllString(text.String(), "  url: \"\"")), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if s := again.Settings(); s.Schedule.Words != "0 2 * * *" || !s.Schedule.Source.Locked() || len(s.Windows) != 1 || len(s.Exclude) != 2 {
		t.Errorf("read back: %+v", s)
	}
	alone := &app{stderr: t.Output(), env: func(string) string { return "" }, now: time.Now, stateDir: t.TempDir() + "/state", configFile: c.file.Source()}
	alone.env = func(name string) string { return map[string]string{"DATABASE_URL": ""}[name] }
	if _, err := alone.shownConfig(t.Context()); err == nil {
		t.Error("a config whose variable is missing is shown")
	}
}

// TestBrokenSettingStopsNothing has a night with settings that are no value any more, as
// after an upgrade: the rest holds, and the report says what was left out.
func TestBrokenSettingStopsNothing(t *testing.T) {
	t.Parallel()
	i := newInstance(t, "database: {url: \"${DATABASE_URL}\"}\ntargets: [{hosts: 127.9.31.1, profile: few}]\nprofiles: {few: {ports: \"20701\", services: false}, standard: {ports: \"20702\", services: false}}\n")
	i.run(t, 2, "192.0.2.9") // no target has it: the schema is made and nothing else
	conn := i.connect(t)
	for _, sql := range []string{
		`insert into setting (key, name, value, set_by) values ('profiles', 'gone', '{"ports": "22", "colour": "red"}', 'alice'), ('exclude', 'web.example.org', '{}', 'alice'),
			('exclude', '127.9.31.3', '{}', 'alice'), ('remind', '', '"sometimes"', 'alice'), ('colours', '', '1', 'alice')`,
		`insert into target (spec, profile, origin) values ('127.9.31.2', 'gone', 'web'), ('127.9.31.3', '', 'web')`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	out, stderr, code := i.call(t, "run", "--json")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	for _, want := range []string{
		"warning: left out: web page: unknown key \"colour\" in profile gone", "left out: web page: exclusion \"web.example.org\" is a DNS name",
		"left out: web page: remind: ", "left out: web page: unknown setting \"colours\"",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr does not say %q:\n%s", want, stderr)
		}
	}
	for _, want := range []string{
		"profiles.gone of the web page is left out: unknown key", "1 target is scanned with profile standard instead of", "remind of the web page is left out", "127.9.31.1", "127.9.31.2",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "127.9.31.3") {
		t.Error("what is excluded on the page was scanned")
	}
}

// TestWorkerTakesSettingsAnew sets a profile and a target while a worker runs: the next scan
// that is asked for is made with them.
func TestWorkerTakesSettingsAnew(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "127.9.32")
	d.worker(t)
	d.request(t, "ann", 0, "127.9.32.1")
	d.settled(t, 1, wish{by: "ann", only: "127.9.32.1", run: 1})
	if n := ask[int](t, d.conn, "select count(*) from port_current where port = 20701"); n != 1 {
		t.Fatalf("%d ports before", n)
	}
	place := &desk.Desk{Book: d.book(t), File: load.Default(), Now: time.Now}
	alice := state.Actor{Name: "alice", Via: "web"}
	if err := place.Set(t.Context(), state.SettingChange{Key: state.SettingProfile, Name: "other", Value: []byte(`{"ports": "20702", "services": false}`), By: alice}); err != nil {
		t.Fatal(err)
	}
	target := state.Target{Profile: "other", Vantage: state.DefaultVantage, Origin: state.OriginWeb}
	target.Spec, _ = state.ParseSpec("127.9.32.2-3")
	if _, _, err := place.AddTargets(t.Context(), []state.Target{target}, alice); err != nil {
		t.Fatal(err)
	}
	if err := place.Set(t.Context(), state.SettingChange{Key: state.SettingExclude, Name: "127.9.32.1", Value: []byte(`{}`), By: alice}); err != nil {
		t.Fatal(err)
	}
	d.request(t, "ann", 0)
	d.settled(t, 2, wish{by: "ann", run: 2})
	if n := d.hosts(t, "2"); n != 2 { // .2 by the config, .3 by the page; .1 is excluded
		t.Errorf("the run looked at %d hosts", n)
	}
	if set := ask[string](t, d.conn, "select string_agg(s.ports, ' ' order by h.address) from host_coverage c join host h on h.id = c.host_id join port_set s on s.id = c.port_set_id where h.address > '127.9.32.1'"); set != "20701-20720 20702" {
		t.Errorf("ports that were looked at: %s", set)
	}
}
