package scan

import (
	"net/netip"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

func TestUnmask(t *testing.T) {
	t.Parallel()
	udp := state.PortStatus{Port: state.Port{Protocol: state.UDP, Number: 53}, State: state.Open}
	host := func(open int) state.Host {
		h := state.Host{Address: netip.MustParseAddr("192.0.2.1"), State: state.Up, Coverage: []state.Coverage{
			{Protocol: state.TCP, Status: state.Answered, Ports: portSet(t, "1-65535")}, {Protocol: state.UDP, Status: state.Answered, Ports: portSet(t, "53")},
		}}
		for n := range open {
			h.Ports = append(h.Ports, state.PortStatus{Port: tcp(uint16(n + 1)), State: state.Open})
		}
		h.Ports = append(h.Ports, udp)
		state.SortHosts([]state.Host{h})
		return h
	}
	busy := host(maxOpen)
	if note := Unmask(&busy); note != "" || len(busy.Ports) != maxOpen+1 || busy.Spoofed.Len() > 0 || !busy.Covered(state.TCP).Conclusive(tcp(65000)) {
		t.Errorf("a busy host: note %q, %d ports", note, len(busy.Ports))
	}
	liar := host(65535)
	note := Unmask(&liar)
	if !strings.Contains(note, "192.0.2.1 calls 65535 TCP ports open") || liar.Spoofed.String() != "1-65535" || len(liar.Ports) != 1 || liar.Ports[0].Port != udp.Port {
		t.Errorf("note %q, spoofed %s, ports %d", note, liar.Spoofed, len(liar.Ports))
	}
	if line := liar.Covered(state.TCP); line.Status != state.Answered || line.Ports.Len() > 0 || liar.State != state.Up || !liar.Covered(state.UDP).Conclusive(udp.Port) {
		t.Errorf("coverage: %+v", liar.Coverage)
	}
}

// A host that calls more ports open than is believed is asked for no more of them,
// and was looked at even if every slice that showed it was thrown away.
func TestNotWorthAsking(t *testing.T) {
	t.Parallel()
	liar, honest, late := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	p := &portScan{hosts: map[netip.Addr]*tally{liar: newTally(), honest: newTally(), late: newTally()}}
	seen := func(open int) fact {
		f := fact{answered: true}
		for n := range open {
			f.ports = append(f.ports, state.PortStatus{Port: tcp(uint16(n + 1)), State: state.Open})
		}
		return f
	}
	p.hosts[liar].found(seen(maxOpen + 1))
	p.hosts[honest].found(seen(maxOpen))
	p.hosts[late].timedOut = true
	if got := p.worthAsking([]netip.Addr{liar, honest, late}); len(got) != 1 || got[0] != honest {
		t.Errorf("worth asking: %s", got)
	}
	h := p.hosts[liar].host(liar, []state.Protocol{state.TCP}, state.ScanFailed)
	if note := Unmask(&h); note == "" || h.Covered(state.TCP).Status != state.Answered || h.State != state.Up {
		t.Errorf("note %q, state %s, coverage %+v", note, h.State, h.Coverage)
	}
}
