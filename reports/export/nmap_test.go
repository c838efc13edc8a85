package export

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// nmapDocument is what a reader finds in nmap's XML.
type nmapDocument struct {
	Hosts []struct {
		Status   nmapStatus     `xml:"status"`
		Comment  string         `xml:"comment,attr"`
		TimedOut string         `xml:"timedout,attr"`
		Names    []nmapHostname `xml:"hostnames>hostname"`
		Ports    nmapPorts      `xml:"ports"`
	} `xml:"host"`
	Asked []nmapScanInfo `xml:"scaninfo"`
	Stats nmapStats      `xml:"runstats"`
}

func readNmap(tb testing.TB, report state.Report) nmapDocument {
	tb.Helper()
	var out bytes.Buffer
	if err := NmapXML(&out, report); err != nil {
		tb.Fatal(err)
	}
	var doc nmapDocument
	if err := xml.Unmarshal(out.Bytes(), &doc); err != nil {
		tb.Fatalf("%v\n%s", err, out.Bytes())
	}
	return doc
}

// FuzzNmapXML holds that any text of a host or a person comes out as it is, cleaned,
// and the document stays whole.
func FuzzNmapXML(f *testing.F) {
	for _, text := range hostileTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		report := hostileReport(text)
		report.Run.Only = []string{text}
		h := &report.Hosts[0]
		h.Ports[0].Service.CPE, h.MAC, h.Vantage = []string{text}, text, text
		h.Coverage = []state.Coverage{{Protocol: state.TCP, Status: state.Answered, Ports: state.PortsOf(80, 81), Apart: true}}
		report.PortNames = map[state.Port]string{{Protocol: state.TCP, Number: 81}: text}
		doc := readNmap(t, report)
		if len(doc.Hosts) != 1 || len(doc.Hosts[0].Ports.Ports) != 2 || len(doc.Hosts[0].Names) != 1 {
			t.Fatalf("%q: %+v", text, doc)
		}
		clean := state.Clean(text)
		if got := doc.Hosts[0].Names[0].Name; got != clean {
			t.Errorf("name %q, want %q", got, clean)
		}
		if got := doc.Hosts[0].Ports.Ports[0].Service; clean != "" && (got.Product != clean || got.Version != clean || got.Extra != clean || len(got.CPE) != 1 || got.CPE[0] != clean) {
			t.Errorf("service %+v, want %q", got, clean)
		}
	})
}

// TestNmapCounts holds that every port that was looked at is told once, listed or
// counted, in the state that it has.
func TestNmapCounts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	stale := time.Unix(1, 0)
	for range 500 {
		want := map[string]int{}
		h := state.HostReport{Host: state.Host{Address: netip.MustParseAddr("192.0.2.1"), State: state.Up}}
		for _, protocol := range []state.Protocol{state.TCP, state.UDP} {
			c := state.Coverage{Protocol: protocol, Status: state.Answered, Apart: random.IntN(4) > 0}
			var looked, filtered []uint16
			for n := range uint16(80) {
				port := state.Port{Protocol: protocol, Number: n + 1}
				switch add := func(s state.PortState, since *time.Time) {
					h.Ports = append(h.Ports, state.PortReport{PortStatus: state.PortStatus{Port: port, State: s}, StaleSince: since})
				}; random.IntN(9) {
				case 0:
					add(state.Open, nil)
					looked = append(looked, port.Number)
					want["open"]++
				case 1:
					add(state.OpenFiltered, nil)
					want["open|filtered"]++
				case 2:
					add(state.Open, &stale) // not looked at in this run
				case 3, 4, 5:
					looked, filtered = append(looked, port.Number), append(filtered, port.Number)
					want[map[bool]string{true: "filtered", false: "closed|filtered"}[c.Apart]]++
				case 6, 7:
					looked = append(looked, port.Number)
					want[map[bool]string{true: "closed", false: "closed|filtered"}[c.Apart]]++
				}
			}
			c.Ports, c.Filtered = state.PortsOf(looked...), state.PortsOf(filtered...)
			h.Coverage = append(h.Coverage, c)
		}
		doc := readNmap(t, state.Report{Hosts: []state.HostReport{h}})
		got, asked := map[string]int{}, 0
		for _, p := range doc.Hosts[0].Ports.Ports {
			got[p.State.State]++
		}
		for i, e := range doc.Hosts[0].Ports.Extra {
			if got[e.State] > 0 || e.Count <= mostListed || i > 0 && e.Count > doc.Hosts[0].Ports.Extra[i-1].Count {
				t.Errorf("%d ports are folded as %s, and %d are listed", e.Count, e.State, got[e.State])
			}
			got[e.State] = e.Count
			for _, r := range e.Reasons {
				if set, err := state.ParsePortSet(r.Ports); err != nil || set.Len() != r.Count {
					t.Errorf("%d ports are %q: %v", r.Count, r.Ports, err)
				}
				e.Count -= r.Count
			}
			if e.Count != 0 {
				t.Errorf("reasons leave %d of the %s ports", e.Count, e.State)
			}
		}
		for _, a := range doc.Asked {
			asked += a.Count
		}
		total := 0
		for _, n := range want {
			total += n
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || asked != total {
			t.Fatalf("told %v of %d ports, want %v of %d", got, asked, want, total)
		}
	}
}

// TestNmapOfTheDemo holds who is listed and who is only counted.
func TestNmapOfTheDemo(t *testing.T) {
	t.Parallel()
	report := demo.Nights(49).At(48) // one host is silent, one was not scanned
	doc := readNmap(t, report)
	up, unknown := 0, 0
	for _, h := range doc.Hosts {
		switch h.Status.State {
		case "up":
			up++
		case "unknown":
			unknown++
			if h.TimedOut != "true" || h.Comment != "not scanned" || len(h.Ports.Ports)+len(h.Ports.Extra) > 0 {
				t.Errorf("a host that was not scanned: %+v", h)
			}
		default:
			t.Errorf("a host is %s", h.Status.State)
		}
	}
	want := nmapTotals{Up: report.Coverage.Answered, Down: report.Coverage.Silent, Total: report.Coverage.Answered + report.Coverage.Silent}
	if doc.Stats.Hosts != want || up != want.Up || unknown != report.Coverage.NotScanned || unknown == 0 || want.Down == 0 {
		t.Errorf("%d up and %d unknown are listed, %+v counted; coverage %+v", up, unknown, doc.Stats.Hosts, report.Coverage)
	}
}
