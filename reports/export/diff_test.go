package export

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

func comparison() state.Comparison {
	web, db := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	nginx := state.Seen{State: state.Open, Service: state.Service{Name: "http", Product: "nginx", Version: "1.22.0", Tunnel: "ssl", Probed: true}}
	newer := nginx
	newer.Service.Version = "1.22.1"
	ssh := state.Seen{State: state.Open, Service: state.Service{Name: "ssh"}}
	return state.Comparison{
		A: "old --.xml", B: "new.xml",
		Changes: []state.Change{
			{Kind: state.HostRenamed, Address: web, Name: "web.example.org", Was: state.Seen{Name: "www.example.org"}, Now: state.Seen{Name: "web.example.org"}},
			{Kind: state.PortClosed, Address: web, Name: "web.example.org", Port: state.Port{Protocol: state.TCP, Number: 22}, Was: ssh},
			{Kind: state.VersionChanged, Address: web, Name: "web.example.org", Port: state.Port{Protocol: state.TCP, Number: 443}, Was: nginx, Now: newer},
			{Kind: state.HostNew, Address: db},
			{Kind: state.PortOpened, Address: db, Port: state.Port{Protocol: state.UDP, Number: 53}, Now: state.Seen{State: state.Open, Service: state.Service{Name: "domain", Product: "\"<script>&\x1b"}}},
		},
		Coverage: state.Totals{Hosts: 3, Answered: 2, NotScanned: 1},
		Notes:    []string{"a note --"},
	}
}

func TestDiffXML(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := DiffXML(&out, comparison()); err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<nmapdiff version="1">
  <!-- old - -.xml and new.xml; of 3 hosts in the second: 2 answered, 0 silent, 1 not looked at; a note - - -->
  <scandiff>
    <hostdiff>
      <host>
        <status state="up"></status>
        <address addr="192.0.2.1" addrtype="ipv4"></address>
        <hostnames>
          <a>
            <hostname name="www.example.org"></hostname>
          </a>
          <b>
            <hostname name="web.example.org"></hostname>
          </b>
        </hostnames>
        <ports>
          <portdiff>
            <a>
              <port portid="22" protocol="tcp">
                <state state="open"></state>
                <service name="ssh"></service>
              </port>
            </a>
            <b>
              <port portid="22" protocol="tcp"></port>
            </b>
          </portdiff>
          <portdiff>
            <port portid="443" protocol="tcp">
              <state state="open"></state>
              <a>
                <service name="http" product="nginx" version="1.22.0" tunnel="ssl"></service>
              </a>
              <b>
                <service name="http" product="nginx" version="1.22.1" tunnel="ssl"></service>
              </b>
            </port>
          </portdiff>
        </ports>
      </host>
    </hostdiff>
    <hostdiff>
      <b>
        <host>
          <status state="up"></status>
          <address addr="2001:db8::1" addrtype="ipv6"></address>
          <ports>
            <port portid="53" protocol="udp">
              <state state="open"></state>
              <service name="domain" product="&#34;&lt;script&gt;&amp;\x1b"></service>
            </port>
          </ports>
        </host>
      </b>
    </hostdiff>
  </scandiff>
</nmapdiff>
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestDiffXMLIsValid checks the output for random comparisons against the
// structure that ndiff's manual and DTD describe.
func TestDiffXMLIsValid(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		c := state.Comparison{A: "a", B: "b", Changes: randomChanges(random)}
		var out bytes.Buffer
		if err := DiffXML(&out, c); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); strings.Contains(text, "process") || strings.Contains(text, "listener") {
			t.Errorf("the inside of hosts stands in ndiff's format:\n%s", text)
		}
		for _, fault := range invalid(t, &out) {
			t.Errorf("%s, made from %+v", fault, c.Changes)
		}
	}
	if faults := invalid(t, strings.NewReader(`<nmapdiff><scandiff><hostdiff><a/><host><port/></host></hostdiff></scandiff></nmapdiff>`)); len(faults) < 4 {
		t.Errorf("the check finds %q in a document that is wrong all over", faults)
	}
}

// TestDiffXMLLeavesTheInsideOut holds that a host of which only the inside changed
// is no host of the document, and that the comment says how much is missing.
func TestDiffXMLLeavesTheInsideOut(t *testing.T) {
	t.Parallel()
	c := comparison()
	outside := len(c.Changes)
	only := netip.MustParseAddr("192.0.2.99")
	c.Changes = append(c.Changes, state.Change{Kind: state.ListenerNew, Address: only, Port: state.Port{Protocol: state.TCP, Number: 22}},
		state.Change{Kind: state.ProcessChanged, Address: only, Port: state.Port{Protocol: state.TCP, Number: 80}})
	var with, without bytes.Buffer
	if err := DiffXML(&with, c); err != nil {
		t.Fatal(err)
	}
	const missing = "; 2 changes of the inside of hosts left out"
	if !strings.Contains(with.String(), missing+"; a note") {
		t.Errorf("the comment does not say what is missing:\n%s", with.String())
	}
	c.Changes = c.Changes[:outside]
	if err := DiffXML(&without, c); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(without.String(), strings.Replace(with.String(), missing, "", 1)); d != "" {
		t.Errorf("more than the comment differs: %s", d)
	}
}

