package export

import (
	"ownmap/pipeline/state"
)

// changeJSON is a change as scripts see it. Host changes have neither protocol
// nor port; was and now are null where there was or is nothing.
type changeJSON struct {
	Kind     string    `json:"kind"`
	Severity string    `json:"severity"`
	Host     string    `json:"host"` // the first name, or the address
	Address  string    `json:"address"`
	Protocol *string   `json:"protocol"`
	Port     *uint16   `json:"port"`
	Was      *seenJSON `json:"was"`
	Now      *seenJSON `json:"now"`
}

// seenJSON is one side of a change.
type seenJSON struct {
	Name    *string `json:"name"`
	State   *string `json:"state"`
	Service *string `json:"service"`
	Product *string `json:"product"`
	Version *string `json:"version"`
	Process *string `json:"process"` // of changes of the inside view
	Bind    *string `json:"bind"`    // address on which it listens
}

func changesOf(changes []state.Change) []changeJSON {
	list := make([]changeJSON, 0, len(changes))
	for _, c := range changes {
		j := changeJSON{
			Kind:     string(c.Kind),
			Severity: string(c.Kind.Severity()),
			Host:     hostOf(c.Name, c.Address.String()),
			Address:  c.Address.String(),
			Was:      seenOf(c.Was),
			Now:      seenOf(c.Now),
		}
		if c.OfPort() {
			j.Protocol, j.Port = some(string(c.Port.Protocol)), &c.Port.Number
		}
		list = append(list, j)
	}
	return list
}

func seenOf(s state.Seen) *seenJSON {
	seen := seenJSON{
		Name:    some(s.Name),
		State:   some(string(s.State)),
		Service: some(s.Service.String()),
		Product: some(s.Service.Product),
		Version: some(s.Service.Version),
		Process: some(s.Process.Described()),
	}
	if s.Bind.IsValid() {
		seen.Bind = some(s.Bind.String())
	}
	if seen == (seenJSON{}) {
		return nil
	}
	return &seen
}

// hostOf returns what scripts call a host: its first name, or its address.
func hostOf(name, address string) string {
	if name == "" {
		return address
	}
	return name
}

// some returns nil, JSON's null, for nothing.
func some[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	something := v // nothing, which is most, takes no memory
	return &something
}
