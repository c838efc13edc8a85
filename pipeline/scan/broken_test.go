package scan

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// Pieces of a fake nmap's output.
const (
	xmlProlog = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
`
	xmlHead = xmlProlog + `<nmaprun scanner="nmap" args="nmap" start="1700000000" version="7.93" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="2" services="22,80"/>
`
	xmlHost = `<host starttime="1" endtime="2"><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh" method="table" conf="3"/></port>
<port protocol="tcp" portid="80"><state state="closed" reason="reset"/></port></ports></host>
`
	xmlOther = `<host starttime="1" endtime="2"><status state="up" reason="user-set"/><address addr="192.0.2.2" addrtype="ipv4"/>
<ports><extraports state="filtered" count="2"><extrareasons reason="no-response" count="2" proto="tcp" ports="22,80"/></extraports></ports></host>
`
	xmlStats = `<runstats><finished time="1700000001" elapsed="1" exit="success"/><hosts up="2" down="0" total="2"/></runstats>
`
	xmlEnd  = "</nmaprun>\n"
	xmlGood = xmlHead + xmlHost + xmlOther + xmlStats + xmlEnd
)

// fault is one way in which an nmap may be broken.
type fault struct {
	name string
	body string // of the fake nmap; empty: it prints out and ends well
	out  string
	note string // what the reader is told
}

// faults are fake nmaps to which the two hosts seem to have changed: 80 of the
// first is closed, and the second is silent.
func faults() []fault {
	print := `cat "$DIR/out.xml"`
	swap := func(old, with string) string { return strings.Replace(xmlGood, old, with, 1) }
	hosts := xmlHead + xmlHost + xmlOther
	laughs := `<!DOCTYPE nmaprun [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	external := `<!DOCTYPE nmaprun [<!ENTITY a SYSTEM "file:///etc/passwd">]>`
	return []fault{
		{"killed before a word", "kill -9 $$", "", "signal killed"},
		{"killed after the hosts", print + "; kill -9 $$", hosts, "signal killed"},
		{"killed after the end", print + "; kill -9 $$", xmlGood, "signal killed"},
		{"segmentation fault", print + "; kill -SEGV $$", hosts, "signal segmentation fault"},
		{"exit 1", print + "; echo 'fwrite returned 0. Quitting.' >&2; exit 1", xmlHead, "fwrite returned 0"},
		{"exit 1 after the end", print + "; exit 1", xmlGood, "exit status 1"},
		{"hangs", print + "; exec sleep 1000", hosts, "hung"},
		{"hangs with a child that holds the pipe", print + "; sleep 1000; :", hosts, "hung"},
		{"hangs and will not be ended", "trap '' TERM INT HUP; " + print + "; while :; do sleep 1000; done", hosts, "hung"},
		{"goes on forever", `cat "$DIR/out.xml"; while :; do echo '<taskprogress task="SYN Stealth Scan" percent="1"/>'; sleep 0.1; done`, hosts, "did not come to an end"},
		{"empty", "", "", "ends half-way"},
		{"garbage", "", "Segmentation fault\n", "text outside"},
		{"not nmap's", "", "<html><body/></html>", "no output of nmap"},
		{"truncated in a tag", "", hosts[:len(hosts)-3], "ends half-way"},
		{"truncated between hosts", "", hosts, "ends half-way"},
		{"no runstats", "", hosts + xmlEnd, "no <runstats>"},
		{"exit=error", "", strings.Replace(xmlGood, `exit="success"`, `exit="error" errormsg="bad 100%d %s"`, 1), "bad 100%d %s"},
		{"a billion laughs", "", laughs + strings.TrimPrefix(xmlGood, xmlProlog), "document type"},
		{"external entity", "", external + strings.TrimPrefix(xmlGood, xmlProlog), "document type"},
		{"undefined entity", "", swap("<host ", "&xxe;<host "), "entity"},
		{"XML of another version", "", swap(`<?xml version="1.0"`, `<?xml version="1.1"`), "version"},
		{"another encoding", "", swap("UTF-8", "UTF-16"), "encoding"},
		{"invalid UTF-8", "", swap("<host ", "<x y=\"\xff\xfe\"/><host "), "UTF-8"},
		{"illegal character", "", swap("<host ", "<x y=\"&#27;\"/><host "), "illegal"},
		{"two roots", "", xmlGood + xmlGood[len(xmlProlog):], "second root"},
		{"output after the end", "", xmlGood + "oops", "outside"},
		{"nested too deep", "", strings.Replace(xmlGood, "<host ", strings.Repeat("<a>", 100)+"<host ", 1), "deeper"},
		{"too much output", print + "; yes '<taskprogress/>'", hosts, "too long"},
		{"another host", "", swap(`"192.0.2.2"`, `"192.0.2.9"`), "not asked for"},
		{"a host twice", "", swap(`"192.0.2.2"`, `"192.0.2.1"`), "twice"},
		{"no such address", "", swap(`"192.0.2.2"`, `"192.0.2.256"`), "address"},
		{"no such port", "", swap(`portid="80"`, `portid="65979"`), "port"},
		{"a negative port", "", swap(`portid="80"`, `portid="-80"`), "port"},
		{"no such ports in its list", "", swap(`services="22,80"`, `services="22,99999"`), "ports"},
		{"ports of another protocol", "", swap(`protocol="tcp" numservices`, `protocol="udp" numservices`), "other ports"},
		{"other ports", "", swap(`services="22,80"`, `services="1,2"`), "other ports"},
		{"no list of ports", "", swap("<scaninfo", "<scanned"), "other ports"},
		{"counts that do not add up", "", swap(`down="0"`, `down="1"`), "do not make"},
		{"no hosts at all", "", xmlHead + strings.Replace(xmlStats, `total="2"`, `total="0"`, 1) + xmlEnd, ""},
	}
}

// broken returns a scanner with a broken nmap, and checks that it ends in time.
func broken(t *testing.T, f fault) (s *Scanner, check func()) {
	t.Helper()
	if f.body == "" {
		f.body = `cat "$DIR/out.xml"`
	}
	fake := lab.NewFakeNmap(t, f.body, map[string]string{"out.xml": f.out})
	s = newScanner(t, Options{Binary: fake.Path, Stall: 600 * time.Millisecond, HostTimeout: 200 * time.Millisecond, ConfirmTries: 1})
	s.outputCap = 1 << 20
	start := time.Now()
	return s, func() {
		t.Helper()
		looks := len(fake.Targets(t))
		limit := time.Duration(looks)*s.deadline(look{rate: 100, ask: ports{state.TCP: portSet(t, "22,80")}, intensity: noService}) + 2*time.Second
		if took := time.Since(start); took > limit {
			t.Errorf("%d looks by a broken nmap took %s, not at most %s", looks, took, limit)
		}
	}
}

// knownHosts are the hosts as they are known.
func knownHosts() (hosts []state.ShardHost) {
	for _, a := range []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")} {
		known := []state.PortStatus{
			{Port: tcp(22), State: state.Open, Service: state.Service{Name: "ssh", Product: "OpenSSH", Probed: true}},
			{Port: tcp(80), State: state.Open, Service: state.Service{Name: "http", Product: "nginx", Probed: true}},
		}
		hosts = append(hosts, state.ShardHost{Address: a, Listed: true, Up: true, Known: known})
	}
	return hosts
}

