package scan

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/netlab"
	"ownmap/pipeline/state"
)

// inside makes a scanner whose nmaps run in the lab's namespace.
func inside(t *testing.T, l *netlab.Lab, options Options) *Scanner {
	t.Helper()
	enter := strings.Join(l.Command(t.Context(), "nmap").Args, "' '")
	options.Binary = lab.NewFakeNmap(t, "IFS='\n'; exec '"+enter+`' $(cat "$DIR/call.$$")`, nil).Path
	return newScanner(t, options)
}

// The link carries a quarter of the rate that was learned, and nothing is known
// of its hosts yet. Where they refuse what is closed, that shows it in one look,
// which may miss what any link loses by chance; where a firewall is silent, the
// second look at new hosts shows it, and finds all.
func TestFirstScanOverTheLink(t *testing.T) {
	t.Parallel()
	top, err := netlab.TopPorts(t.Context(), state.TopPorts)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		hosts     int
		drop, new bool
	}{
		"refused": {32, false, false},
		"dropped": {16, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := netlab.Start(t, netlab.Options{
				Hosts: netlab.Network(3, c.hosts, top), Wire: netlab.Wire{RTT: 5 * time.Millisecond, Rate: 15000, Drop: c.drop},
			})
			want, asked := map[netip.Addr][]state.Port{}, state.PortsOf(top...)
			var addresses []string
			for at := range l.Truth() {
				if want[at.Addr()] == nil {
					addresses = append(addresses, at.Addr().String())
				}
				want[at.Addr()] = append(want[at.Addr()], tcp(at.Port()))
				asked = asked.Union(state.PortsOf(at.Port()))
			}
			s := inside(t, l, Options{Rate: 60000, Start: 60000})
			shard := shardOf(state.Profile{Name: "test", Ports: asked, Timing: 4}, addresses...)
			for i := range shard.Hosts {
				shard.Hosts[i].New = c.new
			}
			got := scanOne(t, s, shard)
			missed := 0
			if !c.new {
				missed = lossByChance(len(l.Truth()))
			}
			compareBut(t, open(got.Hosts), want, missed)
			// Half of what lost packets is where the next search ends.
			if got.Pace.Next > 30000 {
				t.Errorf("pace %+v over a link of 15,000, notes %q", got.Pace, got.Notes)
			}
		})
	}
}

// The second look at new hosts finds what the first lost: there has to be a
// third. One that finds nothing new is the last.
func TestThirdLook(t *testing.T) {
	t.Parallel()
	document := func(from, to int) string {
		var ports strings.Builder
		for n := 1; n <= 20; n++ {
			kind, reason := "closed", "reset"
			if n >= from && n <= to {
				kind, reason = "open", "syn-ack"
			}
			fmt.Fprintf(&ports, `<port protocol="tcp" portid="%d"><state state="%s" reason="%s"/></port>`, n, kind, reason)
		}
		return strings.Replace(xmlHead, `"2" services="22,80"`, `"20" services="1-20"`, 1) +
			`<host><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/><ports>` + ports.String() + `</ports></host>` +
			`<runstats><finished time="1" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>`
	}
	for name, c := range map[string]struct {
		first, second, third string
		looks, open          int
	}{
		"the same":  {document(1, 5), document(1, 5), "", 2, 5},
		"two more":  {document(1, 5), document(1, 7), "", 2, 7},
		"many more": {document(1, 2), document(1, 8), document(1, 9), 3, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := lab.NewFakeNmap(t, `echo >> "$DIR/looks"; cat "$DIR/$(wc -l < "$DIR/looks" | tr -d ' ').xml"`,
				map[string]string{"1.xml": c.first, "2.xml": c.second, "3.xml": c.third})
			shard := shardOf(profile(t, "1-20"), "192.0.2.1")
			shard.Hosts[0].New = true
			got := scanOne(t, newScanner(t, Options{Binary: fake.Path}), shard)
			if n := len(fake.Targets(t)); n != c.looks || len(got.Hosts[0].Ports) != c.open {
				t.Errorf("%d looks, %d open ports: want %d and %d", n, len(got.Hosts[0].Ports), c.looks, c.open)
			}
		})
	}
}
