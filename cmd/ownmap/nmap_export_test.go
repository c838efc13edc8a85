package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/netlab"
	"ownmap/pipeline/state"
)

// booth is a network namespace with listeners and a firewall, and an instance that
// scans in it.
type booth struct {
	instance

	lab *netlab.Lab
}

// newBooth begins one. rules are arguments of iptables and, with a 6 before them, of
// ip6tables.
func newBooth(t *testing.T, config string, rules []string, endpoints ...lab.Endpoint) booth {
	t.Helper()
	b := booth{newInstance(t, "database: {url: \"${DATABASE_URL}\"}\nscan: {confirm_tries: 1}\n"+config), netlab.Start(t, netlab.Options{})}
	for _, rule := range rules {
		program := "iptables"
		if v6, ok := strings.CutPrefix(rule, "6 "); ok {
			program, rule = "ip6tables", v6
		}
		b.exec(t, program, strings.Fields("-w -A INPUT "+rule)...)
	}
	if err := b.lab.Do(func() { lab.Listen(t, endpoints...) }); err != nil {
		t.Fatal(err)
	}
	return b
}

// exec runs a program in the namespace.
func (b booth) exec(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := b.lab.Command(context.WithoutCancel(t.Context()), program, args...)
	cmd.Dir, cmd.Env = b.dir, b.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
}

// export writes the report of a run.
func (b booth) export(t *testing.T, run, format string) string {
	t.Helper()
	file := filepath.Join(b.dir, "run-"+run+"."+format)
	if _, stderr, code := b.call(t, "report", run, "--format", format, "--output", file); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	return file
}

// same fails unless ndiff finds no difference between two files, beside who made
// them and when, and nmap's DTD has nothing against the second.
func same(t *testing.T, a, b string) {
	t.Helper()
	if out, code := ndiff(t, a, b); code != 0 || out != "" {
		theirs, _ := os.ReadFile(a)
		ours, _ := os.ReadFile(b)
		t.Errorf("ndiff ends with %d:\n%s\nnmap's:\n%s\nOwnMap's:\n%s", code, out, theirs, ours)
	}
	valid(t, b)
}

// ndiff returns what ndiff tells, without the lines about the two scans.
func ndiff(t *testing.T, a, b string) (told string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ndiff", a, b)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "-Nmap ") && !strings.HasPrefix(line, "+Nmap ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ""), cmd.ProcessState.ExitCode()
}

// valid fails unless a file is as nmap's DTD wants it, and nmap's style sheet makes a
// page of it.
func valid(t *testing.T, file string) string {
	t.Helper()
	const data = "/usr/share/nmap/"
	if out, err := exec.CommandContext(t.Context(), "xmllint", "--noout", "--nonet", "--dtdvalid", data+"nmap.dtd", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	page, err := exec.CommandContext(t.Context(), "xsltproc", "--nonet", data+"nmap.xsl", file).Output()
	if err != nil {
		t.Errorf("nmap's style sheet: %v", err)
	}
	return string(page)
}

func tcp(address string, port uint16, talk lab.Talk) lab.Endpoint {
	return lab.Endpoint{Address: netip.MustParseAddr(address), Port: state.Port{Protocol: state.TCP, Number: port}, Talk: talk}
}

func udp(address string, port uint16, reply string) lab.Endpoint {
	return lab.Endpoint{Address: netip.MustParseAddr(address), Port: state.Port{Protocol: state.UDP, Number: port}, Talk: lab.Talk{Reply: reply}}
}

// TestNmapExport scans the same with nmap and with OwnMap: ndiff finds no difference
// between what nmap writes and what OwnMap writes of its run, whatever of the ports
// that are not open is listed and counted.
func TestNmapExport(t *testing.T) {
	t.Parallel()
	firewall := []string{
		"-p tcp --dport 300:400 -j DROP", "-p tcp --dport 500:505 -j REJECT --reject-with icmp-admin-prohibited",
		"-p udp --dport 60:70 -j DROP", "-d 127.0.0.3 -p tcp --dport 1:900 -j DROP", "-d 127.0.0.4 -p udp -j DROP",
		"6 -p tcp --dport 300:310 -j DROP", "6 -p udp --dport 60:99 -j DROP",
	}
	listeners := []lab.Endpoint{
		tcp("127.0.0.1", 22, lab.SSH()), tcp("127.0.0.1", 25, lab.SMTP()),
		tcp("127.0.0.2", 21, lab.FTP()), tcp("127.0.0.3", 1000, lab.SSH()),
		udp("127.0.0.1", 53, "answer"), tcp("::1", 22, lab.SSH()), udp("::1", 53, "answer"),
	}
	for name, c := range map[string]struct {
		hosts, profile, nmap string
	}{
		"many ports":                           {"127.0.0.1, 127.0.0.2, 127.0.0.3", `ports: "1-1100"`, "-sS -sV -p 1-1100 127.0.0.1-3"},
		"few ports":                            {"127.0.0.1, 127.0.0.2, 127.0.0.3", `services: false, ports: "20-30,499-505,995-1001"`, "-sS -p 20-30,499-505,995-1001 127.0.0.1-3"},
		"few closed and many filtered":         {"127.0.0.1, 127.0.0.3", `services: false, ports: "300-350,1000-1010"`, "-sS -p 300-350,1000-1010 127.0.0.1 127.0.0.3"},
		"UDP too":                              {"127.0.0.1, 127.0.0.4", `services: false, ports: "1-50", udp: "50-90"`, "-sS -sU -p T:1-50,U:50-90 127.0.0.1 127.0.0.4"},
		"IPv6":                                 {`"::1"`, `services: false, ports: "1-350", udp: "53-100"`, "-6 -sS -sU -p T:1-350,U:53-100 ::1"},
		"no services, and a host that is down": {"127.0.0.1, 10.77.1.1", `services: false, ports: "20-90"`, "-sS -p 20-90 127.0.0.1 10.77.1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBooth(t, fmt.Sprintf("targets: [{hosts: [%s], profile: some}]\nprofiles: {some: {%s}}\n", c.hosts, c.profile), firewall, listeners...)
			scanned := filepath.Join(b.dir, "nmap.xml")
			b.exec(t, "nmap", append(strings.Fields("-n -T4 -oX "+scanned), strings.Fields(c.nmap)...)...)
			b.exec(t, "ownmap", "run")
			same(t, scanned, b.export(t, "1", "nmap"))
			b.exec(t, "ownmap", "run")
			same(t, scanned, b.export(t, "2", "nmap"))
			if out, stderr, code := b.call(t, "diff", scanned, filepath.Join(b.dir, "run-2.nmap")); code != 0 {
				t.Errorf("ownmap diff ends with %d\n%s%s", code, out, stderr)
			}
			var told struct{ Coverage state.Totals }
			b.json(t, &told, "show", "--json")
			if totals, _ := json.Marshal(told.Coverage); strings.Contains(name, "down") != (told.Coverage.Silent == 1) || told.Coverage.NotScanned > 0 {
				t.Errorf("coverage: %s", totals)
			}
		})
	}
}
