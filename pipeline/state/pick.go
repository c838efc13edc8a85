package state

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
)

// Pick is one port of a host as one vantage sees it: a row of a table that somebody chose.
type Pick struct {
	Address netip.Addr
	Vantage string // empty: DefaultVantage
	Port    Port
	// Seen is PortReport.Seen of what was chosen: where something else is seen by now, it is
	// another port. Empty: whatever is there.
	Seen string
}

// Is says whether the pick is of a port of a host.
func (p Pick) Is(h Host, port Port) bool { return p.Port == port && p.OfHost(h) }

// OfHost says whether the pick is of a port of the host.
func (p Pick) OfHost(h Host) bool {
	vantage := p.Vantage
	if vantage == "" {
		vantage = DefaultVantage
	}
	return p.Address == h.Address && (vantage == h.Vantage || p.Vantage == "" && h.Vantage == "")
}

// Seen is a hash of all that an approval of the port would be bound to: the state, the
// service and the process behind it. It is 16 hexadecimal digits.
func (p PortReport) Seen() string {
	var pin Approval
	pin.Pin(p.Service, p.Behind())
	process := pin.Behind()
	h := sha256.New()
	for _, field := range []string{
		string(p.State), pin.Service, pin.Family, strconv.FormatBool(pin.Probed), process.Exe, process.User, process.Unit, process.Container, process.Package,
	} {
		h.Write([]byte(strconv.Itoa(len(field)) + ":" + field))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// picks says whether the scope names the port by itself, or names none.
func (s Scope) picks(h Host, port Port) bool {
	return len(s.Picks) == 0 || slices.ContainsFunc(s.Picks, func(p Pick) bool { return p.Is(h, port) })
}