func randomChanges(random *rand.Rand) []state.Change {
	kinds := []state.Kind{state.HostNew, state.HostDown, state.HostBack, state.HostRenamed, state.PortOpened, state.PortFound, state.PortClosed, state.PortUncertain, state.ServiceChanged, state.ProductChanged, state.VersionChanged, state.ServiceIdentified, state.ProcessChanged, state.ListenerNew, state.BindChanged}
	var changes []state.Change
	for range random.IntN(8) {
		c := state.Change{Kind: kinds[random.IntN(len(kinds))], Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(random.IntN(3))})}
		if random.IntN(2) == 0 {
			c.Name = "web.example.org"
		}
		if c.Kind == state.HostRenamed {
			c.Was.Name, c.Now.Name = "a.example.org", "b.example.org"
		} else if !strings.HasPrefix(string(c.Kind), "host") {
			c.Port = state.Port{Protocol: state.TCP, Number: uint16(1 + random.IntN(9))}
			c.Was.State = []state.PortState{"", state.Open, state.OpenFiltered}[random.IntN(3)]
			c.Now.State = []state.PortState{"", state.Open, state.OpenFiltered}[random.IntN(3)]
			c.Now.Service.Name = []string{"", "http"}[random.IntN(2)]
		}
		changes = append(changes, c)
	}
	slices.SortFunc(changes, state.CompareChanges)
	return changes
}

// invalid returns what of a document is not as ndiff's output: for each element
// its children, joined, must match, and its attributes must be there.
func invalid(t *testing.T, document io.Reader) []string {
	t.Helper()
	children := map[string]string{
		"nmapdiff": `scandiff `, "scandiff": `(hostdiff )*`, "hostdiff": `host |a (b )?|b `,
		"a": `(host|status|hostname|port|service) `, "b": `(host|status|hostname|port|service) `,
		"host": `((status|address|hostnames|ports|a|b) )*`, "hostnames": `((hostname|a|b) )*`,
		"ports": `((portdiff|port) )*`, "portdiff": `port |a (b )?|b `, "port": `((state|service|a|b) )*`,
		"status": ``, "address": ``, "hostname": ``, "state": ``, "service": ``,
	}
	required := map[string][]string{"port": {"portid", "protocol"}, "state": {"state"}, "status": {"state"}, "address": {"addr"}, "hostname": {"name"}}
	var faults []string
	var open []xml.StartElement
	var seen []string // the children of each open element
	decoder := xml.NewDecoder(document)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return faults
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if len(seen) > 0 {
				seen[len(seen)-1] += e.Name.Local + " "
			}
			open, seen = append(open, e.Copy()), append(seen, "")
		case xml.EndElement:
			top := len(open) - 1
			model, known := children[e.Name.Local]
			if !known || !regexp.MustCompile(`^(`+model+`)$`).MatchString(seen[top]) {
				faults = append(faults, e.Name.Local+" holds "+seen[top])
			}
			for _, name := range required[e.Name.Local] {
				if !slices.ContainsFunc(open[top].Attr, func(a xml.Attr) bool { return a.Name.Local == name && a.Value != "" }) {
					faults = append(faults, e.Name.Local+" has no "+name)
				}
			}
			open, seen = open[:top], seen[:top]
		}
	}
}

func TestDiffJSON(t *testing.T) {
	t.Parallel()
	c := comparison()
	c.Changes = c.Changes[1:2]
	var out bytes.Buffer
	if err := DiffJSON(&out, c); err != nil {
		t.Fatal(err)
	}
	const want = `{
  "a": "old --.xml",
  "b": "new.xml",
  "changes": [
    {
      "kind": "port-closed",
      "severity": "low",
      "host": "web.example.org",
      "address": "192.0.2.1",
      "protocol": "tcp",
      "port": 22,
      "was": {
        "name": null,
        "state": "open",
        "service": "ssh",
        "product": null,
        "version": null,
        "process": null,
        "bind": null
      },
      "now": null
    }
  ],
  "coverage": {
    "hosts": 3,
    "answered": 2,
    "silent": 0,
    "not_scanned": 1
  },
  "notes": [
    "a note --"
  ]
}
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	unapproved := 0
	out.Reset()
	if err := DiffJSON(&out, state.Comparison{Unapproved: &unapproved}); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, `"unapproved": 0`) || !strings.Contains(text, `"changes": []`) || !strings.Contains(text, `"notes": []`) {
		t.Errorf("scripts miss something in %s", text)
	}
}
