package main

import (
	"encoding/xml"
	"maps"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// verdicts are what a comparison of two files says, in words that OwnMap and
// nmap's ndiff have in common: "closed 192.0.2.1 80/tcp".
type verdicts map[string]bool

// ours compares two files as `ownmap diff` does.
func ours(a, b scan.Document) (verdicts, []state.Host) {
	asked := diff.Asked{Args: a.Args, Total: a.Total}
	now := append(slices.Clone(b.Hosts), diff.Missing(a.Hosts, b.Hosts, asked.Same(diff.Asked{Args: b.Args, Total: b.Total}))...)
	return verdictsOf(diff.States(a.Hosts, now).Changes), now
}

func verdictsOf(changes []state.Change) verdicts {
	said := verdicts{}
	for _, c := range changes {
		word := ""
		switch c.Kind {
		case state.HostNew:
			word = "new"
		case state.HostDown:
			word = "gone"
		case state.HostBack:
			word = "back"
		case state.HostRenamed:
			word = "renamed"
		case state.PortOpened, state.PortFound:
			word = "opened"
		case state.PortClosed:
			word = "closed"
		case state.PortUncertain:
			word = "uncertain"
		case state.ServiceChanged, state.ProductChanged, state.VersionChanged, state.ServiceIdentified:
			word = "service"
		case state.ProcessChanged, state.ProcessUpdated, state.ListenerNew, state.ListenerGone, state.BindChanged:
			word = "inside" // nothing that two files of nmap could say
		}
		said.add(word, c.Address.String(), c.Port)
	}
	return said
}

func (v verdicts) add(word, address string, port state.Port) {
	if port.Number != 0 {
		address += " " + port.String()
	}
	v[word+" "+address] = true
}

// element is any XML element.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
}

func (e element) attr(name string) string {
	i := slices.IndexFunc(e.Attrs, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return e.Attrs[i].Value
}

// of returns the children of one side, a or b: those that both have, and those
// that stand in the side's element.
func (e element) of(side string) []element {
	var list []element
	for _, c := range e.Children {
		switch c.XMLName.Local {
		case side:
			list = append(list, c.Children...)
		case "a", "b":
		default:
			list = append(list, c)
		}
	}
	return list
}

// theirHost is a host as one side of ndiff's output has it.
type theirHost struct {
	present bool
	address string
	status  string
	names   []string
	ports   map[state.Port]theirPort
}

type theirPort struct {
	state   string
	service string // all attributes
}

// theirs asks nmap's ndiff about two files. It ends with 2 where ndiff itself
// does; then the verdicts are nil.
func (n *ndiffs) theirs(t *testing.T, a, b string) verdicts {
	t.Helper()
	out, code := n.compare(t, a, b)
	if code > 1 {
		return nil
	}
	var document element
	if err := xml.Unmarshal(out, &document); err != nil {
		t.Fatalf("ndiff %s %s: %v", a, b, err)
	}
	// ndiff knows a host by its name: a host with another name is one gone and
	// one new for it, and two addresses with one name are one host. Here, as for
	// OwnMap, the address is the host.
	before, after := map[string]theirHost{}, map[string]theirHost{}
	for _, scandiff := range document.Children {
		for _, hostdiff := range scandiff.Children {
			if hostdiff.XMLName.Local == "hostdiff" {
				was, now := theirView(hostdiff, "a"), theirView(hostdiff, "b")
				before[was.address], after[now.address] = was, now
			}
		}
	}
	said := verdicts{}
	addresses := maps.Clone(before)
	maps.Copy(addresses, after)
	for address := range addresses {
		if address != "" {
			said.host(address, before[address], after[address])
		}
	}
	return said
}

func theirView(hostdiff element, side string) theirHost {
	view := theirHost{ports: map[state.Port]theirPort{}}
	for _, host := range hostdiff.of(side) {
		view.present = true
		for _, e := range host.of(side) {
			switch e.XMLName.Local {
			case "status":
				view.status = e.attr("state")
			case "address":
				if e.attr("addrtype") != "mac" {
					view.address = e.attr("addr")
				}
			case "hostnames":
				for _, name := range e.of(side) {
					view.names = append(view.names, name.attr("name"))
				}
			case "ports":
				for _, p := range e.of(side) {
					view.add(p, side)
				}
			}
		}
	}
	return view
}

func (h theirHost) add(p element, side string) {
	if p.XMLName.Local == "portdiff" {
		for _, inner := range p.of(side) {
			h.add(inner, side)
		}
		return
	}
	port, err := state.ParsePort(p.attr("portid") + "/" + p.attr("protocol"))
	if err != nil {
		return // extraports
	}
	var seen theirPort
	for _, e := range p.of(side) {
		switch e.XMLName.Local {
		case "state":
			seen.state = e.attr("state")
		case "service":
			for _, name := range []string{"tunnel", "name", "product", "version", "extrainfo"} {
				seen.service += "|" + e.attr(name)
			}
		}
	}
	h.ports[port] = seen
}

// host adds what ndiff says of one host. What OwnMap has no word for counts as
// "other": ports that are neither open nor open|filtered, and names that came or
// went.
func (v verdicts) host(address string, a, b theirHost) {
	switch {
	case a.present && (a.status != "down" && (!b.present || b.status == "down")):
		v.add("gone", address, state.Port{})
	case a.present && a.status == "down" && b.status == "up":
		v.add("back", address, state.Port{})
	case !a.present && b.status == "up":
		v.add("new", address, state.Port{})
	}
	if len(a.names) > 0 && len(b.names) > 0 && !slices.Equal(a.names, b.names) {
		v.add("renamed", address, state.Port{})
	} else if len(a.names) != len(b.names) && a.present && b.present {
		v.add("other: name gained or lost,", address, state.Port{})
	}
	all := map[state.Port]theirPort{}
	maps.Copy(all, a.ports)
	maps.Copy(all, b.ports)
	for port := range all {
		was, now := a.ports[port], b.ports[port]
		switch {
		case now.state == "open" && was.state == "open":
			if was.service != now.service {
				v.add("service", address, port)
			}
		case now.state == "open":
			v.add("opened", address, port)
		case was.state == "open":
			v.add("closed", address, port)
		case strings.Contains(was.state+now.state, "open") && was.state != now.state:
			v.add("uncertain", address, port)
		case was.state != now.state:
			v.add("other: closed, filtered or unlisted,", address, port)
		}
	}
}
