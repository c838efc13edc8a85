// Package banner takes light fingerprints of open TCP ports by plain connects.
//
// Naming a service with nmap -sV costs seconds to minutes a port; whether it could
// have become another one costs a connection: the port is listened to, asked one
// harmless GET if it says nothing by itself, and asked for TLS if it does not
// answer that. The hash covers only the part of the answer that stays the same
// while the same product and version listen: no dates, ids, salts or cookies.
//
// Everything read is hostile: it is bounded in size and time, only ever hashed,
// and never kept, logged or shown.
package banner

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Defaults of Options.
const (
	defaultParallel = 512
	defaultPerHost  = 8
	// defaultPatience outlasts what a single lost packet costs: a lost ACK of the
	// handshake makes the service's kernel repeat its SYN-ACK after a second, before
	// which the service does not know of the connection (RFC 6298, section 2).
	defaultPatience = 1500 * time.Millisecond
	// dialTimeout gives a SYN three chances: at 0, 1 and 3 seconds.
	dialTimeout = 3500 * time.Millisecond
)

// Options say how to take banners.
type Options struct {
	Parallel int           // connections at once; 0: 512; never more than half of the files that the process may open
	PerHost  int           // connections at once to one host; 0: 8
	Rate     int           // packets a second that all connections together may cost; 0: no bound
	Patience time.Duration // how long a port may take to say something by itself, or to answer; 0: 1.5 s
	// Dial makes a connection; nil: a net.Dialer that gives up after 3.5 seconds.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Banner is the light fingerprint of a port.
type Banner struct {
	Hash   string // 32 hex digits: the first 16 bytes of the SHA-256 of what stays the same
	Silent bool   // it took the connection and said nothing, asked or not; Hash is the same for all of these
}

// Take connects to each port, hears what it says by itself or else answers, and
// returns the banners of those that it could tell. Absent are the ports that
// refused or lost their connections or said that they are too busy, twice, those
// whose two looks had nothing in common, and those that ctx cut off.
func Take(ctx context.Context, ports []netip.AddrPort, o Options) map[netip.AddrPort]Banner {
	o = o.filled()
	t := taker{Options: o, pace: newPace(o.Rate)}
	return each(ctx, ports, o.Parallel, o.PerHost, t.visit)
}

func (o Options) filled() Options {
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if files := openFiles(); files > 0 {
		o.Parallel = max(1, min(o.Parallel, files/2))
	}
	if o.PerHost <= 0 {
		o.PerHost = defaultPerHost
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: -1}).DialContext
	}
	return o
}
