package scan

import (
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// The output of an NSE script reaches the reader line by line, cleaned and
// bounded; what comes unasked with every unknown service is left out.
func TestScriptOutput(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("x&#10;", 100)
	text := xmlHead + `<host><status state="up" reason="echo-reply"/><address addr="192.0.2.1" addrtype="ipv4"/><ports>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh" method="probed" conf="10"/>
<script id="ssl-cert" output="Subject: commonName=www.example.org&#xa;Not valid after:  2027-01-31T00:00:00&#xa;&#xa;Evil: ` + "\u202e" + `"><table key="subject"><elem key="commonName">www.example.org</elem></table></script>
<script id="fingerprint-strings" output="NULL"/><script id="long" output="` + many + `"/></port>
<port protocol="tcp" portid="80"><state state="closed" reason="reset"/><script id="x" output="y"/></port></ports></host>
<runstats><finished time="1700000001" elapsed="1" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>`
	doc, err := Read(strings.NewReader(text), "scan.xml")
	if err != nil || len(doc.Hosts) != 1 || len(doc.Hosts[0].Ports) != 1 {
		t.Fatalf("%+v, %v", doc, err)
	}
	scripts := doc.Hosts[0].Ports[0].Scripts
	if len(scripts) != 2 || scripts[0].Script != "ssl-cert" || len(scripts[1].Lines) != maxScriptLines {
		t.Fatalf("scripts: %+v", scripts)
	}
	lines := scripts[0].Lines
	if len(lines) != 3 || lines[0] != "Subject: commonName=www.example.org" || lines[1] != "Not valid after:  2027-01-31T00:00:00" || lines[2] != state.Clean("Evil: \u202e") {
		t.Errorf("lines: %q", lines)
	}
}
