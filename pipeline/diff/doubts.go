package diff

import (
	"slices"

	"ownmap/pipeline/state"
)

// Doubts returns what a run has to ask again before it is believed, of the same
// two states that States compares: ports that opened or closed, and hosts that
// fell silent, which are asks for the zero Port. A new host is not among them,
// since its first look is two; neither are ports that nobody had looked at
// before. Where a vantage is blind nothing is asked: it cannot see.
func Doubts(was, now []state.Host) []state.Ask {
	outcome := States(was, now)
	fresh := make(map[state.Ask]bool) // hosts, as asks for the zero Port
	var asks []state.Ask
	for _, c := range outcome.Changes {
		host := state.Ask{Vantage: c.Vantage, Address: c.Address}
		switch c.Kind {
		case state.HostNew: // comes before the ports of its host
			fresh[host] = true
		case state.PortOpened, state.PortClosed, state.HostDown:
			blind := outcome.Blind != nil && slices.Contains(outcome.Blind.Vantages, c.Vantage)
			if !blind && !fresh[host] {
				host.Port = c.Port
				asks = append(asks, host)
			}
		case state.HostBack, state.HostRenamed, state.PortFound, state.PortUncertain,
			state.ServiceChanged, state.ProductChanged, state.VersionChanged, state.ServiceIdentified,
			state.ProcessChanged, state.ProcessUpdated, state.ListenerNew, state.ListenerGone, state.BindChanged:
		}
	}
	return asks
}
