package export

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// DiffXML writes a comparison as nmap's ndiff does (ndiff(1), "Output"; its
// ndiff.dtd, version 1), for programs that read that. A side of which nothing is
// known is an empty port. What the format has no place for, such as coverage
// and notes, stands in a comment.
func DiffXML(w io.Writer, c state.Comparison) error {
	doc := nmapDiff{Version: 1, Comment: comment(c), Hosts: hostDiffs{List: diffHosts(c.Changes)}}
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("write XML: %w", err)
	}
	if _, err := io.WriteString(w, xml.Header+string(text)+"\n"); err != nil {
		return fmt.Errorf("write XML: %w", err)
	}
	return nil
}

// comment says what was compared and how much of it was looked at. XML forbids
// two hyphens in a row in comments.
func comment(c state.Comparison) string {
	text := fmt.Sprintf("%s and %s; of %s in the second: %d answered, %d silent, %d not looked at", c.A, c.B,
		state.Count(c.Coverage.Hosts, "host", "hosts"), c.Coverage.Answered, c.Coverage.Silent, c.Coverage.NotScanned)
	inside := 0
	for _, change := range c.Changes {
		if change.Kind.Inside() {
			inside++
		}
	}
	if inside > 0 {
		text += "; " + state.Count(inside, "change", "changes") + " of the inside of hosts left out"
	}
	text = state.Clean(strings.Join(append([]string{text}, c.Notes...), "; "))
	for strings.Contains(text, "--") {
		text = strings.ReplaceAll(text, "--", "- -")
	}
	return " " + text + " "
}

// diffHosts leaves out what is told of the inside of hosts: the format has no words
// for it.
func diffHosts(changes []state.Change) []hostDiff {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c state.Change) bool { return c.Kind.Inside() })
	var hosts []hostDiff
	for i := 0; i < len(changes); {
		end := i + 1
		for end < len(changes) && changes[end].Address == changes[i].Address && changes[end].Vantage == changes[i].Vantage {
			end++
		}
		hosts = append(hosts, diffHost(changes[i:end]))
		i = end
	}
	return hosts
}

// diffHost returns the changes of one host. A host that was not known before
// stands in b alone, with its ports.
func diffHost(changes []state.Change) hostDiff {
	first := changes[0]
	host := hostXML{Status: statusElement(state.Up), Address: addressElement(first.Address)}
	names := hostnamesXML{Both: hostnameElement(first.Name)}
	var ports portsXML
	fresh := false
	for _, c := range changes {
		switch c.Kind {
		case state.HostNew:
			fresh = true
		case state.HostDown:
			host.Status, host.A, host.B = nil, &sideXML{Status: statusElement(state.Up)}, &sideXML{Status: statusElement(state.Down)}
		case state.HostBack:
			host.Status, host.A, host.B = nil, &sideXML{Status: statusElement(state.Down)}, &sideXML{Status: statusElement(state.Up)}
		case state.HostRenamed:
			names = hostnamesXML{A: &sideXML{Hostname: hostnameElement(c.Was.Name)}, B: &sideXML{Hostname: hostnameElement(c.Now.Name)}}
		case state.PortOpened, state.PortFound, state.PortClosed, state.PortUncertain:
			ports.Diffs = append(ports.Diffs, portDiff{A: &sideXML{Port: portElement(c.Port, c.Was)}, B: &sideXML{Port: portElement(c.Port, c.Now)}})
		case state.ServiceChanged, state.ProductChanged, state.VersionChanged, state.ServiceIdentified:
			port := portElement(c.Port, state.Seen{State: c.Now.State})
			port.A, port.B = &sideXML{Service: serviceElement(c.Was.Service)}, &sideXML{Service: serviceElement(c.Now.Service)}
			ports.Diffs = append(ports.Diffs, portDiff{Port: port})
		case state.ProcessChanged, state.ProcessUpdated, state.ListenerNew, state.ListenerGone, state.BindChanged:
			// diffHosts left them out.
		}
	}
	if names != (hostnamesXML{}) {
		host.Hostnames = &names
	}
	if fresh {
		for _, d := range ports.Diffs {
			if d.B != nil {
				d.Port = d.B.Port
			}
			ports.Ports = append(ports.Ports, d.Port)
		}
		ports.Diffs = nil
	}
	if len(ports.Diffs)+len(ports.Ports) > 0 {
		host.Ports = &ports
	}
	if fresh {
		return hostDiff{B: &sideXML{Host: &host}}
	}
	return hostDiff{Host: &host}
}

func statusElement(s state.HostState) *statusXML { return &statusXML{State: string(s)} }

func addressElement(a netip.Addr) addressXML {
	if a.Is4() {
		return addressXML{Addr: a.String(), Type: "ipv4"}
	}
	return addressXML{Addr: a.String(), Type: "ipv6"}
}

func hostnameElement(name string) *hostnameXML {
	if name == "" {
		return nil
	}
	return &hostnameXML{Name: state.Clean(name)}
}

func portElement(p state.Port, seen state.Seen) *portXML {
	port := &portXML{ID: p.Number, Protocol: string(p.Protocol)}
	if seen.State != "" {
		port.State = &stateXML{State: string(seen.State)}
	}
	if service := serviceElement(seen.Service); *service != (serviceXML{}) {
		port.Service = service
	}
	return port
}

func serviceElement(s state.Service) *serviceXML {
	return &serviceXML{Name: state.Clean(s.Name), Product: state.Clean(s.Product), Version: state.Clean(s.Version), Extra: state.Clean(s.ExtraInfo), Tunnel: state.Clean(s.Tunnel)}
}
