package load

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

// limited writes the limits of a plan, one line for each host that has some.
func limited(p state.Plan) string {
	var b strings.Builder
	for _, h := range p.Hosts {
		if !h.Limits.IsZero() {
			fmt.Fprintf(&b, "%s %s: %s\n", h.Vantage, h.Address, h.Limits)
		}
	}
	return b.String()
}

func TestPlanLimits(t *testing.T) {
	t.Parallel()
	dns := map[string]string{"printer.example.org": "10.20.0.9 2001:db8::9"}
	for _, tc := range []struct{ name, config, want string }{
		{
			"none", `targets: [{hosts: 10.20.0.0/30, tags: prod}]
scan: {limits: [{tag: dmz, fragile: true}, {network: 10.21.0.0/16, max_rate: 1}]}`, "",
		},
		{
			"by network, address and range", `targets: [{hosts: [10.20.0.0/30, "2001:db8::/127"]}]
scan: {limits: [{network: [10.20.0.0/31, "2001:db8::1"], max_rate: 100}, {network: 10.20.0.3-9, fragile: true}]}`,
			"local 10.20.0.0: at most 100 packets a second\nlocal 10.20.0.1: at most 100 packets a second\nlocal 10.20.0.3: fragile\nlocal 2001:db8::1: at most 100 packets a second\n",
		},
		{
			"the tightest wins, whatever the order", `targets: [{hosts: 10.20.0.0/31, tags: [prod]}, {hosts: 10.20.0.4}]
scan:
  time_zone: Europe/Berlin
  limits:
    - {network: 10.0.0.0/8, max_rate: 200, windows: ["20:00-04:00", "12:00-13:00"]}
    - {tag: prod, max_rate: 300, fragile: true, windows: ["mon-fri 22:00-06:00"]}
    - {network: 10.20.0.1, max_rate: 50}`,
			"local 10.20.0.0: at most 200 packets a second, fragile, only mon-fri 22:00-04:00 (Europe/Berlin)\n" +
				"local 10.20.0.1: at most 50 packets a second, fragile, only mon-fri 22:00-04:00 (Europe/Berlin)\n" +
				"local 10.20.0.4: at most 200 packets a second, only 20:00-04:00 or 12:00-13:00 (Europe/Berlin)\n",
		},
		{
			"the tag fragile, kept when a host is named by itself and from another vantage",
			`targets: [{hosts: 10.20.0.0/31, tags: fragile}, {hosts: 10.20.0.1}, {hosts: 10.20.0.1, vantage: dmz}, {hosts: 10.20.0.2}]`,
			"dmz 10.20.0.1: fragile\nlocal 10.20.0.0: fragile\nlocal 10.20.0.1: fragile\n",
		},
		{
			"the addresses of a name", `targets: [{hosts: printer.example.org, tags: fragile}, {hosts: 10.20.0.8/31}]`,
			"local 10.20.0.9: fragile\nlocal 2001:db8::9: fragile\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, err := plan(t, tc.config, &names{known: dns}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, limited(p)); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlanNeverOpen holds that windows without common time stop a run, once and
// with both places, and only when a host is planned that they are for.
func TestPlanNeverOpen(t *testing.T) {
	t.Parallel()
	const config = `targets: [{hosts: 10.20.0.0/30, tags: prod}, {hosts: 10.21.0.1}]
scan:
  limits:
    - {network: 10.20.0.0/16, windows: ["22:00-06:00"]}
    - {tag: prod, windows: ["08:00-18:00"]}
    - {tag: prod, max_rate: 5}`
	p, err := plan(t, config, &names{}, nil)
	want := "10.20.0.0 could never be scanned: the windows at ownmap.yaml:4 and ownmap.yaml:5 have no time in common, widen one of them"
	if err == nil || err.Error() != want || len(p.Hosts) > 0 {
		t.Errorf("%d hosts, %v", len(p.Hosts), err)
	}
	if p, err := plan(t, config, &names{}, nil, "10.21.0.1"); err != nil || len(p.Hosts) != 1 {
		t.Errorf("a host that they are not for: %d hosts, %v", len(p.Hosts), err)
	}
}

func TestCheckLimits(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `
scan: {limits: [{tag: [prod, pritners], fragile: true}, {network: 10.0.0.0/8, max_rate: 9}, {tag: dmz, max_rate: 9}]}
targets: [{hosts: 10.20.0.1, tags: [prod, printers]}]`)
	err := c.CheckLimits(c.StateTargets())
	want := "ownmap.yaml:2: no target has the tag \"pritners\" that this limit is for: did you mean \"printers\"?\n" +
		"ownmap.yaml:2: no target has the tag \"dmz\" that this limit is for: known are printers, prod"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if err := Default().CheckLimits(nil); err != nil {
		t.Errorf("no limits: %v", err)
	}
}

// TestExampleOfLimits holds that the limits which config.example.yaml shows in a
// comment are limits.
func TestExampleOfLimits(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`(?m)^  #   limits:\n(?:  #.*\n)+`).FindString(string(text))
	c := mustParse(t, "scan:\n"+regexp.MustCompile(`(?m)^  # `).ReplaceAllString(shown, ""))
	if len(c.Scan.Limits) != 2 || c.Scan.Limits[0].MaxRate != 100 || len(c.Scan.Limits[0].Windows) != 1 || !c.Scan.Limits[1].Fragile {
		t.Errorf("limits: %+v", c.Scan.Limits)
	}
}

// TestScripts asks nmap what the allowed scripts are, and wants every one of them
// to be there and safe, and the example to name it.
func TestScripts(t *testing.T) {
	t.Parallel()
	help, err := exec.CommandContext(t.Context(), "nmap", "--script-help", strings.Join(Scripts(), ",")).Output()
	if err != nil {
		t.Fatal(err)
	}
	categories := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\S+)\nCategories: (.*)$`).FindAllStringSubmatch(string(help), -1) {
		categories[m[1]] = strings.Fields(m[2])
	}
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(Scripts()) {
		t.Error("the scripts are not sorted")
	}
	for _, script := range Scripts() {
		unsafe := slices.ContainsFunc(categories[script], func(category string) bool {
			return !slices.Contains([]string{"default", "discovery", "safe", "version"}, category)
		})
		if !slices.Contains(categories[script], "safe") || unsafe {
			t.Errorf("%s is of the categories %v", script, categories[script])
		}
		if !regexp.MustCompile(`#.*\b` + regexp.QuoteMeta(script) + `\b`).Match(text) {
			t.Errorf("config.example.yaml does not name the script %s", script)
		}
	}
}
