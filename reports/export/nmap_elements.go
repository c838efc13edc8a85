package export

import "encoding/xml"

// The elements of nmap's XML (nmap.dtd of nmap 7.93), as far as OwnMap knows what
// stands in them.
type (
	nmapScanInfo struct {
		XMLName  xml.Name `xml:"scaninfo"`
		Type     string   `xml:"type,attr"`
		Protocol string   `xml:"protocol,attr"`
		Count    int      `xml:"numservices,attr"`
		Services string   `xml:"services,attr"`
	}
	nmapLevel struct {
		XMLName xml.Name
		Level   int `xml:"level,attr"`
	}
	nmapHost struct {
		XMLName   xml.Name       `xml:"host"`
		TimedOut  string         `xml:"timedout,attr,omitempty"`
		Comment   string         `xml:"comment,attr,omitempty"`
		Status    nmapStatus     `xml:"status"`
		Addresses []addressXML   `xml:"address"`
		Hostnames []nmapHostname `xml:"hostnames>hostname"`
		Ports     *nmapPorts     `xml:"ports"`
	}
	nmapStatus struct {
		State  string `xml:"state,attr"`
		Reason string `xml:"reason,attr"`
		TTL    int    `xml:"reason_ttl,attr"`
	}
	nmapHostname struct {
		Name string `xml:"name,attr"`
		Type string `xml:"type,attr"`
	}
	nmapPorts struct {
		Extra []nmapExtraPorts `xml:"extraports"`
		Ports []nmapPort       `xml:"port"`
	}
	nmapExtraPorts struct {
		State   string            `xml:"state,attr"`
		Count   int               `xml:"count,attr"`
		Reasons []nmapExtraReason `xml:"extrareasons"`
	}
	nmapExtraReason struct {
		Reason   string `xml:"reason,attr"`
		Count    int    `xml:"count,attr"`
		Protocol string `xml:"proto,attr"`
		Ports    string `xml:"ports,attr"`
	}
	nmapPort struct {
		Protocol string       `xml:"protocol,attr"`
		ID       uint16       `xml:"portid,attr"`
		State    nmapStatus   `xml:"state"`
		Service  *nmapService `xml:"service"`
	}
	nmapService struct {
		Name    string   `xml:"name,attr"`
		Product string   `xml:"product,attr,omitempty"`
		Version string   `xml:"version,attr,omitempty"`
		Extra   string   `xml:"extrainfo,attr,omitempty"`
		Tunnel  string   `xml:"tunnel,attr,omitempty"`
		Method  string   `xml:"method,attr"`
		Conf    int      `xml:"conf,attr"`
		CPE     []string `xml:"cpe"`
	}
	nmapFinished struct {
		Time    int64  `xml:"time,attr"`
		Text    string `xml:"timestr,attr"`
		Summary string `xml:"summary,attr"`
		Elapsed string `xml:"elapsed,attr"`
		Exit    string `xml:"exit,attr"`
	}
	nmapTotals struct {
		Up    int `xml:"up,attr"`
		Down  int `xml:"down,attr"`
		Total int `xml:"total,attr"`
	}
	nmapStats struct {
		XMLName  xml.Name     `xml:"runstats"`
		Finished nmapFinished `xml:"finished"`
		Hosts    nmapTotals   `xml:"hosts"`
	}
)
