package scan

import (
	"net/netip"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// hostsOf reads host elements of a scan of 1-10/tcp and 1-3/udp.
func hostsOf(t *testing.T, hosts string) []state.Host {
	t.Helper()
	return documentOf(t, `<nmaprun args="nmap -sS -sU" start="1" version="7.93">
<scaninfo protocol="tcp" services="1-5"/><scaninfo protocol="tcp" services="6-10"/><scaninfo protocol="udp" services="0-3"/>`+hosts+
		`<runstats><finished time="2" exit="success"/><hosts up="9" down="0" total="9"/></runstats></nmaprun>`).Hosts
}

func documentOf(t *testing.T, text string) Document {
	t.Helper()
	doc, err := Read(strings.NewReader(text), "test.xml")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// The rules of coverage, one by one: status, reason, state and the ports whose
// state is known.
func TestCoverage(t *testing.T) {
	t.Parallel()
	up := `<status state="up" reason="echo-reply"/>`
	pn := `<status state="up" reason="user-set"/>`
	port := func(protocol, number, word, reason string) string {
		return `<port protocol="` + protocol + `" portid="` + number + `"><state state="` + word + `" reason="` + reason + `"/></port>`
	}
	extra := func(word, count, reasons string) string {
		return `<extraports state="` + word + `" count="` + count + `">` + reasons + `</extraports>`
	}
	for _, c := range []struct {
		name, host string
		status     state.CoverageStatus
		reason     string
		tcp, udp   string
		ports      string
	}{
		{
			"all listed", up + port("tcp", "1", "open", "syn-ack") + port("tcp", "2", "closed", "reset") + port("tcp", "3", "filtered", "no-response"),
			state.Answered, "", "1-3", "", "1/tcp",
		},
		{
			"hidden with their numbers", up + port("tcp", "1", "open", "syn-ack") +
				extra("closed", "9", `<extrareasons reason="reset" count="9" proto="tcp" ports="2-10"/>`) +
				extra("open|filtered", "3", `<extrareasons reason="no-response" count="3" proto="udp" ports="1-3"/>`),
			state.Answered, "", "1-10", "", "1/tcp",
		},
		{"hidden, of two protocols in one state", up + extra("closed", "13", `<extrareasons reason="reset" count="10" proto="tcp" ports="1-10"/>`+
			`<extrareasons reason="port-unreach" count="3" proto="udp" ports="1-3"/>`), state.Answered, "", "1-10", "1-3", ""},
		{
			"hidden, more than was asked for", up + extra("closed", "20", `<extrareasons reason="reset" count="20" proto="tcp" ports="1-20"/>`),
			state.Answered, "", "1-10", "", "",
		},
		{
			"hidden without numbers, all closed", up + port("tcp", "1", "open", "syn-ack") + extra("closed", "12", `<extrareasons reason="resets" count="12"/>`),
			state.Answered, "", "1-10", "1-3", "1/tcp",
		},
		{
			"hidden without numbers and in doubt", up + port("tcp", "1", "open", "syn-ack") + extra("filtered", "9", "") + extra("open|filtered", "3", ""),
			state.Answered, "", "1", "", "1/tcp",
		},
		{
			"hidden without numbers, wrong count", up + port("tcp", "1", "open", "syn-ack") + extra("closed", "5", ""),
			state.Answered, "", "1", "", "1/tcp",
		},
		{
			"unfiltered and closed|filtered", up + port("tcp", "1", "unfiltered", "reset") + port("tcp", "2", "closed|filtered", "ipid") + port("tcp", "3", "closed", "reset"),
			state.Answered, "", "3", "", "",
		},
		{
			"open|filtered", up + port("udp", "1", "open|filtered", "no-response") + port("udp", "2", "open", "udp-response") + port("udp", "3", "closed", "port-unreach"),
			state.Answered, "", "", "2-3", "1/udp 2/udp",
		},
		{"-Pn, a dead host", pn + extra("filtered", "10", `<extrareasons reason="no-responses" count="10" proto="tcp" ports="1-10"/>`) +
			extra("open|filtered", "3", `<extrareasons reason="no-responses" count="3" proto="udp" ports="1-3"/>`), state.Silent, state.NoAnswer, "", "", ""},
		{"-Pn, only a router answers", pn + `<port protocol="tcp" portid="1"><state state="filtered" reason="port-unreach" reason_ip="192.0.2.254"/></port>` +
			extra("filtered", "9", `<extrareasons reason="host-unreaches" count="9" proto="tcp" ports="2-10"/>`), state.Silent, state.NoAnswer, "", "", ""},
		{
			"-Pn, one reset proves it", pn + port("tcp", "1", "closed", "reset") + extra("filtered", "9", `<extrareasons reason="no-response" count="9" proto="tcp" ports="2-10"/>`),
			state.Answered, "", "1-10", "", "",
		},
		{"down", `<status state="down" reason="no-response"/>`, state.Silent, state.NoAnswer, "", "", ""},
		{"down, no route", `<status state="down" reason="host-unreach"/>`, state.Silent, state.NotReachable, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			hosts := hostsOf(t, `<host>`+c.host+`<address addr="192.0.2.1" addrtype="ipv4"/></host>`)
			h := hosts[0]
			over, udp := h.Covered(state.TCP), h.Covered(state.UDP)
			if over.Status != c.status || over.Reason != c.reason || udp.Status != c.status || over.Ports.String() != c.tcp || udp.Ports.String() != c.udp {
				t.Errorf("tcp %+v %q, udp %+v %q", over, over.Ports, udp, udp.Ports)
			}
			var found []string
			for _, p := range h.Ports {
				found = append(found, p.String())
			}
			if got := strings.Join(found, " "); got != c.ports {
				t.Errorf("ports %q, want %q", got, c.ports)
			}
			if want := map[state.CoverageStatus]state.HostState{state.Answered: state.Up, state.Silent: state.Down}[c.status]; h.State != want {
				t.Errorf("state %q, want %q", h.State, want)
			}
		})
	}
}

// Of a host that was cut, what was proved open stays; nothing else is covered.
func TestCoverageOfACutHost(t *testing.T) {
	t.Parallel()
	h := hostsOf(t, `<host timedout="true"><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="5"><state state="open" reason="syn-ack"/></port><port protocol="tcp" portid="6"><state state="closed" reason="reset"/></port></ports></host>`)[0]
	c := h.Covered(state.TCP)
	if c.Status != state.NotScanned || c.Reason != state.HostTimeout || c.Ports.String() != "5" || len(h.Ports) != 1 || h.State != state.Up || c.Conclusive(tcp(6)) {
		t.Errorf("%+v", h)
	}
}

// The pairs on which ndiff sees closed ports: whatever was open in the first is
// open in the second, or not covered there.
func TestNoFalseClosure(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]state.CoverageStatus{
		"host-timeout": state.NotScanned, "narrower-ports": state.Answered, "stopped-answering": state.Silent,
		"stopped-answering-pn": state.Silent, "unresolved-name": "", "killed": "refused",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			was, err := ReadFile("testdata/coverage/" + name + "-a.xml")
			if err != nil {
				t.Fatal(err)
			}
			now, err := ReadFile("testdata/coverage/" + name + "-b.xml")
			if status == "refused" {
				if err == nil || !strings.Contains(err.Error(), "killed-b.xml: the output of nmap ends half-way, line ") {
					t.Errorf("ReadFile: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			seen := map[netip.Addr]state.Host{}
			for _, h := range now.Hosts {
				seen[h.Address] = h
			}
			lost := 0
			for _, h := range was.Hosts {
				for _, p := range h.Ports {
					if _, ok := seen[h.Address].Find(p.Port); ok {
						continue
					}
					lost++
					if c := seen[h.Address].Covered(state.TCP); c.Conclusive(p.Port) || (c.Status != status && status != "") {
						t.Errorf("%s %s: %+v", h.Address, p.Port, c)
					}
				}
			}
			if lost == 0 {
				t.Error("the second file shows every port of the first: the pair proves nothing")
			}
		})
	}
}
