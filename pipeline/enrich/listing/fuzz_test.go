package listing

import (
	"testing"

	"ownmap/pipeline/state"
)

// sound fails the test for a socket that no parser may make.
func sound(t *testing.T, sockets []Socket, text []byte) {
	t.Helper()
	if len(sockets) > len(text) {
		t.Fatalf("%d sockets of %d bytes", len(sockets), len(text))
	}
	for _, s := range sockets {
		switch {
		case s.Port.Number == 0 || s.Port.Protocol != state.TCP && s.Port.Protocol != state.UDP:
			t.Fatalf("port %v", s.Port)
		case !s.Bind.IsValid() || s.Bind.Is4In6():
			t.Fatalf("address %v", s.Bind)
		case state.Clean(s.Name) != s.Name || state.Clean(s.User) != s.User || state.Clean(s.Bind.Zone()) != s.Bind.Zone():
			t.Fatalf("a text that is not clean: %+v", s)
		case s.PID < 0 || s.UID < -1:
			t.Fatalf("numbers: %+v", s)
		}
	}
}

func fuzz(f *testing.F, parse func([]byte) ([]Socket, int), seeds ...string) {
	f.Helper()
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sockets, bad := parse(text)
		if bad < 0 || bad > len(text) {
			t.Fatalf("%d bad rows of %d bytes", bad, len(text))
		}
		sound(t, sockets, text)
	})
}

func FuzzProcNet(f *testing.F) {
	both := func(text []byte) ([]Socket, int) {
		tcp, bad := ProcNet(state.TCP, text)
		udp, _ := ProcNet(state.UDP, text)
		return append(tcp, udp...), bad
	}
	fuzz(f, both, "  sl\n 0: 0100007F:18EB 00000000:0000 0A 0:0 00:0 0 112 0 21347 1\n", " 1: 0000000000000000FFFF00000700000A:0019 0:0000 07 0:0 00:0 0 0 0 57 1\n")
}

func FuzzSS(f *testing.F) {
	fuzz(f, SS, "tcp LISTEN 0 511 *:8080 *:* uid:33 ino:14 v6only:0\n", "udp UNCONN 0 0 [fe80::1]%eth0:546 [::]:* ino:1\n", "udp UNCONN 0 0 [fe80::1%\u202e]:546 [::]:*\n")
}

func FuzzNetstat(f *testing.F) {
	fuzz(f, Netstat, "tcp 0 0 127.0.0.1:5432 0.0.0.0:* LISTEN 812/postgres\n", "udp6 0 0 :::68 :::* 5/\x1b\n")
}

func FuzzBSDNetstat(f *testing.F) {
	fuzz(f, BSDNetstat, "tcp46 0 0 *.8080 *.* LISTEN\n", "udp6 0 0 fe80::1%lo0.123 *.*\n")
}

func FuzzSockstat(f *testing.F) {
	fuzz(f, Sockstat, "www nginx: mas 900 6 tcp4 10.0.0.7:80 *:*\n")
}

func FuzzLsof(f *testing.F) {
	fuzz(f, Lsof, "p501\ncrapportd\nu501\nLada\nf4\ntIPv4\nPTCP\nn*:49152\n")
}

func FuzzWindowsNetstat(f *testing.F) {
	fuzz(f, WindowsNetstat, "  TCP    [::]:135               [::]:0                 LISTENING         1012\r\n  UDP    0.0.0.0:500            *:*   3040\r\n")
}

func FuzzMappings(f *testing.F) {
	f.Add([]byte("-A PREROUTING -p tcp -m multiport --dports 80,8000:8001 -j REDIRECT --to-ports 3128\n"))
	f.Add([]byte("tcp dport { 81, 443 } dnat ip to 10.0.0.2\n"))
	f.Add([]byte("web\tnginx\t0.0.0.0:8080->80/tcp, [::]:1-65535->80/udp\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		LocalAddresses(text, text)
		for _, list := range [][]state.Mapping{IPTables(text), NFT(text), Containers("docker", text)} {
			if len(list) > maxMappings {
				t.Fatalf("%d mappings", len(list))
			}
			for _, m := range list {
				if m.Port.Number == 0 || state.Clean(m.To) != m.To || state.Clean(m.Via) != m.Via {
					t.Fatalf("%+v", m)
				}
			}
		}
	})
}
