package export

import "encoding/xml"

// The elements of ndiff's format. Where both scans agree an element stands by
// itself; where they differ, a and b hold one element each.
type (
	nmapDiff struct {
		XMLName xml.Name  `xml:"nmapdiff"`
		Version int       `xml:"version,attr"`
		Comment string    `xml:",comment"`
		Hosts   hostDiffs `xml:"scandiff"`
	}
	hostDiffs struct {
		List []hostDiff `xml:"hostdiff"`
	}
	hostDiff struct {
		A    *sideXML `xml:"a"`
		B    *sideXML `xml:"b"`
		Host *hostXML `xml:"host"`
	}
	// sideXML holds exactly one element.
	sideXML struct {
		Host     *hostXML     `xml:"host"`
		Status   *statusXML   `xml:"status"`
		Hostname *hostnameXML `xml:"hostname"`
		Port     *portXML     `xml:"port"`
		Service  *serviceXML  `xml:"service"`
	}
	hostXML struct {
		A         *sideXML      `xml:"a"`
		B         *sideXML      `xml:"b"`
		Status    *statusXML    `xml:"status"`
		Address   addressXML    `xml:"address"`
		Hostnames *hostnamesXML `xml:"hostnames"`
		Ports     *portsXML     `xml:"ports"`
	}
	statusXML struct {
		State string `xml:"state,attr"`
	}
	addressXML struct {
		Addr string `xml:"addr,attr"`
		Type string `xml:"addrtype,attr"`
	}
	hostnamesXML struct {
		A    *sideXML     `xml:"a"`
		B    *sideXML     `xml:"b"`
		Both *hostnameXML `xml:"hostname"`
	}
	hostnameXML struct {
		Name string `xml:"name,attr"`
	}
	portsXML struct {
		Diffs []portDiff `xml:"portdiff"`
		Ports []*portXML `xml:"port"`
	}
	portDiff struct {
		A    *sideXML `xml:"a"`
		B    *sideXML `xml:"b"`
		Port *portXML `xml:"port"`
	}
	portXML struct {
		ID       uint16      `xml:"portid,attr"`
		Protocol string      `xml:"protocol,attr"`
		State    *stateXML   `xml:"state"`
		Service  *serviceXML `xml:"service"`
		A        *sideXML    `xml:"a"`
		B        *sideXML    `xml:"b"`
	}
	stateXML struct {
		State string `xml:"state,attr"`
	}
	serviceXML struct {
		Name    string `xml:"name,attr,omitempty"`
		Product string `xml:"product,attr,omitempty"`
		Version string `xml:"version,attr,omitempty"`
		Extra   string `xml:"extrainfo,attr,omitempty"`
		Tunnel  string `xml:"tunnel,attr,omitempty"`
	}
)
