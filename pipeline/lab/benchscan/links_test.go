package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLinkLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row  row
		good bool
	}{
		"named":               {row{judged: true, carried: 10_000, told: 12_500}, true},
		"half of it":          {row{judged: true, carried: 10_000, told: 5_000}, true},
		"far too much":        {row{judged: true, carried: 10_000, told: 12_501}, false},
		"far too little":      {row{judged: true, carried: 10_000, told: 4_999}, false},
		"not named":           {row{judged: true, carried: 10_000}, false},
		"at the rate":         {row{judged: true, peakLimit: 500, steady: 500, fastest: 500, peakSent: 700}, true},
		"over it for long":    {row{judged: true, peakLimit: 500, steady: 501, fastest: 400}, false},
		"over it all the run": {row{judged: true, peakLimit: 500, steady: 400, fastest: 501}, false},
		"too large":           {row{judged: true, own: 60, ownLimit: 60}, false},
	} {
		if c.row.good() != c.good {
			t.Errorf("%s: good is %t", name, !c.good)
		}
	}
	for _, c := range [][4]int{{100, 0, 90, 90}, {100, 90, 80, 80}, {100, 90, 105, 90}, {100, 90, 115, 115}} {
		if got := worse(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("of %d, %d and %d, %d is the worse", c[0], c[1], c[2], got)
		}
	}
}

// TestParseNdiff reads what the real ndiff says of three hosts, of which one changed, one is new and one is as it was.
func TestParseNdiff(t *testing.T) {
	t.Parallel()
	host := func(address string, ports ...string) string {
		var b strings.Builder
		fmt.Fprintf(&b, `<host><status state="up" reason="echo-reply"/><address addr="%s" addrtype="ipv4"/><ports>`, address)
		for _, p := range ports {
			number, state, _ := strings.Cut(p, "/")
			fmt.Fprintf(&b, `<port protocol="tcp" portid="%s"><state state="%s" reason="x"/><service name="x"/></port>`, number, state)
		}
		return b.String() + "</ports></host>"
	}
	dir := t.TempDir()
	write := func(name string, hosts ...string) string {
		file := filepath.Join(dir, name)
		text := `<nmaprun scanner="nmap" args="` + name + `" start="1700000000" version="7.93">` + strings.Join(hosts, "") + "</nmaprun>"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	same := host("10.77.0.3", "22/open")
	before := write("before", host("10.77.0.1", "22/open", "80/closed", "443/open"), same)
	after := write("after", host("10.77.0.1", "22/open", "80/filtered"), host("10.77.0.2", "25/open"), same)
	out, err := exec.CommandContext(t.Context(), "ndiff", before, after).Output()
	if err == nil {
		t.Fatalf("no difference: %s", out)
	}
	changed, err := parseNdiff(out)
	want := []netip.AddrPort{at("10.77.0.1:80"), at("10.77.0.1:443"), at("10.77.0.2:25")}
	if err != nil || !slices.Equal(changed, want) {
		t.Errorf("%v, %v; want %v of\n%s", changed, err, want, out)
	}
}
