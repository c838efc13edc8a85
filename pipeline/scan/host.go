package scan

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"ownmap/pipeline/nmapxml"
	"ownmap/pipeline/state"
)

// hostXML is what a host element says (nmap.dtd), cut down to what is used while
// it is read: a host with 65,535 banners costs no more than what is kept of it.
type hostXML struct {
	address  netip.Addr
	status   hostStatus
	timedOut bool
	names    []string
	mac      string
	ports    []portXML
	extra    []extraPorts
	// before are ports that an earlier document names for the host, to be used again
	// if they are the same.
	before []state.PortStatus
}

// hostStatus is nmap's word on a host and why.
type hostStatus struct {
	State, Reason string
}

// portXML is a port that has a line of its own.
type portXML struct {
	state.PortStatus
	reason string // "syn-ack"
	from   string // the address that answered, if it is another
}

// extraPorts are ports that share a state and have no line of their own.
type extraPorts struct {
	State   state.PortState
	Count   int
	Reasons []extraReason
}

// extraReason tells why extraPorts are in their state and, since nmap 7.93, which
// ones they are.
type extraReason struct {
	Reason   string
	Protocol state.Protocol
	Ports    state.PortSet
	Precise  bool // protocol and ports are told
}

// Bounds of what a host can make us keep.
const (
	maxNames  = 16
	macLength = 6 // bytes
	maxCPE    = 8

	maxScripts     = 8  // of a port
	maxScriptLines = 12 // of one script

	// fingerprintStrings comes with every service that nmap cannot name, asked for or
	// not; the banner says it shorter.
	fingerprintStrings = "fingerprint-strings"
)

// host reads the children of a host element, whose start was read.
func (d *decoder) host() (hostXML, error) {
	h := hostXML{ports: d.ports[:0], extra: d.extra[:0]}
	for _, a := range d.Attrs() {
		h.timedOut = h.timedOut || (string(a.Name) == "timedout" && string(a.Value) == "true")
	}
	for {
		kind, err := d.Next()
		switch {
		case err != nil:
			return h, err
		case kind == nmapxml.Start:
			if err := d.hostPart(&h); err != nil {
				return h, err
			}
		case kind == nmapxml.End && string(d.Name()) == "host": // and not of ports or hostnames
			if !h.address.IsValid() {
				return h, errors.New("a host without an IP address")
			}
			d.ports, d.extra = h.ports, h.extra
			return h, nil
		}
	}
}

func (d *decoder) hostPart(h *hostXML) error {
	switch string(d.Name()) {
	case "ports", "hostnames":
		return nil // containers: go on with what is in them
	case "status":
		for _, a := range d.Attrs() {
			switch string(a.Name) {
			case "state":
				h.status.State = d.word(a.Value)
			case "reason":
				h.status.Reason = d.word(a.Value)
			}
		}
	case "address":
		if err := d.address(h); err != nil {
			return err
		}
	case "hostname":
		if name := d.text("name"); name != "" && len(h.names) < maxNames {
			h.names = append(h.names, state.Clean(name))
		}
	case "extraports":
		return d.extraPorts(h)
	case "port":
		return d.port(h)
	}
	return d.Skip()
}

func (d *decoder) address(h *hostXML) error {
	if d.text("addrtype") == "mac" {
		if mac, err := net.ParseMAC(d.text("addr")); err == nil && len(mac) == macLength {
			h.mac = strings.ToUpper(mac.String())
		}
		return nil
	}
	text := d.text("addr")
	address, err := netip.ParseAddr(text)
	if err != nil {
		return fmt.Errorf("host address %.60q is none", text)
	}
	h.address = address.WithZone("").Unmap()
	return nil
}

// extraPorts reads ports that have no line of their own.
func (d *decoder) extraPorts(h *hostXML) (err error) {
	extra := extraPorts{State: state.PortState(d.word(d.attr("state")))}
	if extra.Count, err = count(d.attr("count")); err != nil {
		return fmt.Errorf("count of extraports: %w", err)
	}
	err = d.children(func() error {
		if string(d.Name()) == "extrareasons" {
			extra.Reasons = append(extra.Reasons, d.extraReason())
		}
		return d.Skip()
	})
	h.extra = append(h.extra, extra)
	return err
}

// writtenPorts is a list of ports as nmap writes it, and what it says.
type writtenPorts struct {
	text  string
	set   state.PortSet
	valid bool
}

// extraReason reads why ports have no line of their own. The list of them is the
// same for host after host.
func (d *decoder) extraReason() extraReason {
	r := extraReason{Reason: d.word(d.attr("reason")), Protocol: state.Protocol(d.word(d.attr("proto")))}
	if list := d.attr("ports"); string(list) != d.list.text {
		text := string(list)
		set, err := state.ParsePortSet(text)
		d.list = writtenPorts{text, set, err == nil}
	}
	r.Ports, r.Precise = d.list.set, d.list.valid && d.list.text != "" && r.Protocol != ""
	return r
}
