package load

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

const example = "../../config.example.yaml"

func noEnv(string) string { return "" }

func mustParse(t *testing.T, text string) Config {
	t.Helper()
	c, err := Parse("ownmap.yaml", []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dump returns what Dump writes, without the places of keys.
func dump(t *testing.T, c Config) string {
	t.Helper()
	var b strings.Builder
	if err := c.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m) # \S+:\d+$`).ReplaceAllString(b.String(), "")
}

// TestExample holds that config.example.yaml is the defaults, word for word.
func TestExample(t *testing.T) {
	t.Parallel()
	c, err := Read(example, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(dump(t, Default()), "\n")
	_, got, _ := strings.Cut(dump(t, c), "\n")
	got = strings.Replace(got, "    profile: standard\n    vantage:\n      - local\n", "", 1) // named for the reader
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the example is not the defaults (-defaults +example):\n%s", diff)
	}
}

// TestExampleNamesEveryKey fails when a key of Config is not in
// config.example.yaml.
func TestExampleNamesEveryKey(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	collect(document.Content[0], "", found)
	keys := keysOf(reflect.TypeFor[Config](), "")
	if len(keys) < 20 {
		t.Errorf("only %d keys found in Config: %v", len(keys), keys)
	}
	for _, key := range keys {
		// There are no limits by default: a comment shows how they are written.
		key = strings.Replace(key, ".ssh.tags.*.", ".ssh.", 1) // the same keys as beside tags
		word := strings.Replace(key[strings.LastIndex(key, ".")+1:], "*", "dmz", 1) + ": "
		if shown := strings.Contains(string(text), "#     - "+word) || strings.Contains(string(text), "#       "+word); !found[key] && !shown {
			t.Errorf("config.example.yaml does not name %s", key)
		}
	}
}

// collect gathers the paths of all keys, with * for the name of a profile.
func collect(n *yaml.Node, path string, found map[string]bool) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			below := path + "." + n.Content[i].Value
			if path == ".profiles" {
				below = path + ".*"
			}
			found[below] = true
			collect(n.Content[i+1], below, found)
		}
	case yaml.SequenceNode:
		for _, element := range n.Content {
			collect(element, path, found)
		}
	case yaml.DocumentNode, yaml.ScalarNode, yaml.AliasNode:
	}
}

func keysOf(t reflect.Type, path string) []string {
	if _, isText := reflect.Zero(t).Interface().(interface{ MarshalText() ([]byte, error) }); isText {
		return nil
	}
	if t.Kind() == reflect.Slice {
		return keysOf(t.Elem(), path)
	}
	if t.Kind() == reflect.Map {
		return append(keysOf(t.Elem(), path+".*"), path+".*")
	}
	var keys []string
	if t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if option == "inline" {
				keys = append(keys, keysOf(f.Type, path)...)
			} else if f.IsExported() && name != "-" {
				keys = append(keys, path+"."+name)
				keys = append(keys, keysOf(f.Type, path+"."+name)...)
			}
		}
	}
	return keys
}

