package desk

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// said writes steps as "outcome address name: says > remedy", one a line.
func said(steps []state.TestStep) string {
	lines := make([]string, len(steps))
	for i, s := range steps {
		address := ""
		if s.Address != nil {
			address = s.Address.String() + " "
		}
		lines[i] = fmt.Sprintf("%s %s%s: %s", s.Outcome, address, s.Name, s.Says)
		if s.Remedy != "" {
			lines[i] += " > " + s.Remedy
		}
	}
	return strings.Join(lines, "\n")
}

// names resolves names from a table.
type names map[string][]netip.Addr

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if found := n[strings.TrimSuffix(host, ".")]; len(found) > 0 {
		return found, nil
	}
	return nil, errors.New("no such host\x1b]0;")
}

func TestTry(t *testing.T) {
	t.Parallel()
	config, err := load.Parse("ownmap.yaml", []byte(`
targets:
  - {hosts: [10.0.0.0/24], ssh: {user: audit}, exclude: [10.0.0.9]}
  - {hosts: [10.0.1.1], vantage: dmz, tags: [fragile]}
  - {hosts: [10.0.2.1]}
exclude: [10.66.0.0/16]
scan: {time_zone: UTC, limits: [{network: 10.0.2.1, windows: ["22:00-23:00"]}]}
`), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	tester := Tester{
		Planner: load.NewPlanner(config, names{"web.example.org": {netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("10.0.0.6")}}),
		Targets: config.StateTargets(),
		Discover: func(_ context.Context, addresses []netip.Addr, gentle bool) ([]state.Host, error) {
			asked = append(asked, fmt.Sprint(addresses, gentle))
			hosts := make([]state.Host, len(addresses))
			for i, a := range addresses {
				hosts[i] = state.Host{Address: a, State: state.Up}
				if a.As4()[3]%2 == 0 {
					hosts[i].State = state.Down
				}
			}
			return hosts, nil
		},
		Look: func(_ context.Context, l state.Login) state.Look {
			look := state.Look{Address: l.Address, Status: state.Answered, Root: true, Listeners: make([]state.Listener, 3)}
			if l.User != "audit" || l.Address.As4()[3] == 7 {
				look = state.Look{Address: l.Address, Reason: state.SSHKeyUnknown, Detail: "ssh-ed25519 SHA256:x"}
			}
			return look
		},
		Now: func() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) },
	}
	for _, c := range []struct{ spec, vantage, reach, inside string }{
		{
			"10.0.0.1", "local", "ok 10.0.0.1 answer: something answers",
			"ok 10.0.0.1 connect: an SSH server answers\nok 10.0.0.1 host key: it is the known one\nok 10.0.0.1 login: accepted\nok 10.0.0.1 look: 3 listeners found, as root",
		},
		{
			"10.0.0.7", "local", "ok 10.0.0.7 answer: something answers",
			"ok 10.0.0.7 connect: \nfailed 10.0.0.7 host key: SSH host key unknown: ssh-ed25519 SHA256:x > ownmap hostkeys accept 10.0.0.7",
		},
		{
			"10.0.0.2/31", "local",
			"failed 10.0.0.2 answer: no answer > a run leaves it out; name the address itself as a target to have it scanned without an answer\nok 10.0.0.3 answer: something answers", "",
		},
		{"10.0.0.4", "local", "failed 10.0.0.4 answer: no answer > is it on, and does a firewall let the scanner through? It is scanned all the same, for the target names it", ""},
		{"web.example.org", "local", "ok resolve: 2 addresses\nok 10.0.0.5 answer: something answers\nfailed 10.0.0.6 answer: no answer > is it on, ", ""},
		{"gone.example.org", "local", "failed resolve: no such host\\x1b]0; > is the name right, and does DNS know it there?", "-"},
		{"10.0.0.9", "local", "failed allowed: excluded by 10.0.0.9 > it is never scanned; take the exclusion away if it may be", "-"},
		{"10.66.1.1", "local", "failed allowed: excluded by 10.66.0.0/16 > ", "-"},
		{"10.9.9.9", "local", "ok 10.9.9.9 answer: something answers", "skipped 10.9.9.9 connect: not to be looked inside"}, // no target yet
		{"10.0.1.1", "dmz", "ok 10.0.1.1 answer: something answers", "skipped 10.0.1.1 connect: not to be looked inside"},
		{"10.0.1.1", "local", "ok 10.0.1.1 answer: something answers", "skipped 10.0.1.1 connect: not to be looked inside"},
		{"10.0.2.1", "local", "skipped 10.0.2.1 allowed: not asked: only 22:00-23:00 (UTC)", "skipped 10.0.2.1 connect: not to be looked inside"},
		{"10.0.0.0/27", "local", "failed resolve: 10.0.0.0/27 stands for more than 16 addresses", "-"},
	} {
		spec, err := state.ParseSpec(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := said(tester.Try(t.Context(), spec, c.vantage, state.TestReach)); !strings.HasPrefix(got, c.reach) {
			t.Errorf("%s from %s:\n%s\nwant\n%s", c.spec, c.vantage, got, c.reach)
		}
		got := said(tester.Try(t.Context(), spec, c.vantage, state.TestInside))
		if c.inside == "-" && got != "" || c.inside != "-" && !strings.HasPrefix(got, c.inside) {
			t.Errorf("inside %s from %s:\n%s\nwant\n%s", c.spec, c.vantage, got, c.inside)
		}
	}
	for _, want := range []string{"[10.0.0.1] false", "[10.0.1.1] true"} { // fragile hosts are asked gently
		if !strings.Contains(strings.Join(asked, "\n"), want) {
			t.Errorf("asked %q, not %q", asked, want)
		}
	}
	if all := strings.Join(asked, "\n"); strings.Contains(all, "10.0.0.9") || strings.Contains(all, "10.66.") || strings.Contains(all, "10.0.2.1") {
		t.Errorf("asked what may not be: %q", asked)
	}
	tester.Discover = func(context.Context, []netip.Addr, bool) ([]state.Host, error) {
		return nil, errors.New("nmap is not there")
	}
	spec, _ := state.ParseSpec("10.0.0.1")
	if got := said(tester.Try(t.Context(), spec, "local", state.TestReach)); got != "failed answer: nmap is not there > ownmap check says more" {
		t.Errorf("without nmap: %s", got)
	}
}

// TestLookSteps holds at which step each reason says that a look ended, and that each has
// its remedy.
func TestLookSteps(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("10.0.0.1")
	for reason, want := range map[string]string{
		state.SSHNoAnswer: "failed connect", state.SSHRefused: "failed connect", state.SSHNoSSH: "failed connect", state.SSHTimeout: "failed connect",
		state.SSHJumpFailed: "failed connect", state.SSHFault: "failed connect",
		state.SSHKeyUnknown: "ok connect failed host key", state.SSHKeyChanged: "ok connect failed host key",
		state.SSHNoKeys: "failed login", state.SSHLoginRefused: "ok connect ok host key failed login",
		state.SSHIncomplete: "ok connect ok host key ok login failed look", state.SSHNothingToAsk: "ok connect ok host key ok login failed look",
		state.SSHTooMuch: "ok connect ok host key ok login failed look",
	} {
		steps := lookSteps(address, state.Look{Reason: reason})
		var got []string
		for _, s := range steps {
			got = append(got, string(s.Outcome)+" "+s.Name)
		}
		last := steps[len(steps)-1]
		if strings.Join(got, " ") != want || last.Remedy == "" || last.Says != reason {
			t.Errorf("%s: %s, %+v", reason, got, last)
		}
	}
}
