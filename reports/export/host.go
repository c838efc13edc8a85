package export

import (
	"io"
	"slices"

	"ownmap/pipeline/state"
)

// hostJSON is a host and its history as scripts see it.
type hostJSON struct {
	Host      string         `json:"host"`
	Address   string         `json:"address"`
	Vantage   string         `json:"vantage"`
	Names     []string       `json:"names"`
	State     string         `json:"state"`
	Tags      []string       `json:"tags"`
	Owner     *string        `json:"owner"`
	FirstSeen *string        `json:"first_seen"`
	LastSeen  *string        `json:"last_seen"`
	Ports     []portJSON     `json:"ports"`
	Listeners []listenerJSON `json:"listeners"` // as of the last look inside
	LookedAt  *string        `json:"looked_at"` // inside, to the end; null: never
	Findings  []findingJSON  `json:"findings"`
	Intervals []intervalJSON `json:"intervals"`
	Events    []eventJSON    `json:"events"`
}

type intervalJSON struct {
	Protocol string  `json:"protocol"`
	Port     uint16  `json:"port"`
	State    string  `json:"state"`
	Service  *string `json:"service"`
	Product  *string `json:"product"`
	Version  *string `json:"version"`
	From     *string `json:"from"`
	To       *string `json:"to"`
}

type eventJSON struct {
	Kind     string        `json:"kind"`
	At       *string       `json:"at"`
	Run      *int64        `json:"run"`
	Change   *changeJSON   `json:"change"`
	Approval *approvalJSON `json:"approval"`
}

// HostJSON writes one host with its history.
func HostJSON(w io.Writer, h state.HostHistory) error {
	j := hostJSON{
		Host: hostOf(h.Name(), h.Address.String()), Address: h.Address.String(), Vantage: h.Vantage, Names: list(h.Names),
		State: string(h.State), Tags: list(h.Tags), Owner: some(h.Owner), FirstSeen: utc(&h.FirstSeen), LastSeen: utc(h.LastSeen),
		Ports: slices.AppendSeq([]portJSON{}, portsOf([]state.HostReport{h.HostReport})), Listeners: listenersOf(h.Inside.Listeners), LookedAt: utc(h.Inside.LookedAt),
		Findings: findingsOf(h.Findings), Intervals: []intervalJSON{}, Events: []eventJSON{},
	}
	for _, i := range h.Intervals {
		j.Intervals = append(j.Intervals, intervalJSON{
			Protocol: string(i.Protocol), Port: i.Number, State: string(i.State), Service: some(i.Service.String()),
			Product: some(i.Service.Product), Version: some(i.Service.Version), From: utc(&i.From), To: utc(i.To),
		})
	}
	for _, e := range h.Events {
		event := eventJSON{Kind: string(e.Kind), At: utc(&e.At), Run: some(e.RunID), Approval: approvalOf(e.Approval)}
		if e.Change != nil {
			event.Change = &changesOf([]state.Change{*e.Change})[0]
		}
		j.Events = append(j.Events, event)
	}
	return write(w, j)
}
