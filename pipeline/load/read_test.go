package load

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file writes a file with a mode, whatever the umask.
func file(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadGuardsSecrets(t *testing.T) {
	t.Parallel()
	const withPassword = `database: {url: "postgres://ownmap:geheim@db.example.org/ownmap"}`
	for _, tc := range []struct {
		name, config string
		mode         os.FileMode
		urlFile      string
		urlMode      os.FileMode
		err, warning string
	}{
		{"password, owner only", withPassword, 0o600, "", 0, "", ""},
		{"password, group reads", withPassword, 0o640, "", 0, "", ""},
		{"password, group writes", withPassword, 0o660, "", 0, "", "chmod 0640"},
		{"password, all read", withPassword, 0o644, "", 0, "ownmap.yaml:1: ", ""},
		{"keyword form, all read", `database: {url: "host=db password=geheim"}`, 0o644, "", 0, "everybody can read it", ""},
		{"password of the environment, all read", `database: {url: "postgres://u:${PW}@db/d"}`, 0o644, "", 0, "", ""},
		{"no password, all read", `database: {url: "postgres://db.example.org:5432/ownmap"}`, 0o644, "", 0, "", ""},
		{"no password, all write", `scan: {rate: 10}`, 0o666, "", 0, "", "chmod go-w"},
		{"url_file", `database: {url_file: url}`, 0o644, "postgres://u:geheim@db/d\n", 0o600, "", ""},
		{"url_file, all read", "database:\n  url_file: url", 0o644, "postgres://u:geheim@db/d\n", 0o604, "ownmap.yaml:2: ", ""},
		{"url_file, two lines", `database: {url_file: url}`, 0o644, "postgres://u@db/d\ngeheim\n", 0o600, "more than one line", ""},
		{"url_file, empty", `database: {url_file: url}`, 0o644, "\n", 0o600, "no address of a PostgreSQL", ""},
		{"url_file, missing", `database: {url_file: none}`, 0o644, "", 0, "no such file", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := file(t, dir, "ownmap.yaml", tc.config, tc.mode)
			if tc.urlFile != "" {
				file(t, dir, "url", tc.urlFile, tc.urlMode)
			}
			c, err := Read(path, func(string) string { return "secret" })
			warnings := strings.Join(c.Warnings(), "\n")
			if (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			if (warnings == "") != (tc.warning == "") || !strings.Contains(warnings, tc.warning) {
				t.Errorf("warnings %q, want %q", warnings, tc.warning)
			}
			if err != nil && strings.Contains(err.Error(), "geheim") {
				t.Errorf("the error holds the password: %v", err)
			}
			if err == nil && strings.Contains(tc.config, "url") && c.Database.URL.Reveal() == "" {
				t.Error("no url was read")
			}
		})
	}
}

func TestReadTellsAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	path := file(t, t.TempDir(), "ownmap.yaml", "database: {url_file: none}\nscan: {rat: 1}\ntargets: [{hosts: -oN}]\n", 0o600)
	_, err := Read(path, noEnv)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("mistakes: %v", err)
	}
	if _, err := Read(t.TempDir(), noEnv); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	here, there := file(t, dir, "ownmap.yaml", "", 0o600), file(t, dir, "etc.yaml", "", 0o600)
	env := func(value string) func(string) string {
		return func(name string) string { return map[string]string{"OWNMAP_CONFIG": value}[name] }
	}
	none := filepath.Join(dir, "none.yaml")
	for _, tc := range []struct{ explicit, env, here, there, want, err string }{
		{here, there, none, none, here, ""},
		{"", there, here, none, there, ""},
		{"", "", here, there, here, ""},
		{"", "", none, there, there, ""},
		{"", "", none, none, "", ""},
		{none, here, here, here, "", "config file of --config: stat " + none},
		{"", none, here, here, "", "config file of $OWNMAP_CONFIG: stat " + none},
		{"", "", filepath.Join(here, "x"), there, "", "name another with --config"},
	} {
		got, err := find(tc.explicit, env(tc.env), tc.here, tc.there)
		if got != tc.want || (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("find(%+v) = %q, %v", tc, got, err)
		}
	}
	if _, err := Find(none, noEnv); err == nil {
		t.Error("a missing file is found")
	}
}