func TestDefault(t *testing.T) {
	t.Parallel()
	c, err := Read("", noEnv)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, target := range c.StateTargets() {
		got = append(got, fmt.Sprint(target.Spec, " ", target.Origin, " ", target.Where, " ", target.Vantage))
	}
	want := []string{"127.0.0.1 config built-in defaults local", "::1 config built-in defaults local"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.Source() != "built-in defaults" || c.CheckProfile("") != nil || c.CheckProfile("full") != nil {
		t.Errorf("source %q", c.Source())
	}
	if err := c.CheckProfile("stanard"); err == nil || !strings.Contains(err.Error(), `did you mean "standard"?`) {
		t.Errorf("CheckProfile: %v", err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	c, err := Parse("conf/ownmap.yaml", []byte(`
database: {url: "postgres://ownmap:${PW}@db.example.org/ownmap"}
state_dir: state
targets:
  - hosts: [10.20.0.0/24, 10.20.1.5-9, Web.Example.org, "2001:db8::/120"]
    exclude: 10.20.0.13
    tags: [prod, dmz, prod]
    owner: web-team@example.org
    profile: mine
  - {hosts: 10.20.2.1}
exclude: [10.20.0.128/25, 10.0.0.0/8]
profiles:
  standard: {timing: 3, udp: [53, 123, "161-162"]}
  mine: {ports: [22, 80-90], udp: "53,123", services: false, version_intensity: 0}
  named: {ports: 443, scripts: [ssl-cert, http-title, ssl-cert], version_intensity: 9}
  names: {ports: none, udp: 53}
scan: {rate: 100, max_parallel: 2, host_timeout: 90s, reverse_dns: true, max_addresses: 300, resolve_timeout: 1500ms,
  confirm_tries: 2, stale_after: 5, deadline: 0, time_zone: Europe/Berlin}
archive: {dir: /srv/archive, url: "https://ownmap.example.org/archive/"}
`), func(name string) string { return map[string]string{"PW": "geheim"}[name] })
	if err != nil {
		t.Fatal(err)
	}
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Database.URL.Reveal(); got != "postgres://ownmap:geheim@db.example.org/ownmap" {
		t.Errorf("url is %q", got)
	}
	if want := filepath.Join(cwd, "conf/state"); c.StateDir != want {
		t.Errorf("state_dir is %q, want %q", c.StateDir, want)
	}
	want := Scan{
		Rate: 100, MaxParallel: 2, HostTimeout: Duration(90 * time.Second), ReverseDNS: true,
		MaxAddresses: 300, ResolveTimeout: Duration(1500 * time.Millisecond),
		ConfirmTries: 2, StaleAfter: 5, TimeZone: "Europe/Berlin",
	}
	if diff := cmp.Diff(want, c.Scan); diff != "" {
		t.Errorf("scan (-want +got):\n%s", diff)
	}
	targets := c.StateTargets()
	if len(targets) != 5 {
		t.Fatalf("%d targets: %v", len(targets), targets)
	}
	if got := fmt.Sprint(targets[2]); got != "{0 web.example.org [10.20.0.13] [dmz prod] web-team@example.org mine local config as the config says conf/ownmap.yaml:5 0001-01-01 00:00:00 +0000 UTC}" {
		t.Errorf("target is %s", got)
	}
	if targets[4].Profile != "" || targets[4].Where != "conf/ownmap.yaml:10" {
		t.Errorf("target is %+v", targets[4])
	}
	checkProfiles(t, c)
}

func checkProfiles(t *testing.T, c Config) {
	t.Helper()
	for name, want := range map[string]string{
		"standard": "top-1000 udp 53,123,161-162 true 3 7 []",
		"mine":     "22,80-90 udp 53,123 false 4 0 []",
		"named":    "443 udp  true 4 9 [http-title ssl-cert]",
		"names":    "none udp 53 true 4 7 []",
		"quick":    "top-100 udp  false 4 7 []",
		"full":     "all udp " + c.Profiles["full"].UDP.String() + " true 4 7 []",
	} {
		p := c.Profiles[name]
		ports, err := p.Ports.MarshalText()
		if got := fmt.Sprint(string(ports), " udp ", p.UDP, " ", p.Services, " ", p.Timing, " ", p.VersionIntensity, " ", p.Scripts); err != nil || got != want {
			t.Errorf("profile %s is %q, want %q (%v)", name, got, want, err)
		}
	}
	full := c.Profiles["full"].state("full")
	if full.Top != 0 || full.Ports.Len() != 65535 || full.UDP.Len() != strings.Count(fullUDP, ",")+1 || full.Name != "full" {
		t.Errorf("full is %+v", full)
	}
	if named := c.Profiles["named"].state("named"); named.Intensity != 9 || len(named.Scripts) != 2 {
		t.Errorf("named is %+v", named)
	}
}

// TestDump holds that what `config show` prints reads back as the same config.
func TestDump(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `
state_dir: /var/lib/elsewhere
targets: [{hosts: [10.20.0.0/24, "::1"], exclude: 10.20.0.1-3, tags: a, owner: o, profile: p, vantage: [dmz, local]}]
exclude: 10.9.0.0/16
profiles: {p: {ports: all, udp: 53, scripts: banner}}
scan:
  host_timeout: 1h30m
  deadline: 0
  time_zone: UTC
  limits:
    - {network: [10.20.0.0/28, 10.20.0.40-50], max_rate: 100, windows: ["Sat,sunday,fri-mon 6:00-24:00", "22:00-06:00", "22:00-06:00"]}
    - {tag: [b, a], fragile: true}
`)
	first := dump(t, c)
	if diff := cmp.Diff(first, dump(t, mustParse(t, first))); diff != "" {
		t.Errorf("not the same when read back:\n%s\n%s", diff, first)
	}
	if !strings.Contains(first, "- mon,fri-sun 06:00-24:00\n") || strings.Count(first, "22:00-06:00") != 1 || !strings.Contains(first, "deadline: 0h\n") {
		t.Errorf("limits in the dump:\n%s", first)
	}
	if !strings.HasPrefix(first, "# from: ownmap.yaml\n") || !strings.Contains(first, "host_timeout: 1h30m0s\n") && !strings.Contains(first, "host_timeout: 90m\n") {
		t.Errorf("dump:\n%s", first)
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `database: {url: "postgres://u:geheim@h/d"}`)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "url", c.Database.URL, "config", c)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		dump(t, c), log.String(), string(asJSON),
		fmt.Sprintf("%v %+v %#v %s %q", c.Database.URL, c.Database, c.Database.URL, c.Database.URL, c.Database.URL),
		fmt.Sprintf("%v %+v", c, &c),
	} {
		if strings.Contains(shown, "geheim") || !strings.Contains(shown, "***") {
			t.Errorf("shown: %s", shown)
		}
	}
	if Default().Database.URL.String() != "" {
		t.Error("no secret is shown as one")
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	for _, seed := range []string{"", "targets: &a [*a]", "a: b: c", "? [a]\n: b", "targets:\n- hosts: *x", "<<: {a: b}", "--- |\n\t", "profiles: {p: {ports: !!binary aa}}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("ownmap.yaml", text, noEnv)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "ownmap.yaml:") {
					t.Errorf("a mistake without its place: %q", line)
				}
				if line != strings.ToValidUTF8(line, "") || strings.ContainsAny(line, "\x1b\r") {
					t.Errorf("a mistake that is not clean: %q", line)
				}
			}
			return
		}
		for _, target := range c.StateTargets() {
			if target.Spec.IsZero() || target.Spec.CheckCap(c.Scan.MaxAddresses) != nil || state.Clean(target.Owner) != target.Owner {
				t.Errorf("target %+v got through", target)
			}
		}
		if c.Database.URL.Reveal() != "" {
			return // hidden, so not to be read back
		}
		first := dump(t, c)
		if again := dump(t, mustParse(t, first)); again != first {
			t.Errorf("%s\nreads back as\n%s", first, again)
		}
	})
}
