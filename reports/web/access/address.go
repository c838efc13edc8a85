package access

import (
	"net/http"
	"net/netip"
	"strings"

	"ownmap/pipeline/state"
)

// Proxies is who may speak for others: proxies in front of the page.
type Proxies struct {
	Trusted []netip.Prefix // their addresses
	Socket  bool           // whoever comes over a unix socket is one
	Header  string         // in which they name the user; empty: they do not
	Admins  []string       // users of the header who are admins; the others are viewers
}

// peer returns the address that a connection comes from, and whether it is a trusted
// proxy's. One over a unix socket has none.
func (p Proxies) peer(r *http.Request) (netip.Addr, bool) {
	where, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, p.Socket
	}
	address := where.Addr().Unmap()
	return address, p.trust(address)
}

func (p Proxies) trust(a netip.Addr) bool {
	for _, prefix := range p.Trusted {
		if prefix.Contains(a.WithZone("")) {
			return true
		}
	}
	return false
}

// client returns the address of who makes a request: of the peer, or, where that is a
// trusted proxy, of the last one in X-Forwarded-For that is not. What stands before it
// there was said by somebody whom nobody trusts.
func (p Proxies) client(r *http.Request) netip.Addr {
	address, trusted := p.peer(r)
	if !trusted {
		return address
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := parseHop(hops[i])
		if err != nil {
			return address
		}
		address = hop
		if !p.trust(hop) {
			return hop
		}
	}
	return address
}

// parseHop reads an address of X-Forwarded-For, to which some proxies add the port.
func parseHop(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if both, err := netip.ParseAddrPort(text); err == nil {
		return both.Addr().Unmap(), nil
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap(), err
}

// user returns whom a trusted proxy says that it speaks for. From anybody else the
// header is nothing, and so is one that is there twice or is no plain text.
func (p Proxies) user(r *http.Request) (name string, role state.Role, ok bool) {
	const longest = 128
	if p.Header == "" {
		return "", state.Nobody, false
	}
	if _, trusted := p.peer(r); !trusted {
		return "", state.Nobody, false
	}
	values := r.Header.Values(p.Header)
	if len(values) != 1 {
		return "", state.Nobody, false
	}
	name = strings.TrimSpace(values[0])
	if name == "" || len(name) > longest || name != state.Clean(name) {
		return "", state.Nobody, false
	}
	for _, admin := range p.Admins {
		if strings.EqualFold(admin, name) {
			return name, state.Admin, true
		}
	}
	return name, state.Viewer, true
}

// From returns the address of who makes a request, also behind trusted proxies; the zero
// Addr over a unix socket.
func (g *Guard) From(r *http.Request) netip.Addr { return g.Proxy.client(r) }
