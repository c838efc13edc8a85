package state

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func mustSpec(t *testing.T, text string) Spec {
	t.Helper()
	s, err := ParseSpec(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseSpec(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("a", 63)
	for _, tc := range []struct {
		text  string
		kind  SpecKind
		want  string
		count uint64
	}{
		{"10.20.0.7", SpecAddress, "10.20.0.7", 1},
		{"127.0.0.1", SpecAddress, "127.0.0.1", 1},
		{"::1", SpecAddress, "::1", 1},
		{"2001:DB8:0:0::7", SpecAddress, "2001:db8::7", 1},
		{"::ffff:10.20.0.7", SpecAddress, "10.20.0.7", 1},
		{"10.20.0.7/32", SpecAddress, "10.20.0.7", 1},
		{"2001:db8::7/128", SpecAddress, "2001:db8::7", 1},
		{"10.20.1.5-5", SpecAddress, "10.20.1.5", 1},
		{"10.0.0.5/24", SpecPrefix, "10.0.0.0/24", 256},
		{"10.0.0.0/16", SpecPrefix, "10.0.0.0/16", 65536},
		{"127.0.0.0/8", SpecPrefix, "127.0.0.0/8", 1 << 24},
		{"0.0.0.0/0", SpecPrefix, "0.0.0.0/0", 1 << 32},
		{"2001:db8::1:7/112", SpecPrefix, "2001:db8::1:0/112", 65536},
		{"::ffff:10.20.0.0/120", SpecPrefix, "10.20.0.0/24", 256},
		{"::1/8", SpecPrefix, "::/8", math.MaxUint64},
		{"2001:db8::/64", SpecPrefix, "2001:db8::/64", math.MaxUint64},
		{"2001:db8::/65", SpecPrefix, "2001:db8::/65", 1 << 63},
		{"10.20.1.5-9", SpecRange, "10.20.1.5-9", 5},
		{"10.0.0-3.1-254", SpecRange, "10.0.0-3.1-254", 4 * 254},
		{"0-255.0-255.0-255.0-255", SpecRange, "0-255.0-255.0-255.0-255", 1 << 32},
		{"1-255.1-255.1-255.1-255", SpecRange, "1-255.1-255.1-255.1-255", 4228250625},
		{"localhost", SpecName, "localhost", 1},
		{"Web-1.Example.ORG", SpecName, "web-1.example.org", 1},
		{"xn--bcher-kva.example.org", SpecName, "xn--bcher-kva.example.org", 1},
		{"7.example.org", SpecName, "7.example.org", 1},
		{"10.20.0.7.example.org", SpecName, "10.20.0.7.example.org", 1},
		{"0x.example.org", SpecName, "0x.example.org", 1},
		{label63 + ".example.org", SpecName, label63 + ".example.org", 1},
	} {
		s, err := ParseSpec(tc.text)
		if err != nil {
			t.Errorf("ParseSpec(%q): %v", tc.text, err)
			continue
		}
		if s.Kind() != tc.kind || s.String() != tc.want || s.Count() != tc.count {
			t.Errorf("ParseSpec(%q) = %s %q with %d addresses, want %s %q with %d", tc.text, s.Kind(), s, s.Count(), tc.kind, tc.want, tc.count)
		}
		if s.Single() != (tc.kind == SpecAddress || tc.kind == SpecName) || s.IsZero() {
			t.Errorf("ParseSpec(%q): single %v, zero %v", tc.text, s.Single(), s.IsZero())
		}
	}
}

func TestParseSpecRefuses(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		"": "is empty", "-oN": "dash", "--script=x": "dash", "-iL/etc/shadow": "dash", "-": "dash", "-10.20.0.7": "dash",
		"$(id)": `"$"`, "a;id": `";"`, "a\n-oN": `"\x0a"`, "`id`": "\"`\"", "a b": `" "`, " 10.20.0.7": `" "`, "10.20.0.7\t": `"\x09"`, "a\x00": `"\x00"`,
		"0/0": "all four parts", "10/8": "all four parts", "10.0.0/24": "all four parts", "10.0.0.0/024": "prefix length", "10.0.0.0/": "prefix length",
		"10.0.0.0/33": "/0 to /32", "10.0.0.0/-1": "/0 to /32", "::/129": "/0 to /128", "fe80::1%eth0": "zone", "fe80::%eth0/64": "zone",
		"10.20.0": "no IPv4 address", "10.20.0.256": "no IPv4 address", "010.20.0.7": "no IPv4 address", "1": "no IPv4 address", ".": "no IPv4 address", "3232235777": "no IPv4 address",
		"10.20.1.9-5": "no range", "10.20.1.5-": "no range", "10.20.1.-5": "no range", "10.20.1.5-256": "no range", "10.20.1.05-9": "no range",
		"10.20.1.5-9-11": "no range", "10.20.1-5": "no range", "10.20.0.1-10.20.0.9": "no range", "0-0.0.0.0": "no address of a host",
		"10.20.0.*": `"*"`, "10.20.0.1,3": "comma", "[::1]": "brackets", "http://a/": "URL", "10.20.0.7:80": "port", "web:80": "port", ":::": "no IPv6 address",
		"10.20.1.5-9/24": "mixes", "web.example.org/24": "no prefix", "/24": "no prefix", "/etc/passwd": "no prefix", "../x": "all four parts",
		"web.": "two dots", ".web": "two dots", "a..b": "two dots", "web-.example.org": "dash", "a.-b": "dash", "my_host": `"_"`, "bücher.example": "ASCII", "a\u202eb": "ASCII", "\xff": "ASCII",
		"web.123": "no number", "0x7f000001": "no number", "a.0x1f": "no number", "0x": "no number",
		strings.Repeat("a", 64): "63", strings.Repeat("a.", 127) + "a": "253", "0.0.0.0": "no address of a host", "::": "no address of a host",
		"239.1.2.3": "no address of a host", "ff02::1": "no address of a host", "255.255.255.255": "no address of a host",
	} {
		s, err := ParseSpec(text)
		var refused *SpecError
		if !errors.As(err, &refused) || refused.Text != text || !strings.Contains(refused.Reason, reason) {
			t.Errorf("ParseSpec(%q): %v, want %q", text, err, reason)
			continue
		}
		if !s.IsZero() || s.Count() != 0 || err.Error() != Clean(err.Error()) {
			t.Errorf("ParseSpec(%q) = %q, %q", text, s, err)
		}
	}
	long := strings.Repeat("x", 1<<20) + "$"
	if _, err := ParseSpec(long); err == nil || len(err.Error()) > 300 {
		t.Errorf("the message on a text of 1 MiB has %d bytes", len(err.Error()))
	}
}

func TestSpecCheckCap(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text  string
		limit int
		want  []string // nil: within the limit
	}{
		{"10.0.0.0/16", DefaultMaxAddresses, nil},
		{"2001:db8::/112", DefaultMaxAddresses, nil},
		{"web.example.org", 1, nil},
		{"10.0.0.0/15", 131072, nil},
		{"0.0.0.0/0", DefaultMaxAddresses, []string{"expands to 4,294,967,296 addresses, limit 65,536", "at most a /16", "scan.max_addresses"}},
		{"127.0.0.0/8", DefaultMaxAddresses, []string{"expands to 16,777,216 addresses, limit 65,536"}},
		{"1-255.1-255.1-255.1-255", DefaultMaxAddresses, []string{"expands to 4,228,250,625 addresses", "at most a /16"}},
		{"::1/8", DefaultMaxAddresses, []string{"expands to 2^120 addresses", "at most a /112"}},
		{"2001:db8::/111", DefaultMaxAddresses, []string{"expands to 131,072 addresses", "at most a /112"}},
		{"10.0.0.0/24", 100, []string{"expands to 256 addresses, limit 100", "at most a /26"}},
		{"10.0.0.7", 0, []string{"limit 0"}},
		{"10.0.0.7", -1, []string{"limit 0"}},
	} {
		err := mustSpec(t, tc.text).CheckCap(tc.limit)
		if (err == nil) != (tc.want == nil) {
			t.Errorf("%s, limit %d: %v", tc.text, tc.limit, err)
		}
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, limit %d: %v, want %q", tc.text, tc.limit, err, want)
			}
		}
	}
}

func TestSpecAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.20.0.7":          "10.20.0.7",
		"10.20.0.0/30":       "10.20.0.0 10.20.0.1 10.20.0.2 10.20.0.3",
		"255.255.255.254/31": "255.255.255.254 255.255.255.255",
		"2001:db8::fffe/127": "2001:db8::fffe 2001:db8::ffff",
		"10.20.1.254-255":    "10.20.1.254 10.20.1.255",
		"10.0.0-1.7-8":       "10.0.0.7 10.0.0.8 10.0.1.7 10.0.1.8",
		"web.example.org":    "",
	} {
		s, _ := ParseSpec(text)
		var got []string
		for a := range s.Addresses() {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s stands for %v, want %s", text, got, want)
		}
	}
	for range mustSpec(t, "0.0.0.0/0").Addresses() {
		break // an iteration can be left
	}
	for range mustSpec(t, "0-255.0-255.0-255.0-1").Addresses() {
		break
	}
}

func TestSpecContains(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		spec, address string
		want          bool
	}{
		{"10.20.0.0/24", "10.20.0.255", true},
		{"10.20.0.0/24", "::ffff:10.20.0.9", true},
		{"10.20.0.0/24", "10.20.1.0", false},
		{"10.20.0.0/24", "2001:db8::", false},
		{"10.0.0-3.1-254", "10.0.3.254", true},
		{"10.0.0-3.1-254", "10.0.3.255", false},
		{"10.0.0-3.1-254", "10.0.4.1", false},
		{"10.0.0-3.1-254", "2001:db8::", false},
		{"::/0", "10.20.0.7", false},
		{"::1", "::1", true},
		{"web.example.org", "10.20.0.7", false},
	} {
		if got := mustSpec(t, tc.spec).Contains(netip.MustParseAddr(tc.address)); got != tc.want {
			t.Errorf("%s contains %s: %v", tc.spec, tc.address, got)
		}
	}
	if (Spec{}).Contains(netip.Addr{}) {
		t.Error("nothing contains nothing")
	}
}

