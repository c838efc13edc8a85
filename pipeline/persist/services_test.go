package persist

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// detected takes a host that was seen through a run with service detection: what
// it is asked for is returned, and named as services says.
func detected(t *testing.T, book *Book, seen state.Host, services map[uint16]state.Service) []state.Ask {
	t.Helper()
	run := one(seen).stage(t, book)
	due, err := book.Due(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	again(t, book, run, state.WorkServices, due)
	for _, shard := range undone(t, book, run) {
		named := state.Host{Vantage: shard.Vantage, Address: seen.Address, State: state.Up}
		for _, port := range shard.Hosts[0].Ask {
			if s, ok := services[port.Number]; ok {
				s.Probed = true
				named.Ports = append(named.Ports, state.PortStatus{Port: port, State: state.Open, Service: s})
			}
		}
		result(t, book, shard, named)
	}
	finishRun(t, book, run)
	return due
}

// said is a host of which no service was detected, with the banners of its ports;
// the banner "-" is silence.
func said(tb testing.TB, banners map[uint16]string) state.Host {
	tb.Helper()
	host := answers(tb, "127.0.0.1")
	for port, banner := range banners {
		host.Ports = append(host.Ports, state.PortStatus{
			Port: state.Port{Protocol: state.TCP, Number: port}, State: state.Open, Service: state.Service{Name: "guess"}, Banner: banner, Silent: banner == "-",
		})
	}
	slices.SortFunc(host.Ports, func(a, b state.PortStatus) int { return a.Compare(b.Port) })
	return host
}

func numbersOf(asks []state.Ask) string {
	var list strings.Builder
	for _, a := range asks {
		fmt.Fprintf(&list, "%d ", a.Port.Number)
		if a.Slow {
			list.WriteString("slow ")
		}
	}
	return list.String()
}

// age sets when services were named back to so many days ago.
func age(tb testing.TB, book *Book, days int) {
	tb.Helper()
	if _, err := book.pool.Exec(tb.Context(), "update port_current set named_at = now() - $1 * interval '1 day'", days); err != nil {
		tb.Fatal(err)
	}
}

func TestServicesAreAskedForWhenDue(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	ssh, odd := state.Service{Name: "ssh", Product: "OpenSSH"}, state.Service{Name: "unknown"}
	const sshPort, oddPort, mutePort = 22, 23, 24
	same := map[uint16]string{sshPort: "aa", oddPort: "bb", mutePort: "-"}
	services := map[uint16]state.Service{sshPort: ssh, oddPort: odd}
	if got := numbersOf(detected(t, book, said(t, same), services)); got != "22 23 24 slow " {
		t.Errorf("first run: %s, want all", got)
	}
	services[mutePort] = odd
	if got := numbersOf(detected(t, book, said(t, same), services)); got != "24 slow " {
		t.Errorf("second run: %s, want the port whose service is not known", got)
	}
	want(t, book, "(22,OpenSSH,aa)\n(23,\"\",bb)\n(24,\"\",-)", "select port, product, banner from port_current c join fingerprint f on f.id = c.fp order by 1")
	for run := 3; run <= 9; run++ {
		days, turn := 10, ""
		if run == 4 {
			days, turn = 40, "22 "
		}
		age(t, book, days)
		if got := numbersOf(detected(t, book, said(t, same), services)); got != turn {
			t.Errorf("run %d: %q, want %q: only what has a name takes its turn, after weeks", run, got, turn)
		}
	}
	other := map[uint16]string{sshPort: "zz", oddPort: "bb", mutePort: "-"}
	for range 2 { // nmap fails: the port stays due
		if got := numbersOf(detected(t, book, said(t, other), nil)); got != "22 " {
			t.Errorf("another banner: %q, want 22", got)
		}
	}
	if got := numbersOf(detected(t, book, said(t, map[uint16]string{sshPort: "", oddPort: "", mutePort: ""}), nil)); got != "" {
		t.Errorf("no banner was taken: %q, want none", got)
	}
	services[sshPort] = state.Service{Name: "ssh", Product: "Dropbear"}
	detected(t, book, said(t, other), services)
	if got := numbersOf(detected(t, book, said(t, other), services)); got != "" {
		t.Errorf("after it was named: %q, want none", got)
	}
	want(t, book, "(product-changed,13)", "select kind, rev from port_change where rev > 2")
	want(t, book, "(0)", "select count(*) from flap")
	checkInvariants(t, book)
}
