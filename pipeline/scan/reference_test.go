package scan

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

var errOracle = errors.New("refused")

// portOracle is a port element for encoding/xml.
type portOracle struct {
	Number   uint16 `xml:"portid,attr"`
	Protocol string `xml:"protocol,attr"`
	State    struct {
		State  string `xml:"state,attr"`
		Reason string `xml:"reason,attr"`
		From   string `xml:"reason_ip,attr"`
	} `xml:"state"`
	Service struct {
		Name        string   `xml:"name,attr"`
		Product     string   `xml:"product,attr"`
		Version     string   `xml:"version,attr"`
		ExtraInfo   string   `xml:"extrainfo,attr"`
		Tunnel      string   `xml:"tunnel,attr"`
		Method      string   `xml:"method,attr"`
		Fingerprint string   `xml:"servicefp,attr"`
		CPE         []string `xml:"cpe"`
	} `xml:"service"`
}

// add adds what the port says to its host.
func (p portOracle) add(h *hostXML, services bool) error {
	protocol, err := state.ParseProtocol(p.Protocol)
	if err != nil || p.Number == 0 {
		return nil //nolint:nilerr // as decode has it
	}
	read := portXML{reason: state.Clean(p.State.Reason), from: state.Clean(p.State.From)}
	read.Port = state.Port{Protocol: protocol, Number: p.Number}
	read.State = state.PortState(p.State.State)
	switch s := p.Service; read.State {
	case state.Open, state.OpenFiltered:
		read.Service = state.Service{
			Name: state.Clean(s.Name), Product: state.Clean(s.Product), Version: state.Clean(s.Version), ExtraInfo: state.Clean(s.ExtraInfo),
			Tunnel: state.Clean(s.Tunnel), Probed: read.State == state.Open && (services || s.Method == "probed"),
		}
		if said := banner(s.Fingerprint); s.Product == "" && said != "" {
			read.Service.ExtraInfo = said
		}
		for _, cpe := range s.CPE[:min(len(s.CPE), maxCPE)] {
			read.Service.CPE = append(read.Service.CPE, state.Clean(cpe))
		}
	case state.Closed, state.Filtered, state.Unfiltered, state.ClosedFiltered:
		if s.Method == "table" {
			read.Service.Name = state.Clean(s.Name)
		}
	default:
		return errOracle
	}
	h.ports = append(h.ports, read)
	return nil
}

// hostOracle reads a host element.
func hostOracle(d *xml.Decoder, start xml.StartElement, services bool) (h hostXML, err error) {
	for _, a := range start.Attr {
		h.timedOut = h.timedOut || (a.Name.Local == "timedout" && a.Value == "true")
	}
	for {
		token, err := d.Token()
		if err != nil {
			return h, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := partOracle(d, t, &h, services); err != nil {
				return h, err
			}
		case xml.EndElement:
			if t.Name.Local == "host" {
				if !h.address.IsValid() {
					return h, errOracle
				}
				return h, nil
			}
		}
	}
}

func partOracle(d *xml.Decoder, start xml.StartElement, h *hostXML, services bool) error {
	switch start.Name.Local {
	case "ports", "hostnames":
		return nil
	case "status":
		status := struct {
			State  string `xml:"state,attr"`
			Reason string `xml:"reason,attr"`
		}(h.status)
		err := d.DecodeElement(&status, &start)
		h.status = hostStatus{state.Clean(status.State), state.Clean(status.Reason)}
		return err
	case "address":
		var a struct {
			Addr string `xml:"addr,attr"`
			Type string `xml:"addrtype,attr"`
		}
		if err := d.DecodeElement(&a, &start); err != nil || a.Type == "mac" {
			if mac, bad := net.ParseMAC(a.Addr); bad == nil && len(mac) == 6 {
				h.mac = strings.ToUpper(mac.String())
			}
			return err
		}
		address, err := netip.ParseAddr(a.Addr)
		h.address = address.WithZone("").Unmap()
		return err
	case "hostname":
		var n struct {
			Name string `xml:"name,attr"`
		}
		err := d.DecodeElement(&n, &start)
		if n.Name != "" && len(h.names) < maxNames {
			h.names = append(h.names, state.Clean(n.Name))
		}
		return err
	case "extraports":
		var e struct {
			State   state.PortState `xml:"state,attr"`
			Count   int             `xml:"count,attr"`
			Reasons []struct {
				Reason   string         `xml:"reason,attr"`
				Protocol state.Protocol `xml:"proto,attr"`
				Ports    string         `xml:"ports,attr"`
			} `xml:"extrareasons"`
		}
		err := d.DecodeElement(&e, &start)
		extra := extraPorts{State: e.State, Count: e.Count}
		for _, r := range e.Reasons {
			set, err := state.ParsePortSet(r.Ports)
			extra.Reasons = append(extra.Reasons, extraReason{r.Reason, r.Protocol, set, err == nil && r.Ports != "" && r.Protocol != ""})
		}
		h.extra = append(h.extra, extra)
		return err
	case "port":
		var p portOracle
		if err := d.DecodeElement(&p, &start); err != nil {
			return err
		}
		return p.add(h, services)
	}
	return d.Skip()
}

