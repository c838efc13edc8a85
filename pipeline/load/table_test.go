package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

func tabled(targets []state.Target) string {
	var lines []string
	for _, t := range targets {
		lines = append(lines, fmt.Sprintf("%s %s %q %q %q %q %v %s", t.Where, t.Spec, t.Tags, t.Owner, t.Profile, t.Vantage, t.Exclude, t.SSH))
	}
	return strings.Join(lines, "\n")
}

func TestImportTargets(t *testing.T) {
	t.Parallel()
	const table = "# of the inventory\n" +
		"Target,Tags,Owner,Profile,Vantage,Exclude,SSH,SSH_User,SSH_Port\r\n" +
		"10.20.0.0/24,\"prod, dmz\",web-team@example.org,full,local,10.20.0.13 10.20.0.14,on,audit,2222\r\n" +
		"\r\n" +
		"web.example.org,,,,dmz\r\n" +
		",,,,\r\n" +
		"10.20.1.5-9,prod,\"O'Neill, \"\"Bob\"\"\",quick,,,off\r\n"
	const want = `hosts.csv:3 10.20.0.0/24 ["common" "dmz" "prod"] "web-team@example.org" "full" "local" [10.20.0.13 10.20.0.14] on, user audit, port 2222
hosts.csv:5 web.example.org ["common"] "erin" "standard" "dmz" [] as the config says
hosts.csv:7 10.20.1.5-9 ["common" "prod"] "O'Neill, \"Bob\"" "quick" "" [] off`
	c := Default()
	common := state.Target{Tags: []string{"common"}, Owner: "erin", Profile: "standard"}
	for name, text := range map[string]string{
		"commas": table, "a mark": "\ufeff" + table,
		"semicolons": strings.NewReplacer("prod, dmz", "prod; dmz", "O'Neill, ", "O'Neill, ", ",", ";").Replace(table),
		"tabs":       strings.NewReplacer("O'Neill, ", "O'Neill, ", ",", "\t").Replace(table),
	} {
		targets, _, err := c.ImportTargets(strings.NewReader(text), "hosts.csv", "", common)
		if diff := cmp.Diff(want, tabled(targets)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	targets, _, err := c.ImportTargets(strings.NewReader("10.20.0.7 10.20.0.8 # two\n\n10.20.0.7\nweb.example.org\n"), "-", "", state.Target{})
	if got := tabled(targets); err != nil || strings.Count(got, "\n") != 2 || !strings.HasPrefix(got, "stdin:1 10.20.0.7 ") || !strings.Contains(got, "stdin:4 web.example.org ") {
		t.Errorf("a list: %v\n%s", err, got)
	}
	if targets, _, err := c.ImportTargets(strings.NewReader(" \n"), "-", "", state.Target{}); len(targets) != 0 || err != nil {
		t.Errorf("nothing: %v, %v", targets, err)
	}
}

// TestImportHostileTargets holds that nothing comes of a file with a mistake, and that each
// is told with its line.
func TestImportHostileTargets(t *testing.T) {
	t.Parallel()
	const head = "target,tags,owner,profile,vantage,exclude,ssh,ssh_user,ssh_port\n10.0.0.1\n"
	for text, want := range map[string]string{
		head + "-oN":                                  "f:3: ",
		head + "$(id)":                                "f:3: ",
		head + "=cmd|' /C calc'!A0":                   "f:3: ",
		head + "'=HYPERLINK(\"x\")":                   "f:3: ",
		head + "10.0.0.2,a\x1b]52;":                   "f:3: tag \"a\\x1b]52\"",
		head + "0.0.0.0/0":                            "f:3: target \"0.0.0.0/0\" expands to 4,294,967,296 addresses, limit 65,536",
		head + "::/64":                                "f:3: target \"::/64\" expands to 2^64 addresses",
		head + "10.0.0.2,,\u202eevil":                 "f:3: owner \"\\u{202e}evil\"",
		head + "10.0.0.2,,,no-such":                   "f:3: unknown profile \"no-such\"",
		head + "10.0.0.2,,,,../etc":                   "f:3: vantage name \"../etc\"",
		head + "10.0.0.2,,,,,web.example.org":         "f:3: exclusion \"web.example.org\" is a DNS name",
		head + "10.0.0.2,,,,,,maybe":                  "f:3: ssh \"maybe\": it takes on or off",
		head + "10.0.0.2,,,,,,on,-oProxy=x":           "f:3: ssh user \"-oProxy=x\"",
		head + "10.0.0.2,,,,,,on,a b":                 "f:3: ssh user \"a b\"",
		head + "10.0.0.2,,,,,,on,root,99999":          "f:3: ssh_port \"99999\"",
		head + "10.0.0.2,,,,,,on,root,22,more":        "f:3: \"more\" stands in a column without a name",
		head + ",prod":                                "f:3: the target is missing",
		head + "10.0.0.1":                             "f:3: target \"10.0.0.1\" is already named at line 2",
		head + "10.0.0.2,\"a":                         "f:3: no table: ",
		head + "10.0.0.2,a\"b":                        "f:3: no table: ",
		head + "10.0.0.2," + strings.Repeat("t,", 40): "stands in a column without a name",
		head + "10.0.0.2,\"" + strings.Repeat("t ", 40) + strings.Join(strings.Split(strings.Repeat("abcdefghijklmnopqrstuvwxyz0123456789", 1), ""), " ") + "\"": "36 tags: a target has at most 32",
		"target,key_file\n10.0.0.1,/etc/x":       "f:1: unknown column \"key_file\": ",
		"target,tag\n10.0.0.1,x":                 "unknown column \"tag\": did you mean \"tags\"?",
		"target,tags,tags\n10.0.0.1,x":           "column tags is there twice",
		"10.0.0.1,prod\n":                        "f:1: ",
		"\xff\xfet\x00a\x00":                     "f: the file is no UTF-8 text",
		head + "10.0.0.2,a\x00b":                 "f: the file is no UTF-8 text",
		strings.Repeat("x", maxTargetFile+1):     "f: more than 8 MiB",
		"target\n" + manyTargets(maxTargets+1):   "f: 10001 targets, and 10000 are the most at once",
		"10.0.0.2 -iL/etc/shadow\n10.0.0.3/99\n": "f:2: ",
	} {
		c := Default()
		targets, _, err := c.ImportTargets(strings.NewReader(text), "f", "", state.Target{})
		if err == nil || !strings.Contains(err.Error(), want) || targets != nil {
			t.Errorf("%.80q: %d targets, %.300v, want %q", text, len(targets), err, want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\u202e\x00") {
			t.Errorf("%.80q: the mistake repeats what is hostile", text)
		}
	}
}

func manyTargets(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	return b.String()
}

func FuzzImportTargets(f *testing.F) {
	f.Add("target,tags\n10.0.0.1,a b\n")
	f.Add("10.0.0.1 10.0.0.2-9 # x\n")
	f.Add("\ufefftarget;ssh_port\n\"10.0.0.1\";22\n")
	f.Add("127.0.0.1 localhost\n192.0.2.7 web\n")
	f.Add("Host web *.x !y\n HostName 192.0.2.7\n Port 2222\nMatch all\nHost *\n User a\n")
	f.Add("IP Address,Status,Tags\n192.0.2.7/24,Active,\"a b,c\"\n")
	f.Add(`{"results": [{"address": "192.0.2.7/24", "tags": [{"slug": "a"}], "primary_ip": {"address": "::1"}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		targets, _, err := c.ImportTargets(strings.NewReader(text), "f", "", state.Target{})
		if err != nil && targets != nil {
			t.Error("targets beside a mistake")
		}
		for _, target := range targets {
			if err := c.CheckTarget(target); err != nil || target.Spec.IsZero() {
				t.Errorf("%v: %v", target, err)
			}
		}
	})
}
