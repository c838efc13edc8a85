package scan

import (
	"fmt"
	"slices"

	"ownmap/pipeline/state"
)

// maxOpen is how many open TCP ports a host may have that is believed. Tools such
// as portspoof accept every connection, so that a scan finds nothing out; a server
// with more than a thousand services is not known.
const maxOpen = 1000

// Unmask takes away the TCP ports of a host that calls too many open: none of
// them says anything. They stand in Spoofed, the host answered, and nothing that
// is known of its TCP ports is concluded to have changed. The note is for the
// reader; it is empty when the host is left as it was.
//
// Call it when all slices of a host have been joined.
func Unmask(h *state.Host) (note string) {
	var open []uint16
	for _, p := range h.Ports {
		if p.Protocol == state.TCP && p.State == state.Open {
			open = append(open, p.Number)
		}
	}
	if len(open) <= maxOpen {
		return ""
	}
	h.Spoofed = h.Spoofed.Union(state.PortsOf(open...))
	// A new slice: the old one holds tens of thousands.
	h.Ports = slices.Clone(slices.DeleteFunc(h.Ports, func(p state.PortStatus) bool { return p.Protocol == state.TCP }))
	for i, line := range h.Coverage {
		if line.Protocol == state.TCP {
			h.Coverage[i].Ports, h.Coverage[i].Filtered = state.PortSet{}, state.PortSet{}
		}
	}
	return fmt.Sprintf("%s calls %d TCP ports open, as hosts do that hide which ones are: none of them is kept", h.Address, len(open))
}
