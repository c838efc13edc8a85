package scan

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ownmap/pipeline/lab"
)

const routes6 = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`

func TestDefaultRoutes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	raw := netip.MustParseAddr("192.0.2.254").As4()
	routes4 := fmt.Sprintf(`Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	%08X	0003	0	0	0	00000000	0	0	0
ppp0	00000000	00000000	0001	0	0	100	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth9	00000000	00000000	0000	0	0	0	00000000	0	0	0
broken	00000000	zzzz	0003	0	0	0	00000000	0	0	0
short	00000000
`, binary.NativeEndian.Uint32(raw[:]))
	for name, text := range map[string]string{"route": routes4, "ipv6_route": routes6} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want4 := []gateway{{netip.MustParseAddr("192.0.2.254"), "eth0"}, {netip.Addr{}, "ppp0"}}
	if got := defaultRoutes(dir, false); !slices.Equal(got, want4) {
		t.Errorf("IPv4: %v", got)
	}
	if got := defaultRoutes(dir, true); !slices.Equal(got, []gateway{{netip.MustParseAddr("fd00::1"), "eth0"}}) {
		t.Errorf("IPv6: %v", got)
	}
	if got := defaultRoutes(filepath.Join(dir, "none"), false); got != nil {
		t.Errorf("without a table: %v", got)
	}
}

// A gateway that answers, one that does not, and what cannot be known. lo stands
// for a link with a carrier.
func TestGatewaysAreAsked(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		name   string
		ping   string
		routes []gateway
		up     bool
		note   string
		asked  int
	}{
		{"answers", answer(true), []gateway{{address, "lo"}}, true, "", 1},
		{"silent", answer(false), []gateway{{address, "lo"}}, false, "the scanner's own gateway 192.0.2.1 does not answer", 1},
		{"one of two links is gone", answer(true), []gateway{{address, "none0"}, {address, "lo"}}, true, "", 1},
		{"no link", answer(true), []gateway{{address, "none0"}}, false, "the scanner's own link none0 is down", 0},
		{"no route", answer(false), nil, true, "", 0},
		{"no gateway", answer(false), []gateway{{netip.Addr{}, "lo"}}, true, "", 0},
		{"link-local", answer(false), []gateway{{netip.MustParseAddr("fe80::1"), "lo"}}, true, "", 0},
		{"nmap is broken", "garbage", []gateway{{address, "lo"}}, true, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fake := lab.NewFakeNmap(t, fakeAnswers, map[string]string{"ping.xml": c.ping})
			s := newScanner(t, Options{Binary: fake.Path})
			up, note := s.askGateways(t.Context(), c.routes, false)
			calls := fake.Calls(t)
			if up != c.up || note != c.note || len(calls) != c.asked {
				t.Errorf("up %v, note %q, %d calls", up, note, len(calls))
			}
			for _, call := range calls {
				if slices.Contains(call, "-p") || !slices.Contains(call, "-sn") {
					t.Errorf("more than a ping: %q", call)
				}
			}
		})
	}
	s := newScanner(t, Options{Binary: "/nonexistent/nmap"})
	if up, note := s.ownSide(t.Context(), []netip.Addr{netip.MustParseAddr("127.74.0.1")}); !up || note != "" {
		t.Errorf("silent hosts on this machine: %v, %q", up, note)
	}
}
