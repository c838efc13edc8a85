package scan

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

func TestRead(t *testing.T) {
	t.Parallel()
	plain, err := os.ReadFile("testdata/services.xml")
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(plain)
	_ = w.Close()
	for name, source := range map[string]io.Reader{"plain": bytes.NewReader(plain), "gzip": &packed} {
		doc, err := Read(source, name)
		if err != nil {
			t.Fatal(err)
		}
		if len(doc.Hosts) != 2 || doc.Total != 2 || doc.Up != 2 || doc.Down != 0 || doc.Version != "7.93" || !strings.HasPrefix(doc.Args, "nmap -n ") || doc.Finished.Before(doc.Start) {
			t.Errorf("%s: %+v", name, doc)
		}
		h := doc.Hosts[0]
		ssh, ok := h.Find(tcp(22))
		if !ok || ssh.State != state.Open || !ssh.Service.Probed || ssh.Service.Product != "OpenSSH" || len(ssh.Service.CPE) == 0 {
			t.Errorf("%s: 22/tcp %+v", name, ssh)
		}
		if c := h.Covered(state.TCP); !c.Services || c.Ports.String() != "1-100" {
			t.Errorf("%s: coverage %+v", name, c)
		}
	}
}

// nmap 4 and 5 wrote no exit status, no reasons of hosts and no numbers of hidden
// ports; nmap 6 wrote a public document type.
func TestReadOldFiles(t *testing.T) {
	t.Parallel()
	doc := documentOf(t, `<?xml version="1.0" ?>
<!DOCTYPE nmaprun PUBLIC "-//IDN nmap.org//DTD Nmap XML 1.04//EN" "https://svn.nmap.org/nmap/docs/nmap.dtd">
<?xml-stylesheet href="nmap.xsl" type="text/xsl"?>
<nmaprun scanner="nmap" args="nmap -A scan.example.org" start="1247268210" version="4.90RC2">
<scaninfo type="syn"  protocol="tcp" numservices="100" services="1-100" />
<host starttime="1" endtime="2"><status state="up"/><address addr="192.0.2.7" addrtype="ipv4" />
<hostnames><hostname name="scan.example.org" type="user"/><hostname name="scan.example.org" type="PTR"/></hostnames>
<ports><extraports state="filtered" count="98"></extraports>
<port protocol="tcp" portid="22"><state state="open"/><service name="ssh" method="probed" conf="10"/></port>
<port protocol="tcp" portid="70"><state state="closed"/></port></ports></host>
<runstats><finished time="1247268212" timestr="x" elapsed="2"/><hosts up="1" down="255" total="256" /></runstats></nmaprun>
`)
	h := doc.Hosts[0]
	if c := h.Covered(state.TCP); c.Status != state.Answered || c.Ports.Len() != 100 || !c.Services {
		t.Errorf("coverage %+v", c)
	}
	if doc.Down != 255 || doc.Total != 256 || h.Name() != "scan.example.org" || doc.Start != time.Unix(1247268210, 0).UTC() {
		t.Errorf("%+v", doc)
	}
	ping := documentOf(t, `<nmaprun args="nmap -sn" start="1" version="7"><host><status state="up" reason="arp-response"/><address addr="02:00:00:00:00:01" addrtype="mac"/>
<address addr="192.0.2.7" addrtype="ipv4"/></host><runstats><finished time="2" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>`)
	if c := ping.Hosts[0].Covered(state.TCP); c.Status != state.Answered || c.Ports.Len() != 0 {
		t.Errorf("ping scan: %+v", c)
	}
}

