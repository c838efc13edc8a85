package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Rule is why a call is refused.
type Rule string

// The rules. All but RuleScheme, RulePrivate and RuleLoopback hold whatever the options.
const (
	RuleScheme      Rule = "https only"
	RuleRedirect    Rule = "no redirects"
	RuleMetadata    Rule = "no cloud metadata"
	RuleLinkLocal   Rule = "no link-local addresses"
	RuleMulticast   Rule = "no multicast"
	RuleBroadcast   Rule = "no broadcast"
	RuleUnspecified Rule = "no unspecified addresses"
	RuleLoopback    Rule = "loopback only by its own name"
	RulePrivate     Rule = "no private networks"
	RuleNotLoopback Rule = "localhost is loopback"
)

// RefusedError says that a rule stands against a call. It names no part of the URL but
// the host.
type RefusedError struct {
	Rule    Rule
	Host    string     // as the URL has it, without port
	Address netip.Addr // that the host leads to; the zero Addr where the rule is not about one
}

// Error names the rule, the host and its address.
func (e *RefusedError) Error() string {
	if e.Address.IsValid() && e.Address.String() != e.Host {
		return fmt.Sprintf("%s leads to %s, which is refused: %s", e.Host, e.Address, e.Rule)
	}
	return fmt.Sprintf("%s is refused: %s", e.Host, e.Rule)
}

// refused returns the rule that stands against an address, or nothing. Named says that
// the URL itself names loopback.
func (o Options) refused(address netip.Addr, named bool) Rule {
	address = address.Unmap().WithZone("")
	if named && address.IsLoopback() {
		return ""
	}
	if rule := never(address); rule != "" {
		return rule
	}
	switch {
	case address.IsLoopback():
		return RuleLoopback
	case named:
		return RuleNotLoopback // or plain http would go to wherever the name leads
	case o.RefusePrivate && private(address):
		return RulePrivate
	}
	for _, within := range embedded(address) {
		if rule := o.refused(within, false); rule != "" {
			return rule
		}
	}
	return ""
}

// never returns the rule against what no option allows.
func never(a netip.Addr) Rule {
	switch {
	case slices.Contains(metadata(), a):
		return RuleMetadata
	case a.IsLinkLocalUnicast():
		return RuleLinkLocal
	case a.IsMulticast():
		return RuleMulticast
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return RuleBroadcast
	case a.IsUnspecified(), netip.PrefixFrom(netip.IPv4Unspecified(), 8).Contains(a): // RFC 1122, 3.2.1.3
		return RuleUnspecified
	}
	return ""
}

// metadata returns where clouds tell a machine its secrets.
func metadata() []netip.Addr {
	return []netip.Addr{
		netip.AddrFrom4([4]byte{169, 254, 169, 254}), // nearly all
		netip.MustParseAddr("fd00:ec2::254"),         // Amazon
		netip.MustParseAddr("fd20:ce::254"),          // Google
		netip.AddrFrom4([4]byte{100, 100, 100, 200}), // Alibaba
		netip.AddrFrom4([4]byte{192, 0, 0, 192}),     // Oracle
		netip.AddrFrom4([4]byte{168, 63, 129, 16}),   // Azure
	}
}

func private(a netip.Addr) bool {
	others := []string{
		"100.64.0.0/10",  // shared address space, RFC 6598
		"192.0.0.0/24",   // IETF protocol assignments, RFC 6890
		"198.18.0.0/15",  // benchmarks, RFC 2544
		"fec0::/10",      // site-local, deprecated by RFC 3879
		"64:ff9b:1::/48", // translation within a network, RFC 8215
	}
	return a.IsPrivate() || slices.ContainsFunc(others, func(p string) bool { return netip.MustParsePrefix(p).Contains(a) })
}

// embedded returns the IPv4 addresses to which a router or the kernel may send what goes
// to an IPv6 address.
func embedded(a netip.Addr) []netip.Addr {
	if !a.Is6() {
		return nil
	}
	b := a.As16()
	in := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(a) }
	v4 := func(at int) netip.Addr { return netip.AddrFrom4([4]byte(b[at : at+4])) }
	switch {
	case in("64:ff9b::/96"), // NAT64, RFC 6052
		in("::ffff:0:0:0/96"), // stateless translation, RFC 2765
		in("::/96"):           // IPv4-compatible, deprecated by RFC 4291
		return []netip.Addr{v4(12)}
	case in("64:ff9b:1::/48"): // NAT64 of a network's own, RFC 8215: /96, or /48 around the octet that is zero
		if v4(12) == netip.IPv4Unspecified() {
			return []netip.Addr{netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]})}
		}
		return []netip.Addr{v4(12)}
	case in("2002::/16"): // 6to4, RFC 3056
		return []netip.Addr{v4(2)}
	case in("2001::/32"): // Teredo, RFC 4380: server, and client with all bits turned
		return []netip.Addr{v4(4), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	case [4]byte(b[8:12]) == [4]byte{0, 0, 0x5e, 0xfe}, [4]byte(b[8:12]) == [4]byte{2, 0, 0x5e, 0xfe}: // ISATAP, RFC 5214
		return []netip.Addr{v4(12)}
	}
	return nil
}

// loopbackName says whether a URL with this host names loopback.
func loopbackName(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
