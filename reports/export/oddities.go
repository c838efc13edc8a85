package export

import "ownmap/pipeline/state"

// findingJSON is what is odd about a host or one of its ports.
type findingJSON struct {
	Kind     string  `json:"kind"`
	Severity string  `json:"severity"`
	Host     string  `json:"host"`
	Address  string  `json:"address"`
	Vantage  string  `json:"vantage"`
	Protocol *string `json:"protocol"` // null: about the host itself
	Port     *uint16 `json:"port"`
	Detail   string  `json:"detail"`
	First    *string `json:"first"` // since when it is found without a break
	New      bool    `json:"new"`   // in this run
}

// flapJSON is a port that was as known when it was asked again.
type flapJSON struct {
	Host     string  `json:"host"`
	Address  string  `json:"address"`
	Vantage  string  `json:"vantage"`
	Protocol string  `json:"protocol"`
	Port     uint16  `json:"port"`
	Saw      *string `json:"saw"` // null: not open
	Count    int     `json:"count"`
	First    *string `json:"first"`
}

// elsewhereJSON is a port that is not the same from every vantage.
type elsewhereJSON struct {
	Host     string     `json:"host"`
	Address  string     `json:"address"`
	Protocol string     `json:"protocol"`
	Port     uint16     `json:"port"`
	Views    []viewJSON `json:"views"`
}

type viewJSON struct {
	Vantage string  `json:"vantage"`
	State   *string `json:"state"` // null: not looked at
}

func findingsOf(findings []state.Finding) []findingJSON {
	all := make([]findingJSON, 0, len(findings))
	for _, f := range findings {
		all = append(all, findingJSON{
			string(f.Kind), string(f.Weight()), f.Label(), f.Address.String(), f.Vantage,
			some(string(f.Port.Protocol)), some(f.Port.Number), f.Detail, utc(&f.First), f.New,
		})
	}
	return all
}

func flapsOf(flaps []state.Flap) []flapJSON {
	all := make([]flapJSON, 0, len(flaps))
	for _, f := range flaps {
		all = append(all, flapJSON{
			f.Label(), f.Address.String(), f.Vantage, string(f.Port.Protocol), f.Port.Number, some(string(f.Saw)), f.Count, utc(&f.First),
		})
	}
	return all
}

func elsewhereOf(list []state.Elsewhere) []elsewhereJSON {
	all := make([]elsewhereJSON, 0, len(list))
	for _, e := range list {
		j := elsewhereJSON{Host: state.Label(e.Name, e.Address), Address: e.Address.String(), Protocol: string(e.Port.Protocol), Port: e.Port.Number}
		for _, v := range e.Views {
			j.Views = append(j.Views, viewJSON{v.Vantage, some(string(v.State))})
		}
		all = append(all, j)
	}
	return all
}
