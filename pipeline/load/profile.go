package load

import (
	"fmt"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// Profile says how hosts are scanned, as one entry under profiles.
type Profile struct {
	Ports    Ports         `yaml:"ports"` // TCP
	UDP      state.PortSet `yaml:"udp"`
	Services bool          `yaml:"services"` // service detection
	Timing   int           `yaml:"timing"`   // nmap's timing template, 0 to 5

	// VersionIntensity is how many probes service detection may try on a port, 0 to
	// 9; Scripts are NSE scripts, sorted, which run with it.
	VersionIntensity int      `yaml:"version_intensity"`
	Scripts          []string `yaml:"scripts,omitempty"`
}

// Ports are the TCP ports of a profile: the Top most common ones, or else Set.
type Ports struct {
	Top int
	Set state.PortSet
}

// What a profile has unless it says otherwise.
const (
	defaultTiming    = 4 // aggressive: right for networks of this century
	defaultIntensity = 7 // nmap's own
)

// fullUDP are the UDP ports of the profile full: those whose services are asked
// for most, leak or amplify, and that nmap has a payload for, so that they answer.
const fullUDP = "53,67,69,111,123,137,161,177,389,427,443,500,520,623,1194,1434,1604,1645,1701,1812,1900,2049," +
	"3391,3478,3702,4500,5060,5351,5353,5632,5683,6881,10001,11211,27015,47808,51820"

func builtInProfiles() map[string]Profile {
	standard := newProfile()
	quick, full := standard, standard
	quick.Ports, quick.Services = Ports{Top: 100}, false
	full.Ports = Ports{Set: allPorts()}
	full.UDP, _ = state.ParsePortSet(fullUDP)
	return map[string]Profile{"quick": quick, state.DefaultProfile: standard, "full": full}
}

// newProfile returns what a profile is unless its keys say otherwise.
func newProfile() Profile {
	return Profile{Ports: Ports{Top: state.TopPorts}, Services: true, Timing: defaultTiming, VersionIntensity: defaultIntensity}
}

func allPorts() state.PortSet {
	set, _ := state.ParsePortSet("-") // nmap's word for all of them
	return set
}

// The words that a list of ports can be.
const (
	portsAll  = "all"
	portsNone = "none"
	portsTop  = "top-"
)

// parsePorts reads "top-1000", "all", "none" or a list of ports.
func parsePorts(text string) (Ports, error) {
	switch text = strings.TrimSpace(text); {
	case text == portsAll:
		return Ports{Set: allPorts()}, nil
	case text == portsNone:
		return Ports{}, nil
	case strings.HasPrefix(text, portsTop):
		n, err := strconv.ParseUint(text[len(portsTop):], 10, 16)
		if err != nil || n == 0 {
			return Ports{}, fmt.Errorf("%s: after top- comes a number from 1 to 65535, as in top-1000", show(text))
		}
		return Ports{Top: int(n)}, nil
	}
	set, err := parsePortList(text)
	if err == nil {
		return Ports{Set: set}, nil
	}
	known := []string{portsAll, portsNone, "top-100", "top-1000"}
	if text != "" && strings.Trim(text, "0123456789,- ") != "" && suggest(text, known) != "" {
		return Ports{}, fmt.Errorf("unknown ports %s: %s", show(text), remedy(text, known))
	}
	return Ports{}, err
}

// parseUDP reads a list of UDP ports; an empty one and "none" are no mistake.
func parseUDP(text string) (state.PortSet, error) {
	if text == "" || text == portsNone {
		return state.PortSet{}, nil
	}
	return parsePortList(text)
}

// parsePortList reads a list of ports; an empty one is a mistake.
func parsePortList(text string) (state.PortSet, error) {
	const form = `; write a list like "22,80,8000-8099"`
	if strings.TrimSpace(text) == "" {
		return state.PortSet{}, fmt.Errorf("no port is named%s", form)
	}
	set, err := state.ParsePortSet(text)
	if err != nil {
		return state.PortSet{}, fmt.Errorf("%s%s", state.Clean(err.Error()), form)
	}
	return set, nil
}

// MarshalText writes what the config has: "top-1000", "all", "none" or a list.
func (p Ports) MarshalText() ([]byte, error) {
	switch {
	case p.Top > 0:
		return []byte(portsTop + strconv.Itoa(p.Top)), nil
	case p.Set.Equal(allPorts()):
		return []byte(portsAll), nil
	case p.Set.Len() == 0:
		return []byte(portsNone), nil
	}
	return p.Set.MarshalText()
}

// state returns the profile in the words of the pipeline.
func (p Profile) state(name string) state.Profile {
	return state.Profile{
		Name: name, Top: p.Ports.Top, Ports: p.Ports.Set, UDP: p.UDP, Services: p.Services, Timing: p.Timing,
		Intensity: p.VersionIntensity, Scripts: p.Scripts,
	}
}
