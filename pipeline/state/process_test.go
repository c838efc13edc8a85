package state

import (
	"net/netip"
	"testing"
)

func TestProcessChange(t *testing.T) {
	t.Parallel()
	nginx := Process{Exe: "/usr/sbin/nginx", User: "www-data", Unit: "nginx.service", Package: "nginx"}
	with := func(edit func(*Process)) Process {
		p := nginx
		edit(&p)
		return p
	}
	for _, tc := range []struct {
		name     string
		was, now Process
		want     Kind
	}{
		{"the same", nginx, nginx, ""},
		{"another program", nginx, Process{Exe: "/usr/bin/python3.11", User: "www-data", Unit: "nginx.service", Package: "python3.11"}, ProcessChanged},
		{"another user", nginx, with(func(p *Process) { p.User = "root" }), ProcessChanged},
		{"another unit", nginx, with(func(p *Process) { p.Unit = "evil.service" }), ProcessChanged},
		{"into a container", nginx, with(func(p *Process) { p.Container = "docker:web" }), ProcessChanged},
		{"another container", Process{Exe: "/x", Container: "docker:web"}, Process{Exe: "/x", Container: "docker:db"}, ProcessChanged},
		{"a container without its name", Process{Exe: "/x", Container: "docker:web"}, Process{Exe: "/x", Container: "docker"}, ""},
		{"a container of another runtime", Process{Exe: "/x", Container: "docker:web"}, Process{Exe: "/x", Container: "podman"}, ProcessChanged},
		{"another package", nginx, with(func(p *Process) { p.Package = "nginx-full" }), ProcessChanged},
		{"another version of the package's name", with(func(p *Process) { p.Package = "python3.11" }), with(func(p *Process) { p.Package = "python3.12" }), ProcessUpdated},
		{"another version of the program", Process{Exe: "/usr/lib/jvm/java-17.0.9/bin/java"}, Process{Exe: "/usr/lib/jvm/java-17.0.10/bin/java"}, ProcessUpdated},
		{"another snap revision", Process{Exe: "/snap/lxd/24322/bin/lxd"}, Process{Exe: "/snap/lxd/25112/bin/lxd"}, ProcessUpdated},
		{"another Nix store path", Process{Exe: "/nix/store/0c1j4b2f8s4hkm8rf0wkqcdkgn3x9b4h-nginx-1.24.0/bin/nginx"}, Process{Exe: "/nix/store/zzzj4b2f8s4hkm8rf0wkqcdkgn3x9b4h-nginx-1.26.1/bin/nginx"}, ProcessUpdated},
		{"not readable now", nginx, Process{User: "www-data"}, ""},
		{"readable now", Process{User: "www-data"}, nginx, ""},
		{"not readable, and of another user", nginx, Process{User: "root"}, ProcessChanged},
		{"nothing known", nginx, Process{}, ""},
		{"package not known now", nginx, with(func(p *Process) { p.Package = "" }), ""},
		{"upgraded bytes", with(func(p *Process) { p.SHA256 = "aa" }), with(func(p *Process) { p.SHA256 = "bb" }), ProcessUpdated},
		{"other bytes that no package explains", Process{Exe: "/opt/x", SHA256: "aa"}, Process{Exe: "/opt/x", SHA256: "bb"}, ProcessChanged},
		{"hashed for the first time", Process{Exe: "/opt/x"}, Process{Exe: "/opt/x", SHA256: "bb"}, ""},
	} {
		if got := tc.now.Change(tc.was); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	approval := Approval{Process: with(func(p *Process) { p.SHA256 = "aa" }).Pointer()}
	if approval.Usurped(with(func(p *Process) { p.SHA256 = "bb" })) || !approval.Usurped(Process{Exe: "/tmp/x"}) || (Approval{}).Usurped(nginx) {
		t.Error("an approval is bound to the program that it was given for, and to none if none was known")
	}
}

func TestProcessOr(t *testing.T) {
	t.Parallel()
	known := Process{Exe: "/usr/sbin/nginx", User: "www-data", SHA256: "aa"}
	if got := (Process{User: "www-data"}).Or(known); got != known {
		t.Errorf("a look without rights took something away: %v", got)
	}
	if got := (Process{User: "root"}).Or(known); got != (Process{User: "root"}) {
		t.Errorf("another user's process is another one: %v", got)
	}
	if got := (Process{Exe: "/usr/sbin/nginx", User: "www-data"}).Or(known); got != known {
		t.Errorf("a look without hashes took the hash away: %v", got)
	}
	if got := (Process{Exe: "/x", Container: "docker"}).Or(Process{Exe: "/x", Container: "docker:web"}); got.Container != "docker:web" {
		t.Errorf("a look without names took the name away: %v", got)
	}
	if got := (Process{Exe: "/x"}).Or(Process{Exe: "/x", Container: "docker:web"}); got.Container != "" {
		t.Errorf("a container that was left: %v", got)
	}
	if got := (Process{Exe: "/x"}).Or(known); got != (Process{Exe: "/x"}) {
		t.Errorf("another program: %v", got)
	}
}

func TestProcessWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		process           Process
		short, name, long string
	}{
		{Process{}, "", "", ""},
		{Process{User: "root"}, "unknown (root)", "", "unknown (root)"},
		{Process{Exe: "/tmp/x"}, "x", "x", "/tmp/x, of no package"},
		{
			Process{Exe: "/usr/sbin/nginx", User: "www-data", Unit: "nginx.service", Container: "docker:web", Package: "nginx"},
			"nginx (www-data, nginx.service, docker:web)", "nginx", "/usr/sbin/nginx as www-data, nginx.service, docker:web, package nginx",
		},
	} {
		if tc.process.String() != tc.short || tc.process.Name() != tc.name || tc.process.Described() != tc.long {
			t.Errorf("%+v: %q, %q, %q", tc.process, tc.process.String(), tc.process.Name(), tc.process.Described())
		}
	}
}

func TestListenerCovers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		bind   string
		onlyV6 bool
		to     string
		want   bool
	}{
		{"0.0.0.0", false, "10.0.0.7", true},
		{"0.0.0.0", false, "2001:db8::7", false},
		{"::", false, "10.0.0.7", true},
		{"::", false, "2001:db8::7", true},
		{"::", true, "10.0.0.7", false},
		{"::", true, "2001:db8::7", true},
		{"10.0.0.7", false, "10.0.0.7", true},
		{"::ffff:10.0.0.7", false, "10.0.0.7", true},
		{"fe80::1%eth0", false, "fe80::1", true},
		{"10.0.0.8", false, "10.0.0.7", false},
		{"127.0.0.1", false, "10.0.0.7", false},
		{"127.0.0.1", false, "127.0.0.1", true},
	} {
		l := Listener{Bind: netip.MustParseAddr(tc.bind), OnlyV6: tc.onlyV6}
		if got := l.Covers(netip.MustParseAddr(tc.to)); got != tc.want {
			t.Errorf("%s (only v6 %v) covers %s: %v", tc.bind, tc.onlyV6, tc.to, got)
		}
	}
}
