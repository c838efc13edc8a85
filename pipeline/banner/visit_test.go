package banner

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// service plays the nth connection to a port, from 0, in the test's own time; nil
// of a conn means that it refuses.
type service func(conn net.Conn, nth int)

// network is a world of services without packets, whose clock is that of synctest.
type network struct {
	mu       sync.Mutex
	services map[netip.AddrPort]service
	refuse   map[netip.AddrPort]int // so many connections first
	dials    map[netip.AddrPort]int
	when     []time.Time
	open     map[netip.Addr]int
	mostOpen int // at one address
	wg       sync.WaitGroup
}

func newNetwork() *network {
	return &network{services: map[netip.AddrPort]service{}, refuse: map[netip.AddrPort]int{}, dials: map[netip.AddrPort]int{}, open: map[netip.Addr]int{}}
}

func (n *network) dial(_ context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	port := netip.MustParseAddrPort(address)
	nth := n.dials[port]
	n.dials[port]++
	n.when = append(n.when, time.Now())
	if n.services[port] == nil || nth < n.refuse[port] {
		return nil, errors.New("refused")
	}
	here, there := net.Pipe()
	n.open[port.Addr()]++
	n.mostOpen = max(n.mostOpen, n.open[port.Addr()])
	n.wg.Go(func() {
		defer there.Close()
		n.services[port](there, nth)
	})
	return &counted{Conn: here, closed: sync.OnceFunc(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.open[port.Addr()]--
	})}, nil
}

// counted tells when it is closed.
type counted struct {
	net.Conn
	closed func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

// says greets with words and then hears the other side out.
func says(words string) service {
	return func(conn net.Conn, _ int) {
		_, _ = io.WriteString(conn, words)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// answers waits for a line and answers it.
func answers(words string) service {
	return func(conn net.Conn, _ int) {
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, words)
	}
}

func mute(conn net.Conn, _ int) { _, _ = io.Copy(io.Discard, conn) }

func after(d time.Duration, s service) service {
	return func(conn net.Conn, nth int) {
		time.Sleep(d)
		s(conn, nth)
	}
}

// TestVisit plays one port at a time: what is its banner, how many connections did
// that take, and how long may it take.
func TestVisit(t *testing.T) {
	t.Parallel()
	ssh := understand([]byte("SSH-2.0-x\r\n"), endWhole, "").banner()
	quiet := understand(nil, endQuiet, "").banner()
	web := "HTTP/1.0 200 OK\r\nServer: a/1\r\n\r\n"
	for name, c := range map[string]struct {
		port    uint16
		service service
		refuse  int
		want    *Banner // nil: none
		dials   int
		within  time.Duration
	}{
		"speaks":                      {22, says("SSH-2.0-x\r\n"), 0, &ssh, 1, 0},
		"speaks late":                 {8022, after(2*time.Second, says("SSH-2.0-x\r\n")), 0, &ssh, 1, 3 * time.Second}, // a pipe holds a request up until it is read
		"speaks late, by convention":  {22, after(5*time.Second, says("SSH-2.0-x\r\n")), 0, &ssh, 1, 5 * time.Second},
		"answers":                     {80, answers(web), 0, new(understand([]byte(web), endClosed, "").banner()), 1, 1500 * time.Millisecond},
		"refused":                     {22, nil, 0, nil, 2, time.Second},
		"refused once":                {22, says("SSH-2.0-x\r\n"), 1, &ssh, 2, time.Second},
		"silent":                      {5000, mute, 0, &quiet, 3, 7500 * time.Millisecond},
		"silent only once":            {5000, once(mute, answers(web)), 0, new(understand([]byte(web), endClosed, "").banner()), 2, 3 * time.Second},
		"hangs up":                    {5000, func(net.Conn, int) {}, 0, &quiet, 4, 0},
		"prints what it is sent":      {9100, neverAsked(t), 0, &quiet, 2, 3 * time.Second},
		"busy":                        {25, says("421 too many\r\n"), 0, nil, 2, time.Second},
		"busy once":                   {22, once(says("Exceeded MaxStartups\r\n"), says("SSH-2.0-x\r\n")), 0, &ssh, 2, time.Second},
		"in pieces":                   {22, pieces("SSH-2.", "0-x", "\r\n"), 0, &ssh, 1, time.Second},
		"cut off in the first look":   {22, once(closes("SSH-2"), says("SSH-2.0-x\r\n")), 0, &ssh, 2, 0},
		"another thing in each look":  {5000, once(says("abc"), closes("\x01\x02")), 0, nil, 2, 2 * time.Second},
		"drips for ever":              {5000, drips, 0, new((voice{kind: "trickle"}).banner()), 2, 15 * time.Second},
		"floods":                      {5000, floods, 0, new(agreed(floodWord)), 2, 0},
		"never reads nor says a word": {5000, func(conn net.Conn, _ int) { time.Sleep(time.Minute) }, 0, &quiet, 3, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				port := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), c.port)
				n.services[port], n.refuse[port] = c.service, c.refuse
				begin := time.Now()
				got, ok := Take(t.Context(), []netip.AddrPort{port, port}, Options{Dial: n.dial})[port]
				took := time.Since(begin)
				n.wg.Wait()
				if ok != (c.want != nil) || ok && got != *c.want {
					t.Errorf("banner %+v %t, want %+v", got, ok, c.want)
				}
				if n.dials[port] != c.dials {
					t.Errorf("%d connections, want %d", n.dials[port], c.dials)
				}
				if took > c.within {
					t.Errorf("took %v, want %v at most", took, c.within)
				}
			})
		})
	}
}

