package enrich

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/enrich/login"
	"ownmap/pipeline/lab/sshlab"
	"ownmap/pipeline/state"
)

// patience is the limit of looks that are to come to an end by themselves, also on a machine
// that has much else to do.
const patience = 2 * time.Minute

// insiderOf returns an insider with a limit for each look.
func insiderOf(tb testing.TB, timeout time.Duration) *Insider {
	tb.Helper()
	return New(Options{Login: login.Options{Home: tb.TempDir(), User: "nobody", Handshake: timeout / 2}, Timeout: timeout, Pause: 10 * time.Millisecond})
}

// subjectOf is a host of a farm as a run that scanned these ports would hand it over.
func subjectOf(f *sshlab.Farm, h *sshlab.Host, user string, open ...uint16) state.Subject {
	outside := state.Host{Vantage: state.DefaultVantage, Address: h.Address, State: state.Up, Coverage: []state.Coverage{
		{Protocol: state.TCP, Status: state.Answered, Ports: state.PortsOf(open...)},
	}}
	for _, n := range open {
		outside.Ports = append(outside.Ports, state.PortStatus{Port: state.Port{Protocol: state.TCP, Number: n}, State: state.Open})
	}
	return state.Subject{HostID: 1, Outside: []state.Host{outside}, Login: state.Login{
		Address: h.Address, User: user, KeyFiles: []string{f.KeyFile}, KnownHosts: []string{f.KnownHosts}, Sudo: true,
	}}
}

// lookAt looks at one host.
func lookAt(tb testing.TB, i *Insider, s state.Subject) state.Look {
	tb.Helper()
	return i.Look(tb.Context(), []state.Subject{s})[0]
}

// listening says what listens, one a line.
func listening(look state.Look) string {
	var b strings.Builder
	for _, l := range look.Listeners {
		fmt.Fprintf(&b, "%s %s %s\n", l.Port, l.Bind, l.Process.Described())
	}
	return b.String()
}

// found says what was found, one a line.
func found(look state.Look) string {
	var b strings.Builder
	for _, f := range look.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s\n", f.Severity, f.Kind, f.Port, f.Detail)
	}
	return b.String()
}

// settled looks until the services of a host have begun.
func settled(tb testing.TB, h *sshlab.Host, sockets int) {
	tb.Helper()
	h.Exec(tb, fmt.Sprintf("i=0; while [ $i -lt 300 ]; do [ $(ss -H -tuln | wc -l) -ge %d ] && exit; sleep 0.1; i=$((i+1)); done; ss -tuln; exit 1", sockets))
}

func TestLookAtRealHosts(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{Services: true, Sudo: true}, sshlab.Options{Services: true})
	i := insiderOf(t, patience)
	for n, user := range map[int]string{0: "root", 1: sshlab.User} {
		settled(t, f.Hosts[n], 7)
		look := lookAt(t, i, subjectOf(f, f.Hosts[n], user, 22, 80, 8080))
		want := `22/tcp 0.0.0.0 /usr/sbin/sshd as root, package openssh-server
22/tcp :: /usr/sbin/sshd as root, package openssh-server
53/udp 0.0.0.0 /usr/bin/perl as root, package perl-base
80/tcp 0.0.0.0 /usr/bin/perl as root, package perl-base
6379/tcp 127.0.0.1 /usr/bin/perl as root, package perl-base
8080/tcp :: /usr/bin/perl as root, package perl-base
8443/tcp :: /usr/bin/perl as root, package perl-base
`
		if user != "root" {
			want = strings.NewReplacer("/usr/sbin/sshd as root, package openssh-server", "unknown (root)", "/usr/bin/perl as root, package perl-base", "unknown (root)").Replace(want)
		}
		if got := listening(look); !look.Complete() || look.Root != (user == "root") || got != want {
			t.Errorf("as %s: %s %s, root %v\n%s", user, look.Reason, look.Detail, look.Root, got)
		}
		if got := found(look); got != "" {
			t.Errorf("as %s, findings:\n%s", user, got)
		}
		if !look.Listeners[6].OnlyV6 || look.Listeners[5].OnlyV6 {
			t.Errorf("v6only of 8443 and 8080: %v, %v", look.Listeners[6].OnlyV6, look.Listeners[5].OnlyV6)
		}
	}
	sudo := lookAt(t, i, subjectOf(f, f.Hosts[0], sshlab.User, 22))
	if !sudo.Complete() || !sudo.Root || !strings.Contains(listening(sudo), "/usr/sbin/sshd as root") {
		t.Errorf("by sudo: %+v", sudo)
	}
	if got := found(sudo); !strings.Contains(got, "low listening-not-scanned 80/tcp: /usr/bin/perl as root, package perl-base; add the port to the profile") {
		t.Errorf("ports that no profile scans: %s", got)
	}
}

