package banner

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

const (
	// maxLooks is how often a port is connected to for one banner (not counting TLS).
	maxLooks = 3
	// later is how long a port that refused, or was too busy, is left alone.
	later = time.Second
	// slower is how much longer a port may take whose service speaks first by
	// convention: some mail and file servers look up or test who calls, and take
	// a request before their greeting amiss.
	slower = 4
	// request is understood by every web server and by few others: no Host header,
	// which Redis takes for an attack.
	request = "GET / HTTP/1.0\r\n\r\n"
)

// taker holds what all visits share.
type taker struct {
	Options
	pace *pace
}

// visit looks at a port until it can tell: once where what it says is understood;
// twice where it is silent, was cut off half-way or speaks in a way we do not
// know, because a single look at a lossy link or at a salt proves nothing.
func (t *taker) visit(ctx context.Context, port netip.AddrPort) (Banner, bool) {
	var prior *voice
	failed := 0
	for range maxLooks {
		v, ok := t.look(ctx, port, prior != nil && prior.asked)
		switch {
		case ctx.Err() != nil:
			return Banner{}, false
		case !ok || v.busy:
			if failed++; failed == 2 || !pause(ctx, later) {
				return Banner{}, false
			}
		case v.sure:
			return v.banner(), true
		case prior == nil:
			prior = &v
		default:
			v, ok = agree(*prior, v)
			return v.banner(), ok
		}
	}
	return Banner{}, false
}

// look has one conversation with a port, and one more in TLS when what it says
// suggests that. It is false when there was no connection.
func (t *taker) look(ctx context.Context, port netip.AddrPort, askAtOnce bool) (voice, bool) {
	conn, ok := t.connect(ctx, port)
	if !ok {
		return voice{}, false
	}
	patience := t.Patience
	switch {
	case askAtOnce:
		patience = 0
	case greets(port.Port()):
		patience *= slower
	}
	v := t.converse(ctx, conn, patience, !prints(port.Port()))
	// A plain close, not SetLinger(0): a reset makes services log errors, and the
	// TIME_WAIT that a FIN leaves is bound to one destination each, so it uses up no
	// port of ours. Where a service has sent more than we read, the kernel resets by
	// itself, which stops it.
	_ = conn.Close()
	if !v.wantsTLS {
		return v, true
	}
	if secured, ok := t.lookTLS(ctx, port); ok {
		return secured, true
	}
	v.sure = false
	return v, true
}

// connect makes a connection that ends with ctx.
func (t *taker) connect(ctx context.Context, port netip.AddrPort) (net.Conn, bool) {
	if !t.pace.take(ctx, costConnect) {
		return nil, false
	}
	conn, err := t.Dial(ctx, "tcp", port.String())
	if err != nil {
		return nil, false
	}
	return conn, true
}

// converse hears what is said within patience, and asks if that is nothing.
func (t *taker) converse(ctx context.Context, conn net.Conn, patience time.Duration, ask bool) voice {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	ear := ear{conn: conn, quiet: t.Patience / 2, limit: 3 * t.Patience}
	if patience > 0 {
		ear.hear(patience)
	}
	asked := false
	if len(ear.said) == 0 && ear.end == endQuiet && ask && t.pace.take(ctx, costAsk) {
		asked = true
		// Whether it got there shows in the answer.
		_ = conn.SetWriteDeadline(time.Now().Add(t.Patience))
		_, _ = conn.Write([]byte(request))
		ear.hear(t.Patience)
	}
	v := understand(ear.said, ear.end, ownAddress(conn))
	v.asked = asked
	// Who hangs up on a request may want TLS. Who goes on waiting hardly does, and is
	// asked for it only in the second look, since that takes long.
	if len(ear.said) == 0 && ask {
		v.wantsTLS = ear.end != endQuiet || patience == 0
	}
	return v
}

// ownAddress is the address that the service sees, which some of them repeat.
func ownAddress(conn net.Conn) string {
	if local, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		return local.AddrPort().Addr().Unmap().WithZone("").String()
	}
	return ""
}

// greets says of which ports the service speaks first by convention.
func greets(port uint16) bool {
	return slices.Contains([]uint16{21, 22, 25, 110, 143, 587, 2525, 3306}, port)
}

// prints says which ports put on paper whatever is sent to them (JetDirect): they
// are listened to and never asked.
func prints(port uint16) bool { return port >= 9100 && port <= 9107 }