// Whatever a broken nmap does, nothing of the state changes: its hosts were not
// looked at, and why is said. One that hangs is gone two seconds after its time.
func TestBrokenNmap(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s, check := broken(t, f)
			shard := shardOf(profile(t, "22,80"))
			shard.Hosts = knownHosts()
			got := scanOne(t, s, shard)
			check()
			if len(got.Hosts) != 2 {
				t.Fatalf("%d hosts", len(got.Hosts))
			}
			for _, h := range got.Hosts {
				if line := h.Covered(state.TCP); line.Status != state.NotScanned || line.Reason != state.ScanFailed || line.Ports.Len() > 0 || h.State != "" {
					t.Errorf("%s: state %q, %+v", h.Address, h.State, line)
				}
			}
			if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, f.note) {
				t.Errorf("notes %q, want %q", notes, f.note)
			}
		})
	}
}

// The same nmap, not broken: the first host's 80 is closed, the second is silent.
func TestFaultsHaveAnEffect(t *testing.T) {
	t.Parallel()
	s, _ := broken(t, fault{out: xmlGood})
	shard := shardOf(profile(t, "22,80"))
	shard.Hosts = knownHosts()
	got := scanOne(t, s, shard)
	if first := got.Hosts[0]; !first.Covered(state.TCP).Conclusive(tcp(80)) || len(first.Ports) != 1 || got.Hosts[1].State != state.Down || len(got.Notes) > 0 {
		t.Errorf("hosts %+v, notes %q", got.Hosts, got.Notes)
	}
}