// TestBackdoor is the demonstration: a program that forges its name, with its
// executable deleted and its port left out by ss and netstat.
func TestBackdoor(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{Sudo: true, Init: `
mount -t tmpfs none /usr/local/sbin
for tool in ss netstat; do
	real=$(command -v $tool)
	printf '#!/bin/sh\n%s "$@" | grep -v 31337\n' $real >/usr/local/sbin/$tool
	chmod 755 /usr/local/sbin/$tool
done
mount -t tmpfs none /var/tmp
cp /usr/bin/perl /var/tmp/kworker
/var/tmp/kworker -MSocket -e '
	open(my $f, ">", "/proc/self/comm"); print $f "\",pid=1,\n\e[2J8"; close $f;
	socket(my $s, AF_INET, SOCK_STREAM, 0); setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
	bind($s, pack_sockaddr_in(31337, INADDR_ANY)) or die; listen($s, 8); unlink "/var/tmp/kworker"; sleep 100000' &
`})
	h := f.Hosts[0]
	h.Exec(t, `i=0; while [ $i -lt 300 ]; do grep -q :7A69 /proc/net/tcp && [ ! -e /var/tmp/kworker ] && exit; sleep 0.1; i=$((i+1)); done; exit 1`)
	i := insiderOf(t, patience)
	for _, user := range []string{"root", sshlab.User} {
		for _, open := range []uint16{31337, 22} { // seen from outside, and not
			subject := subjectOf(f, h, user, open)
			first := lookAt(t, i, subject)
			looks := i.Again(t.Context(), []state.Subject{subject}, []state.Look{first})
			if !looks[0].Complete() {
				t.Fatalf("as %s: %+v", user, looks)
			}
			got := found(looks[0])
			hidden := `critical hidden-from-tool 31337/tcp: the kernel has it, and the host's own ss or netstat does not show it: /var/tmp/kworker as root, of no package, which calls itself "`
			if !strings.HasPrefix(got, hidden) || !strings.Contains(got, ", deleted") {
				t.Errorf("as %s, %d open: not named:\n%s", user, open, got)
			}
			if severity := map[uint16]string{31337: "high", 22: "medium"}[open]; !strings.Contains(got, severity+" odd-binary 31337/tcp: the executable is deleted: /var/tmp/kworker") {
				t.Errorf("as %s, %d open: the executable is not told:\n%s", user, open, got)
			}
			if strings.ContainsFunc(got, func(r rune) bool { return r == 0x1b }) {
				t.Errorf("a control character came through: %q", got)
			}
		}
	}
	subject := subjectOf(f, h, sshlab.User, 31337)
	subject.Login.Sudo = false
	if look := lookAt(t, i, subject); !look.Complete() || !strings.Contains(found(look), "critical hidden-from-tool 31337/tcp") {
		t.Errorf("without root: %+v", look)
	}
}

