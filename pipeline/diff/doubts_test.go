package diff

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// seenAs is a host of a vantage as one look saw it, open for some TCP ports of
// the first hundred; status says what came of looking.
func seenAs(t *testing.T, vantage string, last byte, status state.CoverageStatus, ports ...uint16) state.Host {
	t.Helper()
	set, err := state.ParsePortSet("1-100")
	if err != nil {
		t.Fatal(err)
	}
	h := state.Host{Vantage: vantage, Address: netip.AddrFrom4([4]byte{192, 0, 2, last}), State: state.Up}
	if status == state.Silent {
		h.State, set = state.Down, state.PortSet{}
	}
	h.Coverage = []state.Coverage{{Protocol: state.TCP, Status: status, Ports: set}}
	for _, p := range ports {
		h.Ports = append(h.Ports, state.PortStatus{Port: state.Port{Protocol: state.TCP, Number: p}, State: state.Open})
	}
	return h
}

func TestDoubts(t *testing.T) {
	t.Parallel()
	a := func(v string, last byte, ports ...uint16) state.Host {
		return seenAs(t, v, last, state.Answered, ports...)
	}
	quiet := func(v string, last byte) state.Host { return seenAs(t, v, last, state.Silent) }
	was := []state.Host{a("local", 1, 22, 80), a("local", 2, 22), a("local", 3), a("local", 4), a("local", 5)}
	for _, test := range []struct {
		name string
		was  []state.Host
		now  []state.Host
		want string
	}{
		{"nothing changed", was, was, ""},
		{
			"opened, closed and down", was,
			[]state.Host{a("local", 1, 22, 23), quiet("local", 2), a("local", 3), a("local", 4), a("local", 5)},
			"local 192.0.2.1 23/tcp; local 192.0.2.1 80/tcp; local 192.0.2.2 0/; ",
		},
		{"a new host was looked at twice", was, []state.Host{a("local", 9, 22)}, ""},
		{"a port that nobody had looked at", was, []state.Host{a("local", 1, 22, 80, 8080)}, ""},
		{
			"blind, and another vantage that sees",
			[]state.Host{a("blind", 1, 22), a("blind", 2), a("blind", 3), a("blind", 4), a("dmz", 1)},
			[]state.Host{a("blind", 1), quiet("blind", 2), quiet("blind", 3), quiet("blind", 4), a("dmz", 1, 25)},
			"dmz 192.0.2.1 25/tcp; ",
		},
		{"not scanned", was, []state.Host{seenAs(t, "local", 1, state.NotScanned)}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			for _, ask := range Doubts(test.was, test.now) {
				fmt.Fprintf(&got, "%s %s %s; ", ask.Vantage, ask.Address, ask.Port)
			}
			if got.String() != test.want {
				t.Errorf("got %q\nwant %q", got.String(), test.want)
			}
		})
	}
}
