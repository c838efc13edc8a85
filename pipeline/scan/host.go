package scan

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/Ullaakut/nmap/v3"

	"ownmap/pipeline/state"
)

// hostXML is what a host element says (nmap.dtd), cut down to what is used while
// it is read: a host with 65,535 banners costs no more than what is kept of it.
type hostXML struct {
	address  netip.Addr
	status   nmap.Status
	timedOut bool
	names    []string
	ports    []portXML
	extra    []extraPorts
}

// portXML is a port that has a line of its own.
type portXML struct {
	state.PortStatus
	reason string // "syn-ack"
	from   string // the address that answered, if it is another
}

// extraPorts are ports that share a state and have no line of their own. The
// library's type lacks what says which ones they are, so this one stands in.
type extraPorts struct {
	State   state.PortState `xml:"state,attr"`
	Count   int             `xml:"count,attr"`
	Reasons []struct {
		Reason   string         `xml:"reason,attr"`
		Protocol state.Protocol `xml:"proto,attr"` // since nmap 7.93
		Ports    string         `xml:"ports,attr"` // since nmap 7.93
	} `xml:"extrareasons"`
}

// Bounds of what a host can make us keep.
const (
	maxNames = 16
	maxCPE   = 8

	maxScripts     = 8  // of a port
	maxScriptLines = 12 // of one script

	// fingerprintStrings comes with every service that nmap cannot name, asked for or
	// not; the banner says it shorter.
	fingerprintStrings = "fingerprint-strings"
)

// host reads the children of a host element, whose start was read.
func (d *decoder) host(start xml.StartElement) (hostXML, error) {
	var h hostXML
	for _, a := range start.Attr {
		h.timedOut = h.timedOut || (a.Name.Local == "timedout" && a.Value == "true")
	}
	for {
		token, err := d.Token()
		if err != nil {
			return h, err
		}
		switch t := token.(type) {
		case xml.EndElement:
			if t.Name.Local != "host" {
				continue // ports or hostnames
			}
			if !h.address.IsValid() {
				return h, errors.New("a host without an IP address")
			}
			return h, nil
		case xml.StartElement:
			if err := d.hostPart(&h, t); err != nil {
				return h, err
			}
		}
	}
}

func (d *decoder) hostPart(h *hostXML, start xml.StartElement) error {
	switch start.Name.Local {
	case "ports", "hostnames":
		return nil // containers: go on with what is in them
	case "status":
		return d.DecodeElement(&h.status, &start)
	case "address":
		return d.address(h, start)
	case "hostname":
		var name nmap.Hostname
		err := d.DecodeElement(&name, &start)
		if err == nil && name.Name != "" && len(h.names) < maxNames {
			h.names = append(h.names, state.Clean(name.Name))
		}
		return err
	case "extraports":
		var extra extraPorts
		err := d.DecodeElement(&extra, &start)
		h.extra = append(h.extra, extra)
		return err
	case "port":
		return d.port(h, start)
	}
	return d.Skip()
}

func (d *decoder) address(h *hostXML, start xml.StartElement) error {
	var a nmap.Address
	if err := d.DecodeElement(&a, &start); err != nil || a.AddrType == "mac" {
		return err
	}
	address, err := netip.ParseAddr(a.Addr)
	if err != nil {
		return fmt.Errorf("host address %.60q is none", a.Addr)
	}
	h.address = address.WithZone("").Unmap()
	return nil
}

// port reads a port. Its number is kept for what nmap says of it; the service
// only of a port that may be open.
func (d *decoder) port(h *hostXML, start xml.StartElement) error {
	var p struct {
		Number   uint16       `xml:"portid,attr"`
		Protocol string       `xml:"protocol,attr"`
		State    nmap.State   `xml:"state"`
		Service  nmap.Service `xml:"service"`
		Scripts  []struct {
			ID     string `xml:"id,attr"`
			Output string `xml:"output,attr"`
		} `xml:"script"`
	}
	if err := d.DecodeElement(&p, &start); err != nil {
		return err
	}
	protocol, err := state.ParseProtocol(p.Protocol)
	if err != nil || p.Number == 0 {
		return nil //nolint:nilerr // a line of an IP protocol scan, or port 0
	}
	read := portXML{reason: state.Clean(p.State.Reason), from: p.State.ReasonIP}
	read.Port = state.Port{Protocol: protocol, Number: p.Number}
	switch s := state.PortState(p.State.State); s {
	case state.Open, state.OpenFiltered:
		read.State, read.Service = s, d.service(p.Service, s)
		for _, script := range p.Scripts[:min(len(p.Scripts), maxScripts)] {
			if script.ID != fingerprintStrings {
				read.Scripts = append(read.Scripts, scriptOutput(script.ID, script.Output))
			}
		}
	case state.Closed, state.Filtered, state.Unfiltered, state.ClosedFiltered:
		read.State = s
	default:
		return fmt.Errorf("port %s is in the unknown state %.40q", read.Port, p.State.State)
	}
	h.ports = append(h.ports, read)
	return nil
}

// service is the border: every text in it was chosen by the host.
func (d *decoder) service(s nmap.Service, of state.PortState) state.Service {
	out := state.Service{
		Name: state.Clean(s.Name), Product: state.Clean(s.Product), Version: state.Clean(s.Version),
		ExtraInfo: state.Clean(s.ExtraInfo), Tunnel: state.Clean(s.Tunnel),
		Probed: of == state.Open && (d.run.services || s.Method == "probed"),
	}
	if said := banner(s.ServiceFP); out.Product == "" && said != "" {
		out.ExtraInfo = said
	}
	for _, cpe := range s.CPEs[:min(len(s.CPEs), maxCPE)] {
		out.CPE = append(out.CPE, state.Clean(string(cpe)))
	}
	return out
}

// scriptOutput is a border as well: a certificate's subject is text of the host's.
func scriptOutput(id, output string) state.ScriptOutput {
	out := state.ScriptOutput{Script: state.Clean(id)}
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" && len(out.Lines) < maxScriptLines {
			out.Lines = append(out.Lines, state.Clean(line))
		}
	}
	return out
}
