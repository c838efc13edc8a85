package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/sshlab"
)

// newInside makes an instance that scans these ports of the hosts of a farm and
// looks inside them as this user.
func newInside(t *testing.T, f *sshlab.Farm, user, ports string) instance {
	t.Helper()
	var addresses []string
	for _, h := range f.Hosts {
		addresses = append(addresses, h.Address.String())
	}
	return newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: [%s], profile: some, ssh: on}]
profiles: {some: {ports: "%s", services: false}}
ssh: {user: %s, key_file: %s, known_hosts: %s, confirm_after: 100ms, timeout: 20s}
`, strings.Join(addresses, ", "), ports, user, f.KeyFile, f.KnownHosts))
}

// report is what `run --json` says.
type insideReport struct {
	Changes []struct {
		Kind, Severity, Address string
		Port                    uint16
	}
	Findings []struct {
		Kind, Severity, Detail string
		Port                   uint16
	}
	Voided []struct{ Port uint16 }
}

// night runs once and returns the changes and findings, a word each.
func (i instance) night(t *testing.T) (changes, findings string) {
	t.Helper()
	var r insideReport
	i.json(t, &r, "run", "--json")
	var words []string
	for _, c := range r.Changes {
		words = append(words, fmt.Sprintf("%s %s %d", c.Severity, c.Kind, c.Port))
	}
	var found []string
	for _, f := range r.Findings {
		if f.Severity != "info" {
			found = append(found, fmt.Sprintf("%s %s %d", f.Severity, f.Kind, f.Port))
		}
	}
	slices.Sort(words)
	return strings.Join(words, ", "), strings.Join(found, ", ")
}

// unapproved returns the ports that nobody approved.
func (i instance) unapproved(t *testing.T) string {
	t.Helper()
	out, stderr, code := i.call(t, "ports", "--unapproved", "--csv")
	if code != 0 {
		t.Fatal(stderr)
	}
	return out
}

const httpd = `set -e
start() { setsid "$@" >/dev/null 2>&1 & i=0; while [ $i -lt 100 ]; do ss -Htln | grep -q ':8000 ' && break; sleep 0.05; i=$((i+1)); done; }
stop() { kill $(ss -Htlnp | sed -n 's/.*:8000 .*pid=\([0-9]*\).*/\1/p'); i=0; while [ $i -lt 100 ] && ss -Htln | grep -q ':8000 '; do sleep 0.05; i=$((i+1)); done; }
`

// TestServicesAreReplaced holds what becomes of an approved port behind which a
// service is restarted, upgraded and replaced.
func TestServicesAreReplaced(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{Sudo: true})
	h := f.Hosts[0]
	h.Exec(t, httpd+"start busybox httpd -f -p 8000 -h /var")
	i := newInside(t, f, sshlab.User, "22,8000")
	if changes, findings := i.night(t); changes+findings != "" {
		t.Fatalf("the baseline: %s; %s", changes, findings)
	}
	if _, stderr, code := i.call(t, "approve", "--all", "--reason", "baseline"); code != 0 {
		t.Fatal(stderr)
	}
	quiet := func(what, want string) {
		t.Helper()
		changes, findings := i.night(t)
		if changes != "" || findings != want {
			t.Errorf("%s: changes %q, findings %q, want none and %q", what, changes, findings, want)
		}
		if open := i.unapproved(t); strings.Contains(open, "8000") {
			t.Errorf("%s: unapproved:\n%s", what, open)
		}
	}
	h.Exec(t, httpd+"stop; start busybox httpd -f -p 8000 -h /var")
	quiet("a restart", "")
	h.Exec(t, httpd+"b=$(readlink -f $(command -v busybox)); cp $b $b.new; mv $b.new $b") // as a package's upgrade does
	quiet("an upgrade without a restart", "low restart-wanted 8000")
	h.Exec(t, httpd+"stop; start busybox httpd -f -p 8000 -h /var")
	quiet("a restart after it", "")

	h.Exec(t, httpd+`stop; start perl -MSocket -e 'socket(my $s, AF_INET, SOCK_STREAM, 0); setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1); bind($s, pack_sockaddr_in(8000, INADDR_ANY)) or die; listen($s, 8); sleep 100000'`)
	out, stderr, code := i.call(t, "run", "--exit-code")
	if code != 1 || !strings.Contains(out, "process changed") || !strings.Contains(out, "drifted") {
		t.Errorf("another program: exit code %d\n%s%s", code, out, stderr)
	}
	if open := i.unapproved(t); !strings.Contains(open, "8000") {
		t.Errorf("the approval of another program is still good:\n%s", open)
	}
}

// TestElsewhere holds what is said of a port that is open and that nothing on its
// host listens on: handed on by a NAT rule, and not explained.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{Sudo: true, Init: `
ip netns add other
ip link add veth1 type veth peer name veth2 netns other
ip address add 192.0.2.1/30 dev veth1
ip link set veth1 up
ip netns exec other ip address add 192.0.2.2/30 dev veth2
ip netns exec other ip link set veth2 up
ip netns exec other ip route add default via 192.0.2.1
ip netns exec other busybox httpd -p 8000 -h /var
echo 1 >/proc/sys/net/ipv4/ip_forward
iptables -t nat -A PREROUTING -p tcp --dport 9000 -j DNAT --to-destination 192.0.2.2:8000
`})
	h := f.Hosts[0]
	i := newInside(t, f, sshlab.User, "22,9000")
	if _, findings := i.night(t); findings != "" {
		t.Errorf("an explained port is a finding: %s", findings)
	}
	out, _, _ := i.call(t, "show", "--json")
	if !strings.Contains(out, `"kind": "forwarded"`) || !strings.Contains(out, "hands it on to 192.0.2.2:8000") {
		t.Errorf("the rule is not told:\n%s", out)
	}
	h.Exec(t, "for tool in iptables-save nft; do mount --bind /dev/null $(readlink -f $(command -v $tool)); done")
	if _, findings := i.night(t); findings != "high open-without-listener 9000" {
		t.Errorf("without an explanation: %s", findings)
	}
}

// TestHostKeys takes a host from unknown to looked at by the commands of the manual:
// the recipe, scan, accept and check.
func TestHostKeys(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{})
	h := f.Hosts[0]
	i := newInside(t, f, "watch", "22")
	known := filepath.Join(i.dir, "known_hosts")
	config, err := os.ReadFile(filepath.Join(i.dir, "ownmap.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(i.dir, "ownmap.yaml"), []byte(strings.Replace(string(config), f.KnownHosts, known, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	call := func(want int, args ...string) string {
		t.Helper()
		out, stderr, code := i.call(t, args...)
		if code != want {
			t.Fatalf("ownmap %v: exit code %d, want %d\n%s%s", args, code, want, out, stderr)
		}
		return out + stderr
	}
	public, err := os.ReadFile(f.KeyFile + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(i.dir, "key.pub")
	if err := os.WriteFile(key, public, 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(f.Dir(h), "recipe.sh")
	if err := os.WriteFile(script, []byte(call(0, "hostkeys", "recipe", "--user", "watch", "--key", key)), 0o600); err != nil {
		t.Fatal(err)
	}
	h.Exec(t, "sh "+script+" && kill -HUP $(cat /proc/[0-9]*/stat | sed -n 's/^\\([0-9]*\\) (sshd) S 1 .*/\\1/p')")

	if out := call(2, "check"); !strings.Contains(out, "SSH host key unknown") || !strings.Contains(out, "ownmap hostkeys accept") {
		t.Errorf("check says of an unknown host key:\n%s", out)
	}
	if out := call(0, "hostkeys", "scan"); !strings.Contains(out, "ssh-ed25519") || !strings.Contains(out, "unknown") {
		t.Errorf("scan:\n%s", out)
	}
	call(2, "hostkeys", "accept")
	call(2, "hostkeys", "accept", h.Address.String(), "--fingerprint", "SHA256:nonsense")
	if out := call(0, "hostkeys", "accept", h.Address.String()); !strings.Contains(out, "accepted into "+known) {
		t.Errorf("accept:\n%s", out)
	}
	if out := call(0, "hostkeys", "scan"); !strings.Contains(out, "known") || strings.Contains(out, "unknown") {
		t.Errorf("scan after it:\n%s", out)
	}
	if out := call(0, "check"); !strings.Contains(out, "1 host, 1 of them as root") {
		t.Errorf("check:\n%s", out)
	}
	if changes, findings := i.night(t); changes+findings != "" {
		t.Errorf("%s; %s", changes, findings)
	}
	if out := call(0, "ports", "--json"); !strings.Contains(out, "sshd") {
		t.Errorf("the process is not told:\n%s", out)
	}
	for _, command := range []string{"id", "cat /etc/shadow"} { // the key opens nothing else
		if out, err := f.SSH(t, h, "watch", command); err == nil && (strings.Contains(out, "uid=") || strings.Contains(out, "root:")) {
			t.Errorf("%s ran: %s", command, out)
		}
	}
}

// TestCancelInside cancels a run while it looks inside hosts that do not answer.
func TestCancelInside(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{Shell: "/usr/bin/hang", Init: "printf '#!/bin/sh\\nexec sleep 54321\\n' >/usr/bin/hang; chmod 755 /usr/bin/hang"})
	i := newInside(t, f, sshlab.User, "22")
	run := i.start(t)
	t.Cleanup(func() { _ = run.Process.Kill() })
	waitFor(t, 20*time.Second, "somebody to log in", func() bool {
		return strings.Contains(f.Hosts[0].Exec(t, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"), "sleep 54321")
	})
	begin := time.Now()
	if _, stderr, code := i.call(t, "cancel"); code != 0 {
		t.Fatal(stderr)
	}
	_ = run.Wait()
	if code, took := run.ProcessState.ExitCode(), time.Since(begin); code != 2 || took > 10*time.Second {
		t.Errorf("exit code %d after %v, want 2 at once", code, took)
	}
	if out, _, code := i.call(t, "runs"); code != 0 || !strings.Contains(out, "cancelled") {
		t.Errorf("the list of runs: %s", out)
	}
}
