package scan

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// ownSidePatience bounds how long the scanner looks at its own side.
const ownSidePatience = 5 * time.Second

// gateway is a default route of this machine.
type gateway struct {
	address netip.Addr // invalid: the route leads straight out of a link
	link    string     // the name of the interface
}

// ownSide says whether the scanner's own link is up, now that the given hosts of
// one shard are silent: one of the interfaces that the default routes of their
// family leave by has a carrier, and one of the gateways answers a ping. Gateways
// are asked for nothing else, and not at all for hosts on this machine. Where it
// cannot be known (no default route, no /proc, a gateway with a link-local
// address) the link counts as up. The note says what is wrong, else it is empty.
// It takes at most five seconds.
func (s *Scanner) ownSide(ctx context.Context, silent []netip.Addr) (up bool, note string) {
	if !slices.ContainsFunc(silent, func(a netip.Addr) bool { return !a.IsLoopback() }) {
		return true, ""
	}
	ipv6 := silent[0].Is6()
	return s.askGateways(ctx, defaultRoutes("/proc/net", ipv6), ipv6)
}

func (s *Scanner) askGateways(ctx context.Context, routes []gateway, ipv6 bool) (up bool, note string) {
	running := slices.DeleteFunc(slices.Clone(routes), func(g gateway) bool { return !carrier(g.link) })
	switch {
	case len(routes) == 0:
		return true, ""
	case len(running) == 0:
		return false, fmt.Sprintf("the scanner's own link %s is down", routes[0].link)
	}
	var asked []netip.Addr
	for _, g := range running {
		if !g.address.IsValid() || g.address.IsLinkLocalUnicast() {
			return true, ""
		}
		asked = append(asked, g.address)
	}
	slices.SortFunc(asked, netip.Addr.Compare)
	asked = slices.Compact(asked)
	ctx, cancel := context.WithTimeout(ctx, ownSidePatience)
	defer cancel()
	seen, err := s.look(ctx, look{
		name: "gateway-" + strconv.Itoa(os.Getpid()), addresses: asked, ipv6: ipv6, discover: true, rate: 10,
		retries: maxRetries, intensity: noService, timing: 4, patience: ownSidePatience,
	}, nil)
	if err != nil || !seen.silent {
		return true, "" // nothing was learnt
	}
	for _, address := range asked {
		if h, ok := seen.hosts[address]; ok && h.State == state.Up {
			return true, ""
		}
	}
	return false, fmt.Sprintf("the scanner's own gateway %s does not answer", asked[0])
}

// carrier says whether a link is up and has something at its other end.
func carrier(name string) bool {
	link, err := net.InterfaceByName(name)
	return err == nil && link.Flags&net.FlagUp != 0 && link.Flags&net.FlagRunning != 0
}

// defaultRoutes reads the default routes of a family from the tables in a
// directory like /proc/net (proc(5), and for IPv6 the kernel's
// net/ipv6/route.c); there are none where there is no such table.
func defaultRoutes(dir string, ipv6 bool) []gateway {
	name, read := "route", readRoutes4
	if ipv6 {
		name, read = "ipv6_route", readRoutes6
	}
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil
	}
	defer file.Close()
	return read(file)
}

// Flags of a route (route.h of the kernel).
const (
	routeUp      = 0x1
	routeGateway = 0x2
	routeReject  = 0x200
)

// readRoutes4 reads lines of "iface destination gateway flags refcnt use metric
// mask ...", addresses in hexadecimal and in this machine's byte order.
func readRoutes4(table io.Reader) []gateway {
	var out []gateway
	for lines := bufio.NewScanner(table); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		flags, err := strconv.ParseUint(f[3], 16, 32)
		number, bad := strconv.ParseUint(f[2], 16, 32)
		if err != nil || bad != nil || flags&routeUp == 0 || flags&routeReject != 0 {
			continue
		}
		g := gateway{link: f[0]}
		if flags&routeGateway != 0 {
			var raw [4]byte
			binary.NativeEndian.PutUint32(raw[:], uint32(number))
			g.address = netip.AddrFrom4(raw)
		}
		out = append(out, g)
	}
	return out
}

// readRoutes6 reads lines of "destination length source length nexthop metric
// refcnt use flags iface", all in hexadecimal.
func readRoutes6(table io.Reader) []gateway {
	var out []gateway
	for lines := bufio.NewScanner(table); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[1] != "00" || f[9] == "lo" || strings.Trim(f[0], "0") != "" {
			continue
		}
		flags, err := strconv.ParseUint(f[8], 16, 32)
		raw, bad := hex.DecodeString(f[4])
		if err != nil || bad != nil || len(raw) != 16 || flags&routeUp == 0 || flags&routeReject != 0 {
			continue
		}
		g := gateway{link: f[9]}
		if flags&routeGateway != 0 {
			g.address = netip.AddrFrom16([16]byte(raw))
		}
		out = append(out, g)
	}
	return out
}
