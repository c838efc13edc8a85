package scan

import (
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// serviceXML is what is read of a port's service, cleaned, and what is needed to
// judge it.
type serviceXML struct {
	state.Service
	method      string
	fingerprint string // as nmap prints it, with what the service sent
}

// port reads a port. Its number is kept for what nmap says of it; the service
// only of a port that may be open, and the name that the table has for others.
func (d *decoder) port(h *hostXML) error {
	number, err := portNumber(d.attr("portid"))
	if err != nil {
		return fmt.Errorf("port number %.40q is none", d.attr("portid"))
	}
	protocol, unknown := state.ParseProtocol(d.word(d.attr("protocol")))
	var read portXML
	var said string // its state
	var service serviceXML
	var scripts []state.ScriptOutput
	err = d.children(func() error {
		switch string(d.Name()) {
		case "state":
			said = d.portState(&read, said)
		case "service":
			return d.service(&service)
		case "script":
			if id := d.text("id"); id != fingerprintStrings && len(scripts) < maxScripts {
				scripts = append(scripts, scriptOutput(id, d.text("output")))
			}
		}
		return d.Skip()
	})
	if err != nil || unknown != nil || number == 0 {
		return err // without one: a line of an IP protocol scan, or port 0
	}
	read.Port = state.Port{Protocol: protocol, Number: number}
	switch s := state.PortState(said); s {
	case state.Open, state.OpenFiltered:
		read.State, read.Service = s, d.judge(service, s)
		read.Scripts = scripts
	case state.Closed, state.Filtered, state.Unfiltered, state.ClosedFiltered:
		read.State = s
		if service.method == "table" {
			read.Service.Name = service.Name
		}
	default:
		return fmt.Errorf("port %s is in the unknown state %.40q", read.Port, said)
	}
	h.ports = append(h.ports, read)
	return nil
}

// portState reads a state element and returns the state, which is said if it
// has none.
func (d *decoder) portState(p *portXML, said string) string {
	for _, a := range d.Attrs() {
		switch string(a.Name) {
		case "state":
			said = d.word(a.Value)
		case "reason":
			p.reason = d.word(a.Value)
		case "reason_ip":
			p.from = d.word(a.Value)
		}
	}
	return said
}

// service is the border: every text in it was chosen by the host.
func (d *decoder) service(s *serviceXML) error {
	for _, a := range d.Attrs() {
		switch string(a.Name) {
		case "name":
			s.Name = d.word(a.Value)
		case "product":
			s.Product = d.word(a.Value)
		case "version":
			s.Version = d.word(a.Value)
		case "extrainfo":
			s.ExtraInfo = d.word(a.Value)
		case "tunnel":
			s.Tunnel = d.word(a.Value)
		case "method":
			s.method = d.word(a.Value)
		case "servicefp":
			s.fingerprint = string(a.Value)
		}
	}
	d.cpe = append(d.cpe[:0], s.CPE...)
	err := d.children(func() error {
		if string(d.Name()) != "cpe" || len(d.cpe) == maxCPE {
			return d.Skip()
		}
		text, err := d.content()
		d.cpe = append(d.cpe, d.word(text))
		return err
	})
	s.CPE = d.sameCPE()
	return err
}

// sameCPE returns the list of CPE that was read, the one that was kept before if
// it is the same.
func (d *decoder) sameCPE() []string {
	if len(d.cpe) == 0 {
		return nil
	}
	first := d.cpe[0]
	kept, known := d.cpes[first]
	if slices.Equal(kept, d.cpe) {
		return kept
	}
	list := slices.Clone(d.cpe)
	if !known && len(d.cpes) < maxWords {
		d.cpes[first] = list
	}
	return list
}

// judge returns what is kept of the service of a port in the given state.
func (d *decoder) judge(s serviceXML, of state.PortState) state.Service {
	s.Probed = of == state.Open && (d.run.services || s.method == "probed")
	if said := banner(s.fingerprint); s.Product == "" && said != "" {
		s.ExtraInfo = said
	}
	return s.Service
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