func TestSpecText(t *testing.T) {
	t.Parallel()
	in := []Spec{mustSpec(t, "10.0.0.5/24"), mustSpec(t, "Web.example.org")}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `["10.0.0.0/24","web.example.org"]` {
		t.Fatalf("%s, %v", text, err)
	}
	var out []Spec
	if err := json.Unmarshal(text, &out); err != nil || !slices.Equal(in, out) {
		t.Errorf("%v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`["-oN"]`), &out); err == nil {
		t.Error("an option is read back")
	}
}

// FuzzParseSpec holds that what is accepted is harmless, and that its canonical
// form says the same.
func FuzzParseSpec(f *testing.F) {
	for _, seed := range []string{
		"10.20.0.7", "10.0.0.5/24", "10.0.0-3.1-254", "web.example.org", "::1", "2001:db8::/120", "::ffff:10.0.0.0/100",
		"-oN", "--script=x", "$(id)", "a;id", "a\n-oN", "0/0", "1-255.1-255.1-255.1-255", "::1/8", "fe80::1%eth0", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpec(text)
		if err != nil {
			if !s.IsZero() || Clean(err.Error()) != err.Error() {
				t.Errorf("refused as %+v: %q", s, err)
			}
			return
		}
		if strings.Trim(s.String(), "abcdefghijklmnopqrstuvwxyz0123456789.-:/") != "" || s.String()[0] == '-' {
			t.Errorf("%q gives %q", text, s)
		}
		if again, err := ParseSpec(s.String()); err != nil || again != s {
			t.Errorf("%q gives %q, and that gives %q (%v)", text, s, again, err)
		}
		if s.Count() == 0 || (s.Count() > 512) != (s.CheckCap(512) != nil) {
			t.Errorf("%q has %d addresses", s, s.Count())
		}
		n, previous := uint64(0), netip.Addr{}
		for a := range s.Addresses() {
			if n++; !s.Contains(a) || (previous.IsValid() && previous.Compare(a) >= 0) || n > s.Count() {
				t.Fatalf("%q: address %d is %s after %s", s, n, a, previous)
			}
			if previous = a; n == 512 {
				return
			}
		}
		if s.Kind() != SpecName && n != s.Count() {
			t.Errorf("%q has %d addresses and yields %d", s, s.Count(), n)
		}
	})
}
