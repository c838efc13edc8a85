// Package lab holds what tests and benchmarks look at: databases, listeners on
// loopback, fake programs. Nothing else imports it.
package lab

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// Talk is what a listener says: Greeting when somebody connects, Reply to
// whatever it is sent. A UDP listener has only the Reply.
type Talk struct {
	Greeting string
	Reply    string
	Patience time.Duration // with somebody who says nothing; 0: one second
}

// SSH talks as OpenSSH of Debian 12 begins.
func SSH() Talk { return Talk{Greeting: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"} }

// SMTP talks as Postfix begins.
func SMTP() Talk {
	return Talk{Greeting: "220 mail.example.org ESMTP Postfix\r\n", Reply: "250 mail.example.org\r\n"}
}

// FTP talks as vsftpd begins.
func FTP() Talk {
	return Talk{Greeting: "220 (vsFTPd 3.0.3)\r\n", Reply: "530 Please login with USER and PASS.\r\n"}
}

// HTTP answers any request with an empty page of nginx. Like a server it waits
// for one longer than nmap does for a greeting.
func HTTP() Talk {
	return Talk{Patience: 10 * time.Second, Reply: "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"}
}

// Endpoint is a place to listen.
type Endpoint struct {
	Address netip.Addr // in 127/8, or ::1
	Port    state.Port
	Talk    Talk
}

// Listeners are open ports, and the list of them.
type Listeners struct {
	tb   testing.TB
	done sync.WaitGroup

	mu   sync.Mutex
	open map[place]io.Closer
}

type place struct {
	address netip.Addr
	port    state.Port
}

// Listen opens endpoints until the test ends. Port number 0 takes a free one:
// List tells which.
func Listen(tb testing.TB, endpoints ...Endpoint) *Listeners {
	tb.Helper()
	l := &Listeners{tb: tb, open: map[place]io.Closer{}}
	raiseFileLimit(tb, len(endpoints))
	tb.Cleanup(l.closeAll)
	for _, e := range endpoints {
		l.Open(e)
	}
	return l
}

// Open opens one more endpoint and returns the port that it got.
func (l *Listeners) Open(e Endpoint) state.Port {
	l.tb.Helper()
	if !e.Address.IsLoopback() {
		l.tb.Fatalf("the lab listens on loopback only, not on %s", e.Address)
	}
	at := netip.AddrPortFrom(e.Address, e.Port.Number).String()
	var config net.ListenConfig
	var closer io.Closer
	var err error
	switch e.Port.Protocol {
	case state.TCP:
		var listener net.Listener
		if listener, err = config.Listen(l.tb.Context(), "tcp", at); err == nil {
			closer, e.Port.Number = listener, listener.Addr().(*net.TCPAddr).AddrPort().Port()
			l.done.Go(func() { l.serve(listener, e.Talk) })
		}
	case state.UDP:
		var conn net.PacketConn
		if conn, err = config.ListenPacket(l.tb.Context(), "udp", at); err == nil {
			closer, e.Port.Number = conn, conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
			l.done.Go(func() { answer(conn, e.Talk) })
		}
	case state.SCTP:
		err = errors.New("the lab does not speak SCTP")
	}
	if err != nil {
		l.tb.Fatalf("listen on %s %s: %v", e.Address, e.Port, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[place{e.Address, e.Port}] = closer
	return e.Port
}

// Close closes one endpoint.
func (l *Listeners) Close(address netip.Addr, port state.Port) {
	l.tb.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	at := place{address, port}
	closer, ok := l.open[at]
	if !ok {
		l.tb.Fatalf("%s %s is not open", address, port)
	}
	delete(l.open, at)
	if err := closer.Close(); err != nil {
		l.tb.Errorf("close %s %s: %v", address, port, err)
	}
}

// List returns what is open now: the truth that a scan is measured by. The keys
// are addresses, the ports are sorted.
func (l *Listeners) List() map[netip.Addr][]state.Port {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := map[netip.Addr][]state.Port{}
	for at := range maps.Keys(l.open) {
		list[at.address] = append(list[at.address], at.port)
	}
	for _, ports := range list {
		slices.SortFunc(ports, state.Port.Compare)
	}
	return list
}

func (l *Listeners) closeAll() {
	l.mu.Lock()
	for _, closer := range l.open {
		_ = closer.Close()
	}
	l.mu.Unlock()
	l.done.Wait()
}

// serve talks to whoever connects until the listener is closed.
func (l *Listeners) serve(listener net.Listener, talk Talk) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			l.done.Go(func() { converse(conn, talk) })
		}
	}
}

func converse(conn net.Conn, talk Talk) {
	defer conn.Close()
	if _, err := io.WriteString(conn, talk.Greeting); err != nil {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(cmp.Or(talk.Patience, time.Second)))
	buffer := make([]byte, 4096)
	for {
		if _, err := conn.Read(buffer); err != nil || talk.Reply == "" {
			return
		}
		if _, err := io.WriteString(conn, talk.Reply); err != nil || talk.Greeting == "" {
			return
		}
	}
}

func answer(conn net.PacketConn, talk Talk) {
	buffer := make([]byte, 4096)
	for {
		_, from, err := conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && talk.Reply != "" {
			_, _ = conn.WriteTo([]byte(talk.Reply), from)
		}
	}
}