// An ask that a broken nmap leaves without an answer is not answered: no port is
// closed, no host is down.
func TestBrokenNmapConfirmsNothing(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s, check := broken(t, f)
			shard := shardOf(profile(t, "22,80"))
			shard.Work, shard.Of, shard.Hosts = state.WorkConfirm, 1, knownHosts()
			shard.Hosts[0].Ask, shard.Hosts[1].Ask = []state.Port{tcp(80)}, []state.Port{tcp(22), tcp(80)}
			got := scanOne(t, s, shard)
			check()
			for _, h := range got.Hosts {
				if line := h.Covered(state.TCP); line.Status != state.NotScanned || line.Ports.Len() > 0 || h.State == state.Down {
					t.Errorf("%s: state %q, %+v", h.Address, h.State, line)
				}
			}
		})
	}
}

// A broken nmap names no service anew and takes no name away.
func TestBrokenNmapNamesNothing(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s, check := broken(t, f)
			s.tarpit = 200 * time.Millisecond
			shard := shardOf(profile(t, "22,80"))
			shard.Profile.Services, shard.Profile.Intensity = true, 7
			shard.Work, shard.Of, shard.Hosts = state.WorkServices, 1, knownHosts()
			for i := range shard.Hosts {
				shard.Hosts[i].Ask = []state.Port{tcp(22), tcp(80)}
			}
			got := scanOne(t, s, shard)
			check()
			if len(got.Hosts) > 0 {
				t.Errorf("hosts %+v", got.Hosts)
			}
		})
	}
}

// TestInterfacesChange holds that an nmap begins anew which ends because an interface came or went
// meanwhile, and that it does not do so for ever.
func TestInterfacesChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fails, begins, answered int }{{2, 3, 1}, {9, 3, 0}} {
		fake := lab.NewFakeNmap(t, fmt.Sprintf(`echo >> "$DIR/begins"
if [ "$(wc -l < "$DIR/begins")" -le %d ]; then echo 'route_dst_netlink: can'"'"'t find interface "lo"' >&2; exit 1; fi
cat "$DIR/out.xml"`, c.fails), map[string]string{"out.xml": xmlGood})
		got := scanOne(t, newScanner(t, Options{Binary: fake.Path}), shardOf(profile(t, "22,80"), "192.0.2.1", "192.0.2.2"))
		answered := 0
		for _, h := range got.Hosts {
			if h.Status() == state.Answered {
				answered++
			}
		}
		if n := len(fake.Targets(t)); n != c.begins || answered != c.answered {
			t.Errorf("fails %d times: began %d times, %d hosts answered; notes %q", c.fails, n, answered, got.Notes)
		}
	}
}
