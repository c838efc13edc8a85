package text

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

func comparison() state.Comparison {
	web, db := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	seen := func(product, version string) state.Seen {
		return state.Seen{State: state.Open, Service: state.Service{Name: "http", Product: product, Version: version, Probed: true}}
	}
	on := func(kind state.Kind, port uint16, was, now state.Seen) state.Change {
		return state.Change{Kind: kind, Address: web, Name: "web.example.org", Port: tcp(port), Was: was, Now: now}
	}
	uncertain := state.Seen{State: state.OpenFiltered, Service: state.Service{Name: "snmp"}}
	unapproved := 2
	return state.Comparison{
		A: "old.xml", B: "new.xml",
		Changes: []state.Change{
			{Kind: state.HostRenamed, Address: web, Name: "web.example.org", Was: state.Seen{Name: "www.example.org"}, Now: state.Seen{Name: "web.example.org"}},
			on(state.PortClosed, 22, state.Seen{State: state.Open, Service: state.Service{Name: "ssh"}}, state.Seen{}),
			on(state.PortOpened, 80, state.Seen{}, seen("nginx", "1.22.1")),
			on(state.PortUncertain, 161, uncertain, state.Seen{}),
			on(state.VersionChanged, 443, seen("nginx", "1.22.0"), seen("nginx", "1.22.1")),
			on(state.ProductChanged, 8080, seen("nginx", ""), seen(hostile, "")),
			{Kind: state.HostDown, Address: db},
		},
		Coverage:   state.Totals{Hosts: 5, Answered: 1, Silent: 1, NotScanned: 3},
		Unapproved: &unapproved,
		Notes:      []string{"1 opened port was not looked at before"},
	}
}

func renderDiff(t *testing.T, c state.Comparison, options Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := Diff(&out, c, options); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestDiff(t *testing.T) {
	t.Parallel()
	const want = `Changes from old.xml to new.xml

   PORT      STATE                     SERVICE  VERSION
web.example.org (192.0.2.1)
~  host      renamed                            www.example.org → web.example.org
-  22/tcp    open                      ssh
+  80/tcp    open                      http     nginx 1.22.1
~  161/tcp   open|filtered → not open  snmp
~  443/tcp   open                      http     nginx 1.22.0 → nginx 1.22.1
~  8080/tcp  open                      http     nginx → <script>alert(1)</script>\x1b[31m\u{202e}\x0d\x0aHTTP
192.0.2.2
-  host      down

? not looked at: 3 hosts
? silent: 1 host
? 1 opened port was not looked at before

1 port opened, 1 product changed, 1 host down, 1 port closed, 1 host renamed, 1 version changed, 1 port uncertain, 2 unapproved; 1 of 5 hosts answered
`
	if d := cmp.Diff(want, renderDiff(t, comparison(), Options{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestDiffOfNothing(t *testing.T) {
	t.Parallel()
	const want = "Changes from a to b\n\nno changes; 2 of 2 hosts answered\n"
	if got := renderDiff(t, state.Comparison{A: "a", B: "b", Coverage: state.Totals{Hosts: 2, Answered: 2}}, Options{}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDiffColour holds that colour is added to the text and nothing else, and
// only where it is wanted.
func TestDiffColour(t *testing.T) {
	t.Parallel()
	plainText, coloured := renderDiff(t, comparison(), Options{}), renderDiff(t, comparison(), Options{Color: true})
	if strings.Contains(plainText, "\x1b") {
		t.Error("an escape sequence that nobody asked for")
	}
	if !strings.Contains(coloured, "\x1b[32m+\x1b[0m") || !strings.Contains(coloured, "\x1b[31m-\x1b[0m") {
		t.Errorf("no colour in %q", coloured)
	}
	for _, s := range []style{plain, bold, dim, red, green, yellow} {
		coloured = strings.ReplaceAll(coloured, "\x1b["+string(s)+"m", "")
	}
	if got := strings.ReplaceAll(coloured, "\x1b[0m", ""); got != plainText {
		t.Errorf("without colour it is %q, want %q", got, plainText)
	}
}

func TestDiffCountsTheInside(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("192.0.2.1")
	seen := func(exe, bind string) state.Seen {
		return state.Seen{Bind: netip.MustParseAddr(bind), Process: state.Process{Exe: exe, User: "root"}}
	}
	change := func(kind state.Kind, port uint16, was, now state.Seen) state.Change {
		return state.Change{Kind: kind, Address: address, Port: tcp(port), Was: was, Now: now}
	}
	const want = `Changes from a to b

   PORT       STATE            SERVICE  VERSION
192.0.2.1
~  80/tcp     process changed           /usr/sbin/nginx as root, of no package → /tmp/<script>alert(1)</script>\x1b[31m\u{202e}\x0d\x0aHTTP as root, of no package
~  443/tcp    process changed           /usr/sbin/nginx as root, of no package → /usr/bin/caddy as root, of no package
+  5432/tcp   listener new              /usr/bin/postgres as root, of no package on 127.0.0.1
-  9100/tcp   listener gone             was /usr/bin/x as root, of no package on all addresses
~  11211/tcp  bind changed              memcached (root) 127.0.0.1 → all IPv4 addresses

2 processes changed, 1 bind changed, 1 listener new, 1 listener gone; 1 of 1 host answered
`
	got := renderDiff(t, state.Comparison{A: "a", B: "b", Coverage: state.Totals{Hosts: 1, Answered: 1}, Changes: []state.Change{
		change(state.ProcessChanged, 80, seen("/usr/sbin/nginx", "0.0.0.0"), seen("/tmp/"+hostile, "0.0.0.0")),
		change(state.ProcessChanged, 443, seen("/usr/sbin/nginx", "0.0.0.0"), seen("/usr/bin/caddy", "0.0.0.0")),
		change(state.ListenerNew, 5432, state.Seen{}, seen("/usr/bin/postgres", "127.0.0.1")),
		change(state.ListenerGone, 9100, seen("/usr/bin/x", "::"), state.Seen{}),
		change(state.BindChanged, 11211, seen("/usr/bin/memcached", "127.0.0.1"), seen("/usr/bin/memcached", "0.0.0.0")),
	}}, Options{})
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