// The same address twice in a file is one host.
func TestReadMerges(t *testing.T) {
	t.Parallel()
	host := func(number, word, name string) string {
		return `<host><status state="up" reason="echo-reply"/><address addr="192.0.2.1" addrtype="ipv4"/><hostnames><hostname name="` + name + `"/></hostnames><ports><port protocol="tcp" portid="` +
			number + `"><state state="` + word + `"/></port></ports></host>`
	}
	hosts := hostsOf(t, host("1", "open", "a")+host("2", "open", "b")+host("1", "closed", "a")+
		`<host><status state="down" reason="no-response"/><address addr="192.0.2.1" addrtype="ipv4"/></host>`)
	if len(hosts) != 1 || len(hosts[0].Ports) != 1 || hosts[0].Ports[0].Number != 2 || hosts[0].Covered(state.TCP).Ports.String() != "1-2" || strings.Join(hosts[0].Names, " ") != "a b" {
		t.Errorf("%+v", hosts)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	good := xmlGood
	for what, text := range map[string]string{
		"the file is empty":                        "",
		"ends half-way, line 4":                    good[:200],
		"no <runstats>":                            strings.Replace(good, xmlStats, "", 1),
		"nmap reports a failure: error out":        strings.Replace(good, `exit="success"`, `exit="error" errormsg="out"`, 1),
		"a second root element, <nmaprun>, line 1": good + good,
		"text outside of the root element":         good + "x",
		"root element is":                          "<html></html>",
		"document type that is not nmap's":         `<!DOCTYPE nmaprun [<!ENTITY a "b">]>` + good,
		"broken XML":                               strings.Replace(good, "</host>", "</hosts>", 1),
		"no <finished>":                            strings.Replace(good, "<finished", "<begun", 1),
		"says that there are 1":                    strings.Replace(good, `up="2" down="0"`, `up="1" down="1"`, 1),
		"do not make 2":                            strings.Replace(good, `down="0"`, `down="7"`, 1),
		"host without an IP address":               strings.Replace(good, "<address", "<place", 1),
		`host address "192.0.2.1x" is none`:        strings.Replace(good, `addr="192.0.2.1"`, `addr="192.0.2.1x"`, 1),
		`22/tcp is in the unknown state "ajar"`:    strings.Replace(good, `"open"`, `"ajar"`, 1),
		"services of scaninfo":                     strings.Replace(good, "22,80", "22,x", 1),
		"unpack gzip":                              "\x1f\x8bnot gzip",
		"a second <runstats>":                      strings.Replace(good, xmlStats, xmlStats+xmlStats, 1),
		"nested deeper than 16":                    xmlHead + strings.Repeat("<a>", 20),
		"more than 64 attributes":                  xmlHead + "<a " + manyAttributes() + "/>",
	} {
		doc, err := Read(strings.NewReader(text), "old.xml")
		if err == nil || !strings.HasPrefix(err.Error(), "old.xml: ") || !strings.Contains(err.Error(), what) || len(doc.Hosts) > 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(good))
	_ = w.Close()
	if _, err := Read(bytes.NewReader(packed.Bytes()[:packed.Len()/2]), "cut.xml.gz"); err == nil || !strings.Contains(err.Error(), "ends half-way") {
		t.Errorf("a gzip file that was cut: %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.xml")); err == nil || !strings.Contains(err.Error(), "none.xml") {
		t.Errorf("ReadFile of nothing: %v", err)
	}
}

func manyAttributes() string {
	var b strings.Builder
	for i := range 65 {
		fmt.Fprintf(&b, `a%d="" `, i)
	}
	return b.String()
}

// Two files read together are what each is alone, whatever they have in common.
func TestReadFiles(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/coverage/*.xml")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.xml":  xmlGood,
		"again.xml": strings.Replace(xmlGood, xmlOther, strings.Replace(xmlOther, "192.0.2.2", "192.0.2.1", 1)+xmlHost+xmlOther, 1),
		"more.xml": strings.Replace(xmlGood, xmlOther, strings.Replace(strings.Replace(xmlHost, `"22"`, `"7"`, 1), `"80"><state state="closed"`, `"9"><state state="open"`, 1)+
			strings.Replace(xmlHost, `name="ssh"`, `name="telnet"`, 1)+xmlOther, 1),
	} {
		name = filepath.Join(dir, name)
		names = append(names, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, nameA := range names {
		for _, nameB := range names {
			a, b, err := ReadFiles(nameA, nameB)
			aloneA, errA := ReadFile(nameA)
			aloneB, errB := ReadFile(nameB)
			if !reflect.DeepEqual(a, aloneA) || !reflect.DeepEqual(b, aloneB) || (err == nil) != (errA == nil && errB == nil) {
				t.Errorf("%s and %s: %+v and %+v, alone %+v and %+v, %v", nameA, nameB, a, b, aloneA, aloneB, err)
			}
		}
	}
	if _, _, err := ReadFiles(filepath.Join(dir, "x.xml"), filepath.Join(dir, "y.xml")); err == nil || !strings.Contains(err.Error(), "x.xml") || !strings.Contains(err.Error(), "y.xml") {
		t.Errorf("two files that are not there: %v", err)
	}
}

// A host on which every port is open with a banner costs what is kept of it, not
// what it sends: 66 MB of XML, made while it is read.
func TestEveryPortOpen(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	go func() {
		fmt.Fprint(w, strings.Replace(xmlHead, "22,80", "1-65535", 1)+`<host><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/><ports>`)
		junk := strings.Repeat("Z", 850)
		for n := 1; n <= 65535; n++ {
			fmt.Fprintf(w, `<port protocol="tcp" portid="%d"><state state="open" reason="syn-ack" reason_ttl="64"/>`+
				`<service name="spoof" product="banner %d &#x202e;" servicefp="%s" method="probed" conf="10"/></port>`+"\n", n, n, junk)
		}
		fmt.Fprint(w, `</ports></host>`+strings.Replace(xmlStats, `"2"`, `"1"`, 2)+xmlEnd)
		w.Close()
	}()
	start := time.Now()
	doc, err := Read(r, "spoof.xml")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	t.Logf("%s, %d MB in use after it", time.Since(start).Round(time.Millisecond), memory.HeapAlloc>>20)
	if h := doc.Hosts[0]; len(h.Ports) != 65535 || h.Ports[6].Service.Product != `banner 7 \u{202e}` || memory.HeapAlloc > 100<<20 {
		t.Errorf("%d ports, %q, %d MB", len(h.Ports), h.Ports[6].Service.Product, memory.HeapAlloc>>20)
	}
}

// A document is refused or whole, whatever it is: no panic, and what is accepted
// keeps the rules of a state.
func FuzzRead(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.xml")
	pairs, _ := filepath.Glob("testdata/coverage/*.xml")
	for _, name := range append(names, pairs...) {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(xmlGood))
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := Read(bytes.NewReader(text), "x")
		if err != nil {
			return
		}
		for i, h := range doc.Hosts {
			if !h.Address.IsValid() || (i > 0 && state.CompareHosts(doc.Hosts[i-1], h) >= 0) || len(h.Coverage) == 0 {
				t.Fatalf("host %d: %+v", i, h)
			}
			for j, p := range h.Ports {
				if p.Number == 0 || (j > 0 && h.Ports[j-1].Compare(p.Port) >= 0) || state.Clean(p.Service.Product) != p.Service.Product {
					t.Fatalf("%s: port %d: %+v", h.Address, j, p)
				}
				c := h.Covered(p.Protocol)
				known := c.Status != state.NotScanned && c.Ports.Contains(p.Number)
				if c.Status == state.Silent || (c.Status == state.Answered && known != (p.State == state.Open)) {
					t.Fatalf("%s %s %s: %+v", h.Address, p.Port, p.State, c)
				}
			}
		}
	})
}
