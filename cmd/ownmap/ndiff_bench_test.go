package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// The two files of BenchmarkDiffFiles.
const (
	benchHosts   = 10_000
	benchPorts   = 10
	benchChanges = 100 // ports of the second that the first has not
)

// BenchmarkDiffFiles compares two files of 10,000 hosts with ten ports each, with
// ndiff and with `ownmap diff`, as processes one after the other, three times.
// It fails when they do not agree on what differs.
func BenchmarkDiffFiles(b *testing.B) {
	dir := b.TempDir()
	binary := filepath.Join(dir, "ownmap")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	files := []string{filepath.Join(dir, "a.xml"), filepath.Join(dir, "b.xml")}
	for night, file := range files {
		if err := writeNight(file, night); err != nil {
			b.Fatal(err)
		}
	}
	var theirs, ours cost
	for b.Loop() {
		theirs, ours = cost{}, cost{}
		for range 3 {
			theirs.run(b, "ndiff", files...)
			ours.run(b, binary, append([]string{"diff"}, files...)...)
		}
	}
	b.ReportMetric(theirs.median().Seconds(), "ndiff-s")
	b.ReportMetric(ours.median().Seconds(), "ownmap-s")
	b.ReportMetric(ours.median().Seconds()/theirs.median().Seconds(), "ratio")
	b.ReportMetric(theirs.peak, "ndiff-MB")
	b.ReportMetric(ours.peak, "ownmap-MB")
	b.ReportMetric(0, "ns/op") // the figures above say it
}

// cost is what some runs of a process took.
type cost struct {
	walls []time.Duration
	peak  float64 // MB of memory, the most of all
}

func (c *cost) median() time.Duration {
	slices.Sort(c.walls)
	return c.walls[len(c.walls)/2]
}

// run runs a comparison and counts the lines that say what differs.
func (c *cost) run(b *testing.B, name string, args ...string) {
	b.Helper()
	command := exec.CommandContext(b.Context(), name, args...)
	var said lines
	command.Stdout, command.Stderr = &said, os.Stderr
	start := time.Now()
	err := command.Run()
	c.walls = append(c.walls, time.Since(start))
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		b.Fatalf("%s %q: %v, want exit status 1: the files differ", name, args, err)
	}
	if said < benchChanges {
		b.Fatalf("%s %q says %d lines of %d changes", name, args, said, benchChanges)
	}
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("no resource usage")
	}
	c.peak = max(c.peak, float64(usage.Maxrss)/1024)
}

// lines counts lines.
type lines int

func (l *lines) Write(p []byte) (int, error) {
	for _, c := range p {
		if c == '\n' {
			*l++
		}
	}
	return len(p), nil
}

// writeNight writes what nmap -sV prints of the network on one of two nights.
func writeNight(name string, night int) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/bin/../share/nmap/nmap.xsl" type="text/xsl"?>
<!-- Nmap 7.93 scan initiated Sat Nov 22 01:02:50 2026 as: nmap -n -sS -sV -T4 -oX scan.xml 10.0.0.0/16 -->
<nmaprun scanner="nmap" args="nmap -n -sS -sV -T4 -oX scan.xml 10.0.0.0/16" start="1795309370" startstr="Sat Nov 22 01:02:50 2026" version="7.93" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="1000" services="1-1000"/>
<verbose level="0"/>
<debugging level="0"/>
`)
	for host := range benchHosts {
		writeNightHost(w, host, night)
	}
	fmt.Fprintf(w, `<runstats><finished time="1795312970" timestr="Sat Nov 22 02:02:50 2026" summary="Nmap done" elapsed="3600.00" exit="success"/><hosts up="%d" down="0" total="%d"/>
</runstats>
</nmaprun>
`, benchHosts, benchHosts)
	return w.Flush()
}

// benchServices are what listens, as nmap's service detection prints it.
func benchServices() []string {
	return []string{
		`name="ftp" product="vsftpd" version="3.0.3" ostype="Unix" method="probed" conf="10"><cpe>cpe:/a:vsftpd:vsftpd:3.0.3</cpe></service>`,
		`name="ssh" product="OpenSSH" version="9.2p1 Debian 2+deb12u%d" extrainfo="protocol 2.0" ostype="Linux" method="probed" conf="10"><cpe>cpe:/a:openbsd:openssh:9.2p1</cpe><cpe>cpe:/o:linux:linux_kernel</cpe></service>`,
		`name="smtp" product="Postfix smtpd" hostname="mail%d.example.org" method="probed" conf="10"><cpe>cpe:/a:postfix:postfix</cpe></service>`,
		`name="domain" product="ISC BIND" version="9.18.%d" extrainfo="Debian Linux" ostype="Linux" method="probed" conf="10"><cpe>cpe:/a:isc:bind:9.18</cpe></service>`,
		`name="http" product="nginx" version="1.22.%d" method="probed" conf="10"><cpe>cpe:/a:igor_sysoev:nginx:1.22.1</cpe></service>`,
		`name="pop3" product="Dovecot pop3d" method="probed" conf="10"><cpe>cpe:/a:dovecot:dovecot</cpe></service>`,
		`name="rpcbind" version="2-4" extrainfo="RPC #100000" method="probed" conf="10"/>`,
		`name="http" product="Apache httpd" version="2.4.%d" extrainfo="(Debian) &quot;main&quot;" tunnel="ssl" method="probed" conf="10"><cpe>cpe:/a:apache:http_server:2.4</cpe></service>`,
		`name="imap" product="Dovecot imapd" tunnel="ssl" method="probed" conf="10"><cpe>cpe:/a:dovecot:dovecot</cpe></service>`,
		`name="unknown" method="table" conf="3"/>`,
	}
}

func writeNightHost(w io.Writer, host, night int) {
	fmt.Fprintf(w, `<host starttime="1795309370" endtime="1795309379"><status state="up" reason="echo-reply" reason_ttl="63"/>
<address addr="10.0.%d.%d" addrtype="ipv4"/>
<hostnames>
<hostname name="host-%d.example.org" type="PTR"/>
</hostnames>
<ports><extraports state="closed" count="990">
<extrareasons reason="reset" count="990" proto="tcp" ports="1-20,23-24,26-52,54-79,81-109,112-442,444-992,994-1000"/>
</extraports>
`, host/250, 1+host%250, host)
	services := benchServices()
	for i, port := range []int{21, 22, 25, 53, 80, 110, 111, 443, 993, 999}[:benchPorts] {
		release := host * 7 % 40
		if night == 1 && i == 4 && host%(benchHosts/benchChanges) == 0 {
			release += 40
		}
		service := services[i]
		if slices.Contains([]int{22, 25, 53, 80, 443}, port) {
			service = fmt.Sprintf(service, release)
		}
		fmt.Fprintf(w, `<port protocol="tcp" portid="%d"><state state="open" reason="syn-ack" reason_ttl="63"/><service %s</port>`+"\n", port, service)
	}
	fmt.Fprint(w, "</ports>\n<times srtt=\"5123\" rttvar=\"412\" to=\"100000\"/>\n</host>\n")
}
