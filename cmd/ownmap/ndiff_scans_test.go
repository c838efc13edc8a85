package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// xmlScan is a small nmap XML file, written by hand in nmap's own words.
type xmlScan struct {
	args  string
	info  string // protocol and ports that were asked for
	down  int    // hosts that nmap does not name
	hosts []string
}

// xmlHost returns a host with what nmap puts between <ports> and after it.
func xmlHost(address, reason, name, ports, rest string) string {
	names := ""
	if name != "" {
		names = `<hostname name="` + name + `" type="PTR"/>`
	}
	return `<host><status state="up" reason="` + reason + `"/><address addr="` + address + `" addrtype="ipv4"/><hostnames>` + names +
		`</hostnames><ports>` + ports + `</ports>` + rest + "</host>\n"
}

func xmlPort(port int, protocol, state, service string) string {
	reason := map[string]string{"open": "syn-ack", "closed": "reset", "filtered": "no-response", "open|filtered": "no-response"}[state]
	return fmt.Sprintf(`<port protocol="%s" portid="%d"><state state="%s" reason="%s"/><service %s/></port>`, protocol, port, state, reason, service)
}

func xmlExtra(state, reason, protocol, ports string, count int) string {
	return fmt.Sprintf(`<extraports state="%s" count="%d"><extrareasons reason="%s" count="%d" proto="%s" ports="%s"/></extraports>`, state, count, reason, count, protocol, ports)
}

// writeScans writes the kinds of files that people compare, and returns their
// names: nobody asked, nobody there, one host looked at in several ways, and a
// network on two nights.
func writeScans(t *testing.T) []string {
	t.Helper()
	const table, probed = `" method="table" conf="3`, `" method="probed" conf="10`
	ssh, domain, http := `name="ssh`, `name="domain`, `name="http`
	openSSH := ssh + `" product="OpenSSH" version="9.2p1" extrainfo="protocol 2.0`
	nginx := http + `" product="nginx" version="1.22.1`
	tcp := `<scaninfo type="syn" protocol="tcp" numservices="100" services="1-100"/>`
	rest := xmlExtra("filtered", "no-response", "tcp", "1-21,23-52,54-79,81-100", 97)
	simple := xmlPort(22, "tcp", "open", ssh+table+`"`) + xmlPort(53, "tcp", "closed", domain+table+`"`)
	single := rest + xmlPort(22, "tcp", "open", ssh+table+`"`) + xmlPort(53, "tcp", "closed", domain+table+`"`) + xmlPort(80, "tcp", "open", http+table+`"`)
	const web, name = "192.0.2.10", "web.example.org"
	scans := map[string]xmlScan{
		"empty":  {args: "nmap -p 1-100", info: tcp},
		"down":   {args: "nmap -p 1-100 192.0.2.10", info: tcp, down: 1},
		"simple": {args: "nmap -p 22,53 192.0.2.10", info: `<scaninfo type="syn" protocol="tcp" numservices="2" services="22,53"/>`, hosts: []string{xmlHost(web, "echo-reply", name, simple, "")}},
		"single": {args: "nmap -p 1-100 192.0.2.10", info: tcp, hosts: []string{xmlHost(web, "echo-reply", name, single, "")}},
		"os":     {args: "nmap -O -p 22,53 192.0.2.10", info: `<scaninfo type="syn" protocol="tcp" numservices="2" services="22,53"/>`, hosts: []string{xmlHost(web, "echo-reply", "", simple, `<os><osmatch name="Linux 5.0 - 6.2" accuracy="100" line="1"/></os>`)}},
		"complex": {args: "nmap -sV -sC -sS -sU -p T:1-100,U:53,123,161 192.0.2.10", info: tcp + `<scaninfo type="udp" protocol="udp" numservices="3" services="53,123,161"/>`, hosts: []string{xmlHost(web, "echo-reply", "www.example.org", rest+
			xmlPort(22, "tcp", "open", openSSH+probed+`"`)+xmlPort(53, "tcp", "open", domain+`" product="ISC BIND" version="9.18`+probed+`"`)+xmlPort(80, "tcp", "open", nginx+probed+`"`)+
			xmlPort(53, "udp", "open", domain+`" product="ISC BIND" version="9.18`+probed+`"`)+xmlPort(123, "udp", "open|filtered", `name="ntp`+table+`"`)+xmlPort(161, "udp", "closed", `name="snmp`+table+`"`), "")}},
		"upgraded": {args: "nmap -sV -p 1-100 192.0.2.10", info: tcp, hosts: []string{xmlHost(web, "echo-reply", name, rest+
			xmlPort(22, "tcp", "open", strings.Replace(openSSH, "protocol 2.0", "Debian", 1)+probed+`"`)+xmlPort(53, "tcp", "closed", domain+table+`"`)+xmlPort(80, "tcp", "open", http+`" product="nginx" version="1.26.0" tunnel="ssl`+probed+`"`), "")}},
		"silent": {args: "nmap -Pn -p 1-100 192.0.2.10", info: tcp, hosts: []string{xmlHost(web, "user-set", name, xmlExtra("filtered", "no-response", "tcp", "1-100", 100), "")}},
	}
	for night := range 2 {
		scans[fmt.Sprintf("night-%d", night+1)] = network(night, tcp, ssh+table+`"`)
	}
	dir := t.TempDir()
	var files []string
	for name, s := range scans {
		file := filepath.Join(dir, name+".xml")
		text := fmt.Sprintf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<nmaprun scanner=\"nmap\" args=\"%s\" start=\"1795419770\" version=\"7.93\" xmloutputversion=\"1.05\">\n%s\n%s"+
			`<runstats><finished time="1795419771" elapsed="1.00" exit="success"/><hosts up="%d" down="%d" total="%d"/></runstats>`+"\n</nmaprun>\n",
			s.args, s.info, strings.Join(s.hosts, ""), len(s.hosts), s.down, len(s.hosts)+s.down)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// network returns 30 hosts of a scan of 40, of which some hosts and some ports
// come and go from one night to the next.
func network(night int, info, service string) xmlScan {
	s := xmlScan{args: "nmap -p 1-100 198.51.100.0-39", info: info}
	for i := range 40 {
		if i%4 == 0 && i != 4*night && i%8 != 4*night {
			continue
		}
		var ports strings.Builder
		for _, port := range []int{22, 25, 53, 80} {
			state := "open"
			if (i+port+night*port)%3 == 0 {
				state = "closed"
			}
			ports.WriteString(xmlPort(port, "tcp", state, service))
		}
		name := ""
		if i%5 == 0 {
			name = fmt.Sprintf("host-%d.example.org", i+night*(i%2))
		}
		s.hosts = append(s.hosts, xmlHost(fmt.Sprintf("198.51.100.%d", i), "echo-reply", name, xmlExtra("closed", "reset", "tcp", "1-21,23-24,26-52,54-79,81-100", 96)+ports.String(), ""))
	}
	s.down = 40 - len(s.hosts)
	return s
}
