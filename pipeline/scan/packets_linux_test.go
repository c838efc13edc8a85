package scan

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// sentTo records when this machine sends packets from 127.0.0.1 to a network on
// its loopback, until stop is called, which returns the most in any second and
// the sum.
func sentTo(t *testing.T, network netip.Prefix) (stop func() (peak, sum int)) {
	t.Helper()
	const allIPv4 = 0x0800
	wire, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, int(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, allIPv4))))
	if err != nil {
		t.Fatalf("counting packets takes CAP_NET_RAW: %v", err)
	}
	_ = syscall.SetsockoptInt(wire, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<20)
	if err := syscall.SetsockoptTimeval(wire, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 50000}); err != nil {
		t.Fatal(err)
	}
	var times []time.Time
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		defer syscall.Close(wire)
		head := make([]byte, 64)
		for {
			n, from, err := syscall.Recvfrom(wire, head, 0)
			select {
			case <-done:
				return
			default:
			}
			link, ok := from.(*syscall.SockaddrLinklayer)
			if err != nil || !ok || n < 20 || link.Pkttype != syscall.PACKET_HOST {
				continue
			}
			if [4]byte(head[12:16]) == [4]byte{127, 0, 0, 1} && network.Contains(netip.AddrFrom4([4]byte(head[16:20]))) {
				times = append(times, time.Now())
			}
		}
	})
	return func() (peak, sum int) {
		close(done)
		reading.Wait()
		begin := 0
		for i, at := range times {
			for at.Sub(times[begin]) >= time.Second {
				begin++
			}
			peak = max(peak, i-begin+1)
		}
		return peak, len(times)
	}
}

// Service detection keeps to a low rate although nmap's own limit does not bind
// it, even with services that hang up at every word.
func TestServicesKeepToTheRate(t *testing.T) {
	t.Parallel()
	listeners := lab.Listen(t)
	shard := servicesShard(t, "127.75.0.1")
	shard.Hosts = nil
	for i := range 4 {
		host := netip.AddrFrom4([4]byte{127, 75, 0, byte(i + 1)})
		var ask []state.Port
		for n := range uint16(6) {
			listeners.Open(endpoint(host.String(), tcp(2201+n), lab.SSH()))
			ask = append(ask, tcp(2201+n))
		}
		serve(t, netip.AddrPortFrom(host, 2301).String(), func(_ int64, conn net.Conn) {
			_, _ = conn.Read(make([]byte, 512))
		})
		shard.Hosts = append(shard.Hosts, state.ShardHost{Address: host, Ask: append(ask, tcp(2301))})
	}
	const rate = 500
	stop := sentTo(t, netip.MustParsePrefix("127.75.0.0/16"))
	hosts, result := detected(t, newScanner(t, Options{Rate: rate}), shard)
	peak, sum := stop()
	if peak > rate || sum < 4*7*2 {
		t.Errorf("%d packets in one second, %d in all; notes %q", peak, sum, result.Notes)
	}
	for _, h := range hosts {
		if len(h.Ports) != 7 {
			t.Errorf("%s: %d ports", h.Address, len(h.Ports))
		}
	}
}
