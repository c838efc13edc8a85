package persist

import (
	"net/netip"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// answers is a host that answered, with open ports written "22/tcp ssh OpenSSH
// 9.2": port, service, product and version, all seen by service detection.
func answers(tb testing.TB, address string, ports ...string) state.Host {
	tb.Helper()
	host := state.Host{Vantage: state.DefaultVantage, Address: netip.MustParseAddr(address), State: state.Up}
	for _, text := range ports {
		fields := append(strings.Fields(text), "", "", "")
		port, err := state.ParsePort(fields[0])
		if err != nil {
			tb.Fatal(err)
		}
		host.Ports = append(host.Ports, state.PortStatus{Port: port, State: state.Open, Service: state.Service{
			Name: fields[1], Product: fields[2], Version: fields[3], Probed: true,
		}})
	}
	return asked(tb, host, "1-1000", state.Answered, "")
}

func silent(tb testing.TB, address string) state.Host {
	tb.Helper()
	host := state.Host{Vantage: state.DefaultVantage, Address: netip.MustParseAddr(address), State: state.Down}
	return asked(tb, host, "1-1000", state.Silent, state.NoAnswer)
}

// asked gives a host its coverage: these TCP ports.
func asked(tb testing.TB, host state.Host, ports string, status state.CoverageStatus, reason string) state.Host {
	tb.Helper()
	set, err := state.ParsePortSet(ports)
	if err != nil {
		tb.Fatal(err)
	}
	host.Coverage = []state.Coverage{{Protocol: state.TCP, Status: status, Reason: reason, Ports: set, Services: true}}
	return host
}

// one is a night of one shard.
func one(hosts ...state.Host) night { return night{hosts} }

// kinds returns what the changes of an outcome say, one word each.
func kinds(changes []state.Change) string {
	words := make([]string, len(changes))
	for i, c := range changes {
		words[i] = string(c.Kind)
	}
	return strings.Join(words, " ")
}

// exec1 runs a statement of the test's own, which must hit one row.
func exec1(tb testing.TB, book *Book, sql string, args ...any) {
	tb.Helper()
	tag, err := book.pool.Exec(tb.Context(), sql, args...)
	if err != nil || tag.RowsAffected() != 1 {
		tb.Fatalf("%s: %d rows, %v", sql, tag.RowsAffected(), err)
	}
}

// want fails the test unless a query gives this text.
func want(tb testing.TB, book *Book, text, query string) {
	tb.Helper()
	if got := dump(tb, book, query); got != text {
		tb.Errorf("%s:\n got %s\nwant %s", query, got, text)
	}
}