func TestStateDir(t *testing.T) {
	t.Parallel()
	all := map[string]string{"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/xdg", "HOME": "/home/me"}
	config := Config{StateDir: "/configured"}
	for _, tc := range []struct {
		explicit string
		config   Config
		env      map[string]string
		euid     int
		want     string
	}{
		{"/explicit", config, all, 0, "/explicit"},
		{"", config, all, 0, "/configured"},
		{"", Config{}, all, 0, "/var/lib/a"},
		{"", Config{}, map[string]string{"XDG_STATE_HOME": "/xdg", "HOME": "/root"}, 0, "/var/lib/ownmap"},
		{"", Config{}, map[string]string{"XDG_STATE_HOME": "/xdg", "HOME": "/home/me"}, 1000, "/xdg/ownmap"},
		{"", Config{}, map[string]string{"XDG_STATE_HOME": "rel", "HOME": "/home/me"}, 1000, "/home/me/.local/state/ownmap"},
		{"", Config{}, nil, 1000, ""},
	} {
		got, err := StateDir(tc.explicit, tc.config, func(name string) string { return tc.env[name] }, tc.euid)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("StateDir(%+v) = %q, %v", tc, got, err)
		}
	}
	mine := t.TempDir() // of the services' user, who calls a command by hand
	if got, err := stateDir("", Config{}, noEnv, os.Geteuid(), mine); err != nil || got != mine {
		t.Errorf("the state of the caller gives %q, %v", got, err)
	}
	if got, err := stateDir("", Config{}, func(name string) string { return map[string]string{"HOME": "/home/me"}[name] }, os.Geteuid()+1, mine); err != nil || got == mine {
		t.Errorf("the state of somebody else gives %q, %v", got, err)
	}
	if got, err := StateDir("relative", Config{}, noEnv, 1000); err != nil || !filepath.IsAbs(got) {
		t.Errorf("a relative directory gives %q, %v", got, err)
	}
}

func TestReadTargetList(t *testing.T) {
	t.Parallel()
	specs, _, err := readTargetList(strings.NewReader("# lab\n10.20.0.7 10.20.1.5-9\t10.20.0.7 # twice\r\n\nweb.example.org\n2001:db8::/120"), "hosts.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range specs {
		got = append(got, s.String())
	}
	if diff := cmp.Diff([]string{"10.20.0.7", "10.20.1.5-9", "web.example.org", "2001:db8::/120"}, got); diff != "" {
		t.Error(diff)
	}
	_, _, err = readTargetList(strings.NewReader("10.20.0.7\n-oN /tmp/x\n\n$(id)\n"), "-")
	want := Errors{
		{"stdin", 2, `target "-oN": begins with a dash: options of nmap are no targets, and none is ever passed on`},
		{"stdin", 2, `target "/tmp/x": is no prefix: write the network as an address, like 10.20.0.0/24 or 2001:db8::/120`},
		{"stdin", 4, `target "$(id)": has "$" in it: an address, a prefix, a range or a DNS name has letters, digits, dots and dashes only`},
	}
	if diff := cmp.Diff(error(want), err); diff != "" {
		t.Error(diff)
	}
	if _, _, err := readTargetList(strings.NewReader("10.20.0.7\n"+strings.Repeat("x", 2<<20)), "big"); err == nil || !strings.HasPrefix(err.Error(), "big:2: ") {
		t.Errorf("a line of 2 MiB: %v", err)
	}
	if specs, _, err := readTargetList(strings.NewReader(""), "empty"); len(specs) != 0 || err != nil {
		t.Errorf("an empty list gives %v, %v", specs, err)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	keys := []string{"hosts", "exclude", "tags", "owner", "profile"}
	for word, want := range map[string]string{
		"hsots": "hosts", "Hosts": "hosts", "host": "hosts", "tag": "tags", "ownre": "owner", "exclud": "exclude",
		"proflie": "profile", "ssh": "", "vantage": "", "": "", strings.Repeat("hosts", 100): "",
	} {
		if got := suggest(word, keys); got != want {
			t.Errorf("suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

// TestReadPlace wants to hear where the state is, whatever else a config says.
func TestReadPlace(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	dir := t.TempDir()
	file(t, dir, "url", "postgres://u:geheim@db/d\n", 0o600)
	const rest = "channels: {mail: {type: email, password_file: '${CREDENTIALS_DIRECTORY}/smtp'}}\ntargts: []\n"
	for text, want := range map[string]string{
		rest:                                   "",
		"state_dir: /srv/state\n" + rest:       "/srv/state",
		"database: {url_file: url}\n" + rest:   "postgres://u:geheim@db/d",
		"database: {url: postgres://db/d}\n":   "postgres://db/d",
		"database: {url: '${URL}'}\n" + rest:   "error: the environment has no",
		"database: {url_file: other}\n" + rest: "error: no such file",
		"database: {ulr: postgres://db/d}\n":   "error: did you mean",
		"- state_dir: /srv/state\n":            "error: the config is",
		"state_dir: /a\n---\nstate_dir: /b\n":  "error: a second document",
		"state_dir: /a\nchannels: {mail: [\n":  "error: no valid YAML",
		"":                                     "error: the config is empty",
	} {
		path := file(t, dir, "ownmap.yaml", text, 0o600)
		config, err := ReadPlace(path, none)
		message, fails := strings.CutPrefix(want, "error: ")
		switch {
		case fails && (err == nil || !strings.Contains(err.Error(), message)):
			t.Errorf("%s: %v, want %s", text, err, message)
		case !fails && (err != nil || config.StateDir+config.Database.URL.Reveal() != want):
			t.Errorf("%s: %q, %q, %v", text, config.StateDir, config.Database.URL.Reveal(), err)
		}
	}
	if _, err := Read(file(t, dir, "ownmap.yaml", rest, 0o600), none); err == nil {
		t.Error("Read takes it too: this test could not fail")
	}
}
