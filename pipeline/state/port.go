package state

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Protocol is a transport protocol in nmap's spelling.
type Protocol string

// The transport protocols that nmap scans for ports.
const (
	TCP  Protocol = "tcp"
	UDP  Protocol = "udp"
	SCTP Protocol = "sctp"
)

// ParseProtocol returns the protocol of that name, or an error that lists them.
func ParseProtocol(s string) (Protocol, error) {
	switch p := Protocol(strings.ToLower(s)); p {
	case TCP, UDP, SCTP:
		return p, nil
	}
	return "", fmt.Errorf("protocol %q is none of tcp, udp, sctp", s)
}

// PortState is the state of a port in nmap's words (nmap(1), "Port scanning
// basics").
type PortState string

// The six states of nmap. Only Open and OpenFiltered are kept in the database:
// a port that is neither has no row.
const (
	Open           PortState = "open"
	OpenFiltered   PortState = "open|filtered"
	Closed         PortState = "closed"
	Filtered       PortState = "filtered"
	Unfiltered     PortState = "unfiltered"
	ClosedFiltered PortState = "closed|filtered"
)

// Port names a port of a host: 53/tcp and 53/udp are two.
type Port struct {
	Protocol Protocol
	Number   uint16
}

// String returns nmap's spelling, "22/tcp".
func (p Port) String() string { return strconv.Itoa(int(p.Number)) + "/" + string(p.Protocol) }

// Compare orders ports by number, then protocol, as nmap lists them.
func (p Port) Compare(q Port) int {
	return cmp.Or(cmp.Compare(p.Number, q.Number), cmp.Compare(p.Protocol, q.Protocol))
}

// ParsePort reads "22/tcp", or "22" for a TCP port. Numbers go from 1 to 65535.
func ParsePort(s string) (Port, error) {
	number, name, found := strings.Cut(s, "/")
	protocol := TCP
	if found {
		var err error
		if protocol, err = ParseProtocol(name); err != nil {
			return Port{}, fmt.Errorf("port %q: %w", s, err)
		}
	}
	n, err := parsePortNumber(number)
	if err != nil {
		return Port{}, fmt.Errorf("port %q: %w", s, err)
	}
	return Port{Protocol: protocol, Number: n}, nil
}

func parsePortNumber(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is no number from 1 to 65535", s)
	}
	return uint16(n), nil
}
