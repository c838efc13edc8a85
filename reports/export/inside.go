package export

import "ownmap/pipeline/state"

// insideJSON says which hosts were looked inside.
type insideJSON struct {
	Hosts    int             `json:"hosts"`    // that were to be
	Complete int             `json:"complete"` // that were, to the end
	Gaps     []insideGapJSON `json:"gaps"`
}

type insideGapJSON struct {
	Host    string  `json:"host"`
	Address string  `json:"address"`
	Reason  string  `json:"reason"`
	Since   *string `json:"since"` // when it was last looked inside; null: never
}

// processJSON is what stands behind a port, from the inside view; all of it is null
// where nobody could look.
type processJSON struct {
	Process   *string `json:"process"` // the last part of exe
	Exe       *string `json:"exe"`
	User      *string `json:"user"`
	Unit      *string `json:"unit"`
	Container *string `json:"container"`
	Package   *string `json:"package"`
	SHA256    *string `json:"sha256"`
}

// listenerJSON is what listens on a host.
type listenerJSON struct {
	Protocol string `json:"protocol"`
	Port     uint16 `json:"port"`
	Bind     string `json:"bind"`
	processJSON
}

func processOf(p state.Process) processJSON {
	return processJSON{some(p.Name()), some(p.Exe), some(p.User), some(p.Unit), some(p.Container), some(p.Package), some(p.SHA256)}
}

func insideOf(r state.Report) insideJSON {
	j := insideJSON{Hosts: r.Inside.Hosts, Complete: r.Inside.Answered, Gaps: []insideGapJSON{}}
	for _, g := range r.InsideGaps {
		j.Gaps = append(j.Gaps, insideGapJSON{g.Label, g.Address.String(), g.Reason, utc(g.Since)})
	}
	return j
}

func listenersOf(listeners []state.Listener) []listenerJSON {
	all := make([]listenerJSON, 0, len(listeners))
	for _, l := range listeners {
		all = append(all, listenerJSON{string(l.Port.Protocol), l.Port.Number, l.Bind.String(), processOf(l.Process)})
	}
	return all
}
