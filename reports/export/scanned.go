package export

import (
	"iter"

	"ownmap/pipeline/state"
)

// scannedJSON is a host of a run; its ports stand in the list of ports.
type scannedJSON struct {
	Host      string         `json:"host"`
	Address   string         `json:"address"`
	Vantage   string         `json:"vantage"`
	MAC       *string        `json:"mac"`
	Names     []string       `json:"names"`
	State     string         `json:"state"`
	Tags      []string       `json:"tags"`
	Owner     *string        `json:"owner"`
	FirstSeen *string        `json:"first_seen"`
	LastSeen  *string        `json:"last_seen"`
	Coverage  []coveringJSON `json:"coverage"`
	LookedAt  *string        `json:"looked_at"` // inside, to the end; null: never
}

// coveringJSON says what was looked at of a host over a protocol. Ports are numbers of
// ports: a list of a thousand for each host would be most of the report.
type coveringJSON struct {
	Protocol string  `json:"protocol"`
	Status   string  `json:"status"`
	Reason   *string `json:"reason"`
	Ports    int     `json:"ports"`    // with a conclusive answer
	Filtered *int    `json:"filtered"` // of them; null: not known
	Services bool    `json:"services"` // service detection looked
}

// scannedOf makes the hosts of a run one after the other.
func scannedOf(hosts []state.HostReport) iter.Seq[scannedJSON] {
	return func(yield func(scannedJSON) bool) {
		for i := range hosts {
			if !yield(scannedHost(&hosts[i])) {
				return
			}
		}
	}
}

func scannedHost(h *state.HostReport) scannedJSON {
	j := scannedJSON{
		Host: hostOf(h.Name(), h.Address.String()), Address: h.Address.String(), Vantage: h.Vantage, MAC: some(h.MAC), Names: list(h.Names), State: string(h.State),
		Tags: list(h.Tags), Owner: some(h.Owner), FirstSeen: utc(&h.FirstSeen), LastSeen: utc(h.LastSeen), Coverage: []coveringJSON{}, LookedAt: utc(h.Inside.LookedAt),
	}
	for _, c := range h.Coverage {
		covering := coveringJSON{Protocol: string(c.Protocol), Status: string(c.Status), Reason: some(c.Reason), Ports: c.Ports.Len(), Services: c.Services}
		if c.Apart {
			n := c.Filtered.Without(openOf(h, c.Protocol)).Len()
			covering.Filtered = &n
		}
		j.Coverage = append(j.Coverage, covering)
	}
	return j
}

// openOf returns the ports of a host that are known not to be shut.
func openOf(h *state.HostReport, protocol state.Protocol) state.PortSet {
	var numbers []uint16
	for _, p := range h.Ports {
		if p.Protocol == protocol {
			numbers = append(numbers, p.Number)
		}
	}
	return state.PortsOf(numbers...)
}