// oracle reads the hosts of a document with encoding/xml. It is for documents
// that decode takes: package nmapxml sees to what is refused.
func oracle(text []byte) (hosts []hostXML, err error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	services := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return hosts, nil
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "nmaprun":
			for _, a := range start.Attr {
				if a.Name.Local == "args" {
					services = asksServices(a.Value)
				}
			}
		case "host":
			h, err := hostOracle(d, start, services)
			if err != nil {
				return nil, err
			}
			hosts = append(hosts, h)
		default:
			if err := d.Skip(); err != nil {
				return nil, err
			}
		}
	}
}

// agree fails unless encoding/xml finds the hosts that decode finds in a
// document that it takes.
func agree(t *testing.T, text []byte) (taken bool) {
	t.Helper()
	var got []hostXML
	_, err := decode(bytes.NewReader(text), maxDocument, handler{host: func(_ runXML, h hostXML) {
		h.ports = slices.Clone(h.ports) // lent, as is the next
		h.extra = slices.Clone(h.extra)
		if len(h.ports) == 0 {
			h.ports = nil
		}
		if len(h.extra) == 0 {
			h.extra = nil
		}
		got = append(got, h)
	}})
	if err != nil {
		return false
	}
	if want, err := oracle(text); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%.300q:\n%.2000v, encoding/xml finds\n%.2000v (%v)", text, got, want, err)
	}
	return true
}

func corpus(tb testing.TB) (texts [][]byte) {
	tb.Helper()
	names, _ := filepath.Glob("testdata/*.xml")
	pairs, _ := filepath.Glob("testdata/coverage/*.xml")
	for _, name := range append(names, pairs...) {
		text, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		texts = append(texts, text)
	}
	for _, change := range [][2]string{
		{"", ""},
		{`method="table"`, `product="a&amp;b&#x202e;" product="é"`},
		{`<service`, `<service name="x"/><x:service xmlns:x="u" x:name="y"`},
		{`name="ssh"`, `name="s&#10;h" tunnel='ssl' extrainfo="` + strings.Repeat("long ", 300) + `"`},
		{`conf="3"/>`, `servicefp="SF-Port22-TCP:V=7.93%r(NULL,5,&quot;hi\r\n&quot;);">t<cpe>cpe:/a:<b>no</b>x&amp;<![CDATA[<y>]]></cpe><cpe/></service>`},
		{`portid="80"`, `portid=" 080 "`},
		{`portid="80"`, `portid=""`},
		{`portid="80"`, `portid=" "`},
		{`portid="80"`, `portid="65536"`},
		{`protocol="tcp" portid="80"`, `protocol="UDP" portid="80"`},
		{`count="2"`, `count=" +2 "`},
		{`addr="192.0.2.1"`, `addr="::ffff:192.0.2.1"`},
		{`addr="192.0.2.1"`, `addr="fe80::1%eth0"`},
		{`<ports>`, `<hostnames><hostname name="a"/><hostname name=""/><!-- c --><hostname name="b"/></hostnames><script id="x"><port/></script><ports>text`},
		{`reason="user-set"/>`, `reason="user-set"/><status reason="reset"/><address addr="02:00:00:00:00:01" addrtype="mac"/>`},
	} {
		texts = append(texts, []byte(strings.Replace(xmlGood, change[0], change[1], 1)))
	}
	return texts
}

func TestDecodeAgreesWithEncodingXML(t *testing.T) {
	t.Parallel()
	texts, taken := corpus(t), 0
	for _, text := range texts {
		if agree(t, text) {
			taken++
		}
	}
	if taken < len(texts)-3 || taken == len(texts) {
		t.Errorf("%d of %d taken", taken, len(texts))
	}
}

// FuzzDecode holds the reading of hosts against encoding/xml.
func FuzzDecode(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) { agree(t, text) })
}
