package banner

import (
	"context"
	"net/netip"
)

// host is what is left to do at one address.
type host struct {
	ports  []netip.AddrPort // not begun
	active int              // under way
}

// answer is what one port brought.
type answer struct {
	host   *host
	port   netip.AddrPort
	banner Banner
	ok     bool
}

// each visits every port once, so many at a time and so many of one host, and
// goes round the hosts so that none gets its share at once.
func each(ctx context.Context, ports []netip.AddrPort, parallel, perHost int,
	visit func(context.Context, netip.AddrPort) (Banner, bool),
) map[netip.AddrPort]Banner {
	ready := byHost(ports)
	banners, done, active := map[netip.AddrPort]Banner{}, make(chan answer), 0
	for {
		for active < parallel && len(ready) > 0 && ctx.Err() == nil {
			h := ready[0]
			ready = ready[1:]
			port := h.ports[0]
			h.ports = h.ports[1:]
			h.active++
			active++
			go func() {
				banner, ok := visit(ctx, port)
				done <- answer{h, port, banner, ok}
			}()
			if h.active < perHost && len(h.ports) > 0 {
				ready = append(ready, h)
			}
		}
		if active == 0 {
			return banners
		}
		a := <-done
		if a.ok {
			banners[a.port] = a.banner
		}
		// At the limit it was not among the ready ones; now there is room.
		if a.host.active == perHost && len(a.host.ports) > 0 {
			ready = append(ready, a.host)
		}
		a.host.active--
		active--
	}
}

// byHost groups ports by address, in the order given, each once.
func byHost(ports []netip.AddrPort) []*host {
	var hosts []*host
	seen, known := map[netip.AddrPort]bool{}, map[netip.Addr]*host{}
	for _, port := range ports {
		if !port.IsValid() || seen[port] {
			continue
		}
		seen[port] = true
		h := known[port.Addr()]
		if h == nil {
			h = &host{}
			known[port.Addr()] = h
			hosts = append(hosts, h)
		}
		h.ports = append(h.ports, port)
	}
	return hosts
}