// once plays one service in the first connection, another one from then on.
func once(first, then service) service {
	return func(conn net.Conn, n int) {
		if n == 0 {
			first(conn, n)
			return
		}
		then(conn, n)
	}
}

func closes(words string) service {
	return func(conn net.Conn, _ int) { _, _ = io.WriteString(conn, words) }
}

func pieces(words ...string) service {
	return func(conn net.Conn, _ int) {
		for _, word := range words {
			_, _ = io.WriteString(conn, word)
			time.Sleep(300 * time.Millisecond)
		}
		_, _ = io.Copy(io.Discard, conn)
	}
}

func neverAsked(t *testing.T) service {
	t.Helper()
	return func(conn net.Conn, _ int) {
		if read, _ := io.ReadAll(conn); len(read) > 0 {
			t.Errorf("a printer was sent %q", read)
		}
	}
}

func drips(conn net.Conn, _ int) {
	for {
		if _, err := conn.Write([]byte("a")); err != nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

const floodWord = "flood "

func floods(conn net.Conn, _ int) {
	for {
		if _, err := io.WriteString(conn, floodWord); err != nil {
			return
		}
	}
}

// agreed is the banner of words that are repeated until nobody listens.
func agreed(words string) Banner {
	var said []byte
	for len(said) < maxSaid {
		said = append(said, words...)
	}
	return understand(said[:maxSaid], endFull, "").banner()
}

// TestTakeBounds holds how many connections are made at once and to one host, and
// that the rate is never exceeded in any second.
func TestTakeBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var ports []netip.AddrPort
		for i := range 200 {
			port := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 4)}), uint16(1000+i))
			n.services[port] = after(100*time.Millisecond, says("SSH-2.0-x\r\n"))
			ports = append(ports, port)
		}
		begin := time.Now()
		if got := Take(t.Context(), ports, Options{Dial: n.dial, PerHost: 5, Parallel: 15}); len(got) != len(ports) {
			t.Errorf("%d banners of %d", len(got), len(ports))
		}
		n.wg.Wait()
		// 200 at 15 at once, 100 ms each.
		if took := time.Since(begin); n.mostOpen != 5 || took != 1400*time.Millisecond {
			t.Errorf("%d connections at once to one host, %v in all; want 5 and 1.4 s", n.mostOpen, took)
		}

		n.when = nil
		if got := Take(t.Context(), ports, Options{Dial: n.dial, Rate: 500}); len(got) != len(ports) {
			t.Errorf("%d banners of %d at a rate", len(got), len(ports))
		}
		n.wg.Wait()
		for i, from := range n.when {
			inSecond := slices.IndexFunc(n.when[i:], func(at time.Time) bool { return at.Sub(from) >= time.Second })
			if inSecond > 500/costConnect {
				t.Fatalf("%d connections of %d packets in one second", inSecond, costConnect)
			}
		}
		if last := n.when[len(n.when)-1].Sub(n.when[0]); last != 199*costConnect*2*time.Millisecond {
			t.Errorf("200 connections took %v at 500 packets a second", last)
		}
	})
}

// TestTakeEnds holds that the end of the context ends everything at once.
func TestTakeEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var ports []netip.AddrPort
		for i := range 50 {
			port := netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), uint16(1+i))
			n.services[port] = mute
			ports = append(ports, port)
		}
		n.services[ports[0]] = says("SSH-2.0-x\r\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		got := Take(ctx, ports, Options{Dial: n.dial})
		if took := time.Since(begin); took != time.Second || len(got) != 1 {
			t.Errorf("%d banners after %v, want 1 after 1 s", len(got), took)
		}
		n.wg.Wait()
	})
}

// TestOptions holds the defaults and the bound by open files.
func TestOptions(t *testing.T) {
	t.Parallel()
	o := Options{}.filled()
	if o.PerHost != 8 || o.Patience != 1500*time.Millisecond || o.Dial == nil || o.Parallel > 512 || o.Parallel < 1 {
		t.Errorf("defaults: %+v", o)
	}
	if o := (Options{Parallel: 1 << 30}).filled(); openFiles() > 0 && o.Parallel != max(1, openFiles()/2) {
		t.Errorf("%d connections at once with %d files", o.Parallel, openFiles())
	}
}
