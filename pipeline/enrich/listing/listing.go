// Package listing reads what operating systems print about listening sockets and
// about ports that are handed on. Its parsers are pure: text in, sockets out. What
// they read was chosen by a host that may be hostile, so names are cleaned, work is
// in proportion to the text, and what cannot be understood is counted and left out.
package listing

import (
	"net/netip"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// Socket is a listening TCP socket, or a UDP socket that is not connected.
type Socket struct {
	Port   state.Port // TCP or UDP; its number is never 0
	Bind   netip.Addr // an IPv4 address in IPv6 clothes is IPv4; a zone is kept
	OnlyV6 bool       // takes no IPv4, where the source tells it
	UID    int        // owner by number; -1: not told
	User   string     // owner by name, where it is told; cleaned
	Inode  uint64     // 0: not told
	PID    int        // 0: not told
	Name   string     // what the process calls itself; cleaned
}

// socketOf makes a socket of a protocol, an address and a port. The star is every
// address of the family.
func socketOf(protocol state.Protocol, six bool, host, port string) (Socket, bool) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return Socket{}, false
	}
	s := Socket{Port: state.Port{Protocol: protocol, Number: uint16(number)}, UID: -1}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	switch {
	case (host == "*" || host == "") && six:
		s.Bind = netip.IPv6Unspecified()
	case host == "*" || host == "":
		s.Bind = netip.IPv4Unspecified()
	default:
		address, zone, _ := strings.Cut(host, "%")
		if s.Bind, err = netip.ParseAddr(address); err != nil {
			return Socket{}, false
		}
		if s.Bind = s.Bind.Unmap(); zone != "" && s.Bind.Is6() {
			s.Bind = s.Bind.WithZone(state.Clean(zone))
		}
	}
	return s, true
}

// cutPort parts "host:port" at the last of a separator.
// Without one there is no port.
func cutPort(text, separator string) (host, port string) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, ""
	}
	return text[:i], text[i+1:]
}

// lines returns the lines of a text, without their ends.
func lines(text []byte) []string {
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' })
}

// transport returns the protocol and family that a word like "tcp6" or "udp46"
// begins with.
func transport(word string) (protocol state.Protocol, six, ok bool) {
	word = strings.ToLower(word)
	switch {
	case strings.HasPrefix(word, "tcp"):
		protocol = state.TCP
	case strings.HasPrefix(word, "udp"):
		protocol = state.UDP
	default:
		return "", false, false
	}
	switch word[3:] {
	case "", "4":
		return protocol, false, true
	case "6", "46":
		return protocol, true, true
	}
	return "", false, false
}