func TestHostsWithFewTools(t *testing.T) {
	t.Parallel()
	hide := func(tools string) string {
		return "for t in " + tools + "; do p=$(command -v $t) && mount --bind /dev/null $p; done\n"
	}
	busybox := "mount -t tmpfs none /usr/local/sbin; for t in netstat awk ls cat grep tr readlink head; do ln -s /bin/busybox /usr/local/sbin/$t; done\n"
	f := sshlab.Start(
		t,
		sshlab.Options{Sudo: true, Init: hide("ss netstat")},
		sshlab.Options{Sudo: true, Init: hide("ss") + busybox},
		sshlab.Options{Sudo: true, Init: "mount -t tmpfs none /usr/local/sbin; printf '#!/bin/sh\\nexit 1\\n' >/usr/local/sbin/ss; cp /usr/local/sbin/ss /usr/local/sbin/netstat; chmod 755 /usr/local/sbin/*\n"},
		sshlab.Options{Sudo: true, Init: hide("awk mawk gawk original-awk dpkg-query getent")},
	)
	i := insiderOf(t, patience)
	for n, h := range f.Hosts {
		look := lookAt(t, i, subjectOf(f, h, sshlab.User, 22))
		if !look.Complete() || len(look.Listeners) != 2 || found(look) != "" || look.Listeners[0].Process.User != "root" {
			t.Errorf("host %d: %s %s\n%s%s", n, look.Reason, look.Detail, listening(look), found(look))
		}
		if known := look.Listeners[0].Process.Exe == "/usr/sbin/sshd"; known != (n < 3) {
			t.Errorf("host %d: process %v", n, look.Listeners[0].Process)
		}
	}
}

func TestHostKeyOfAnother(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{}, sshlab.Options{})
	swapped := t.TempDir() + "/known_hosts"
	text, err := os.ReadFile(f.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	a, b := f.Hosts[0].Address.String(), f.Hosts[1].Address.String()
	if err := os.WriteFile(swapped, []byte(strings.NewReplacer(a+" ", b+" ", b+" ", a+" ").Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	subject := subjectOf(f, f.Hosts[0], "root", 22)
	subject.Login.KnownHosts = []string{swapped}
	look := lookAt(t, insiderOf(t, patience), subject)
	if look.Complete() || look.Reason != state.SSHKeyChanged || !strings.HasPrefix(found(look), "critical host-key-changed") {
		t.Errorf("another host's key: %+v", look)
	}
	insider := insiderOf(t, patience)
	if again := insider.Again(t.Context(), []state.Subject{subject}, []state.Look{look}); !strings.HasPrefix(found(again[0]), "critical host-key-changed") {
		t.Errorf("another host's key, asked again: %+v", again)
	}
	if again := insider.Again(t.Context(), []state.Subject{subject}, []state.Look{{}}); len(again[0].Findings) != 0 {
		t.Errorf("another host's key that was seen once: %+v", again)
	}
	if again := insider.Again(t.Context(), []state.Subject{subjectOf(f, f.Hosts[0], "root", 22)}, []state.Look{look}); len(again[0].Findings) != 0 || !again[0].Complete() {
		t.Errorf("the right key when asked again: %+v", again)
	}
	subject.Login.KnownHosts = []string{"/nonexistent"}
	if look = lookAt(t, insiderOf(t, patience), subject); look.Reason != state.SSHKeyUnknown || len(look.Findings) != 0 || look.Listeners != nil {
		t.Errorf("an unknown key: %+v", look)
	}
	subject = subjectOf(f, f.Hosts[0], "root", 22)
	subject.Outside[0] = state.Host{Address: netip.MustParseAddr(a), State: state.Down, Coverage: []state.Coverage{{Protocol: state.TCP, Status: state.Silent}}}
	if look = lookAt(t, insiderOf(t, patience), subject); look.Reason != state.InsideHostSilent {
		t.Errorf("a host that the scan did not see: %+v", look)
	}
}
