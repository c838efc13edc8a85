package lab

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"

	"ownmap/pipeline/state"
)

// Crowd plans about n TCP listeners over all addresses of a prefix of 127/8:
// as many on each, on ports that nmap's top 1,000 hold and the kernel does not
// hand out to clients. The same seed gives the same crowd.
func Crowd(tb testing.TB, seed uint64, prefix netip.Prefix, n int) []Endpoint {
	tb.Helper()
	if !prefix.Addr().IsLoopback() || !prefix.Addr().Is4() {
		tb.Fatalf("a crowd lives in 127/8, not in %s", prefix)
	}
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // the same crowd for the same seed is the point
	var addresses []netip.Addr
	for a := prefix.Masked().Addr(); prefix.Contains(a); a = a.Next() {
		addresses = append(addresses, a)
	}
	known := wellKnown()
	ports := slices.Sorted(maps.Keys(known))
	var crowd []Endpoint
	taken := map[place]bool{}
	for i := 0; len(crowd) < n; i++ {
		port := ports[random.IntN(len(ports))]
		at := place{addresses[i%len(addresses)], state.Port{Protocol: state.TCP, Number: port}}
		if !taken[at] {
			taken[at] = true
			crowd = append(crowd, Endpoint{Address: at.address, Port: at.port, Talk: known[port]})
		}
	}
	return crowd
}

// wellKnown are ports of nmap's top 1,000 below the ephemeral range, with what
// may listen there; most begin to speak by themselves. Who is not root gets those
// from 1024 on.
func wellKnown() map[uint16]Talk {
	known := map[uint16]Talk{}
	for _, port := range []uint16{21, 990, 2121, 5800, 10000} {
		known[port] = FTP()
	}
	for _, port := range []uint16{22, 222, 2022, 2222, 8022, 26} {
		known[port] = SSH()
	}
	for _, port := range []uint16{25, 465, 587, 2525} {
		known[port] = SMTP()
	}
	known[80], known[8080] = HTTP(), HTTP()
	for _, port := range []uint16{81, 88, 8000, 8008, 8081, 8888, 9000, 106, 1723, 3306, 5432, 5900, 6000, 6646, 7070, 8443, 9999, 15000, 16080} {
		known[port] = SSH()
	}
	if os.Geteuid() != 0 {
		maps.DeleteFunc(known, func(port uint16, _ Talk) bool { return port < 1024 })
	}
	return known
}

// raiseFileLimit makes room for n listeners and their connections.
func raiseFileLimit(tb testing.TB, n int) {
	tb.Helper()
	wanted := uint64(2*n + 512)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		tb.Fatalf("limit of open files: %v", err)
	}
	if limit.Cur >= wanted {
		return
	}
	limit.Cur, limit.Max = wanted, max(limit.Max, wanted)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		tb.Fatalf("raise the limit of open files to %d: %v", wanted, err)
	}
}
