package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// The network of WriteNight.
const (
	NightHosts   = 10_000
	nightPorts   = 10  // of each host
	NightChanges = 100 // ports that say another version on the second night
)

// WriteNight writes a file with what nmap -sV prints of a network of NightHosts hosts with ten open ports each, on
// night 0 or night 1: what a comparison of two scans is measured with.
func WriteNight(name string, night int) (err error) {
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
	for host := range NightHosts {
		writeNightHost(w, host, night)
	}
	fmt.Fprintf(w, `<runstats><finished time="1795312970" timestr="Sat Nov 22 02:02:50 2026" summary="Nmap done" elapsed="3600.00" exit="success"/><hosts up="%d" down="0" total="%d"/>
</runstats>
</nmaprun>
`, NightHosts, NightHosts)
	return w.Flush()
}

// nightServices are what listens, as nmap's service detection prints it.
func nightServices() []string {
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
	services := nightServices()
	for i, port := range []int{21, 22, 25, 53, 80, 110, 111, 443, 993, 999}[:nightPorts] {
		release := host * 7 % 40
		if night == 1 && i == 4 && host%(NightHosts/NightChanges) == 0 {
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
