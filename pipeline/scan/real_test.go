package scan

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// Real nmap against real listeners: what is open is found, and nothing else; a
// closed one is covered and gone.
func TestListenersAreFoundExactly(t *testing.T) {
	t.Parallel()
	for name, privileged := range map[string]bool{"SYN scan": true, "connect scan": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net := map[bool]string{true: "127.61.0.", false: "127.61.1."}[privileged]
			s := newScanner(t, Options{})
			if privileged && !s.privileged {
				t.Log("without raw sockets both are connect scans")
			}
			s.privileged = s.privileged && privileged
			listeners := lab.Listen(t,
				endpoint(net+"1", tcp(2222), lab.SSH()), endpoint(net+"1", tcp(8080), lab.HTTP()),
				endpoint(net+"2", tcp(2525), lab.SMTP()))
			shard := shardOf(profile(t, "2200-2600,8000-8100"), net+"1", net+"2", net+"3")
			first := scanOne(t, s, shard)
			compare(t, open(first.Hosts), listeners.List())
			if len(first.Hosts) != 3 || first.Scanner.Version == "" || first.Scanner.Privileged != s.privileged || len(first.Notes) > 0 {
				t.Fatalf("result: %d hosts, %+v, notes %q", len(first.Hosts), first.Scanner, first.Notes)
			}
			for _, h := range first.Hosts {
				if c := h.Covered(state.TCP); c.Status != state.Answered || c.Ports.String() != "2200-2600,8000-8100" || c.Services {
					t.Errorf("%s: coverage %+v", h.Address, c)
				}
			}
			listeners.Close(netip.MustParseAddr(net+"1"), tcp(8080))
			second := scanOne(t, s, shard)
			compare(t, open(second.Hosts), listeners.List())
			if !second.Hosts[0].Covered(state.TCP).Conclusive(tcp(8080)) {
				t.Error("the closed port is not covered")
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	listeners := lab.Listen(t, endpoint("127.62.0.1", tcp(2222), lab.SSH()))
	shard := shardOf(profile(t, "2222"), "127.62.0.1", "127.62.0.2")
	shard.Discover = true
	got := scanOne(t, newScanner(t, Options{}), shard)
	compare(t, open(got.Hosts), listeners.List())
	if len(got.Hosts) != 2 || got.Hosts[1].Status() != state.Answered {
		t.Errorf("hosts: %+v", got.Hosts)
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	port := lab.Listen(t).Open(endpoint("::1", tcp(0), lab.SSH()))
	got := scanOne(t, newScanner(t, Options{}), shardOf(profile(t, state.PortsOf(port.Number, 1).String()), "::1"))
	compare(t, open(got.Hosts), map[netip.Addr][]state.Port{netip.IPv6Loopback(): {port}})
	if c := got.Hosts[0].Covered(state.TCP); c.Status != state.Answered || c.Ports.Len() != 2 {
		t.Errorf("coverage %+v", c)
	}
}

// 53/tcp and 53/udp are two ports. Without raw sockets UDP is left out, and the
// ledger and a note say so.
func TestUDP(t *testing.T) {
	t.Parallel()
	number := uint16(53)
	if os.Geteuid() != 0 {
		number = 5353 // below 1024 only root listens
	}
	udp := state.Port{Protocol: state.UDP, Number: number}
	lab.Listen(t, endpoint("127.63.0.1", tcp(number), lab.Talk{}), endpoint("127.63.0.1", udp, lab.Talk{Reply: "x"}))
	p := profile(t, state.PortsOf(number).String())
	p.UDP = state.PortsOf(number, 123)
	for name, privileged := range map[string]bool{"privileged": true, "unprivileged": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScanner(t, Options{})
			if s.privileged = s.privileged && privileged; !s.privileged && privileged {
				t.Log("without raw sockets there is no UDP scan to test")
			}
			got := scanOne(t, s, shardOf(p, "127.63.0.1"))
			h := got.Hosts[0]
			if _, ok := h.Find(tcp(number)); !ok || len(h.Coverage) != 2 {
				t.Fatalf("TCP: %v, coverage %+v", ok, h.Coverage)
			}
			_, found := h.Find(udp)
			if s.privileged {
				if c := h.Covered(state.UDP); !found || c.Status != state.Answered || !c.Ports.Contains(123) {
					t.Errorf("UDP: %v, coverage %+v", found, c)
				}
				return
			}
			c := h.Covered(state.UDP)
			if found || c.Status != state.NotScanned || c.Reason != state.ScanFailed || len(got.Notes) != 1 || got.Notes[0] != noteNoUDP {
				t.Errorf("UDP: %v, coverage %+v, notes %q", found, c, got.Notes)
			}
		})
	}
}

// A host that its time limit cuts was not scanned: none of its ports is covered.
// nmap calls it a success, and so does its exit status.
func TestHostTimeout(t *testing.T) {
	t.Parallel()
	seen, err := newScanner(t, Options{}).look(t.Context(), look{
		name: "timeout", addresses: []netip.Addr{netip.MustParseAddr("127.64.0.1")}, ask: ports{state.TCP: portSet(t, "1-1000")},
		rate: 100, timing: 4, intensity: noService, patience: 1500 * time.Millisecond,
	}, nil)
	if err != nil || !seen.whole {
		t.Fatalf("%v, %+v", err, seen)
	}
	for _, h := range seen.hosts {
		if c := h.Covered(state.TCP); c.Status != state.NotScanned || c.Reason != state.HostTimeout || c.Ports.Len() > 0 {
			t.Errorf("coverage %+v", c)
		}
	}
	if !seen.facts[netip.MustParseAddr("127.64.0.1")].timedOut {
		t.Error("the fact does not tell")
	}
}

// What a host says arrives harmless, and service detection is told from the
// table of ports.
func TestHostileBanner(t *testing.T) {
	t.Parallel()
	hostile := "<script>alert(1)</script>\x1b[2J\u202e\u2028"
	lab.Listen(t, endpoint("127.65.0.1", tcp(2121), lab.Talk{Greeting: "220 vsFTPd " + hostile + " ready...\r\n"}),
		endpoint("127.65.0.1", tcp(2222), lab.Talk{Greeting: "SSH-2.0-OpenSSH_9.2p1 Debian-" + hostile + "\r\n"}))
	address := netip.MustParseAddr("127.65.0.1")
	got, err := newScanner(t, Options{}).look(t.Context(), look{
		name: "hostile", addresses: []netip.Addr{address}, ask: ports{state.TCP: portSet(t, "2121,2222")}, rate: 1000, timing: 4, intensity: 7,
	}, nil)
	h := got.hosts[address]
	if err != nil || len(h.Ports) != 2 || !h.Covered(state.TCP).Services {
		t.Fatalf("%v, %+v", err, h)
	}
	var texts []string
	for _, p := range h.Ports {
		if !p.Service.Probed {
			t.Errorf("%s: not probed", p.Port)
		}
		texts = append(texts, p.Service.Name, p.Service.Product, p.Service.Version, p.Service.ExtraInfo)
		texts = append(texts, p.Service.CPE...)
	}
	all := strings.Join(append(texts, h.Names...), "|")
	if strings.ContainsAny(all, "\x1b\u202e\u2028\r\n") || strings.Count(all, "<script>alert(1)</script>") != 2 {
		t.Errorf("texts: %q", all)
	}
}
