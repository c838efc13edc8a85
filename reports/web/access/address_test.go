package access

import (
	"net/netip"
	"strings"
	"testing"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	g := New(Options{Proxy: Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24"), netip.MustParsePrefix("fd00::/64")}, Socket: true}})
	for _, test := range []struct {
		peer, forwarded, want string
	}{
		{"192.0.2.7:1234", "", "192.0.2.7"},
		{"192.0.2.7:1234", "198.51.100.1", "192.0.2.7"}, // nobody trusts who says so
		{"10.1.0.5:1234", "", "10.1.0.5"},
		{"10.1.0.5:1234", "198.51.100.1", "198.51.100.1"},
		{"10.1.0.5:1234", "203.0.113.9, 198.51.100.1", "198.51.100.1"}, // the first one was typed by the client
		{"10.1.0.5:1234", "203.0.113.9, 198.51.100.1, 10.1.0.6", "198.51.100.1"},
		{"10.1.0.5:1234", "10.1.0.6", "10.1.0.6"},
		{"10.1.0.5:1234", "198.51.100.1:4711", "198.51.100.1"},
		{"10.1.0.5:1234", "[2001:db8::1]:4711", "2001:db8::1"},
		{"10.1.0.5:1234", "nonsense", "10.1.0.5"},
		{"10.1.0.5:1234", "203.0.113.9, nonsense, 10.1.0.6", "10.1.0.6"},
		{"10.1.0.5:1234", strings.Repeat("10.1.0.6,", 1000) + "10.1.0.6", "10.1.0.6"},
		{"[::ffff:10.1.0.5]:1234", "198.51.100.1", "198.51.100.1"},
		{"[fd00::5%eth0]:1234", "198.51.100.1", "198.51.100.1"},
		{"@", "198.51.100.1", "198.51.100.1"},
		{"@", "", "invalid IP"},
	} {
		r := request(t, test.peer)
		for part := range strings.SplitSeq(test.forwarded, " ,") {
			if part != "" {
				r.Header.Add("X-Forwarded-For", part)
			}
		}
		if got := g.From(r).String(); got != test.want {
			t.Errorf("%s for %.50q: %s, want %s", test.peer, test.forwarded, got, test.want)
		}
	}
	if got := New(Options{}).From(request(t, "@", "X-Forwarded-For", "198.51.100.1")); got.IsValid() {
		t.Errorf("a socket that is no proxy's: %s", got)
	}
}

func TestProxyHeader(t *testing.T) {
	t.Parallel()
	proxies := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")}, Header: "X-Forwarded-User", Admins: []string{"alice@example.org"}}
	w := newWorld(t, Options{Proxy: proxies})
	for _, test := range []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"viewer", "10.1.0.5:1", []string{"X-Forwarded-User", "bob"}, "bob viewer proxy"},
		{"admin", "10.1.0.5:1", []string{"X-Forwarded-User", "Alice@example.org"}, "Alice@example.org admin proxy"},
		{"spoofed", "10.1.1.5:1", []string{"X-Forwarded-User", "alice@example.org"}, ""},
		{"spoofed by what the peer says of itself", "10.1.1.5:1", []string{"X-Forwarded-User", "alice@example.org", "X-Forwarded-For", "10.1.0.5"}, ""},
		{"over a socket", "@", []string{"X-Forwarded-User", "alice@example.org"}, ""},
		{"none", "10.1.0.5:1", nil, ""},
		{"empty", "10.1.0.5:1", []string{"X-Forwarded-User", " "}, ""},
		{"twice", "10.1.0.5:1", []string{"X-Forwarded-User", "bob", "X-Forwarded-User", "alice@example.org"}, ""},
		{"controls", "10.1.0.5:1", []string{"X-Forwarded-User", "bob\x1b[2J"}, ""},
		{"right to left", "10.1.0.5:1", []string{"X-Forwarded-User", "bob\u202e"}, ""},
		{"long", "10.1.0.5:1", []string{"X-Forwarded-User", strings.Repeat("b", 129)}, ""},
		{"another header", "10.1.0.5:1", []string{"X-Remote-User", "bob"}, ""},
	} {
		if got := who(t, w.Guard, request(t, test.peer, test.headers...)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := who(t, w.again(t, Options{}), request(t, "10.1.0.5:1", "X-Forwarded-User", "bob")); got != "" {
		t.Errorf("without the config: %q", got)
	}
}
