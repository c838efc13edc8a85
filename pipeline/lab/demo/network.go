package demo

import (
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

func service(name, product, version, extra string) state.Service {
	return state.Service{Name: name, Product: product, Version: version, ExtraInfo: extra, Probed: true}
}

func tls(s state.Service) state.Service {
	s.Tunnel = "ssl"
	return s
}

func tcp(n uint16, approvals []state.Approval, spans ...span) port {
	return port{Port: state.Port{Protocol: state.TCP, Number: n}, state: state.Open, spans: spans, approvals: approvals}
}

func udp(n uint16, s state.PortState, spans ...span) port {
	return port{Port: state.Port{Protocol: state.UDP, Number: n}, state: s, spans: spans}
}

func since(n int, s state.Service) span { return span{from: n, service: s} }

// by is an approval on the day after a night.
func by(author string, n int, reason string) state.Approval {
	return state.Approval{By: author, Via: "cli", GrantedAt: Night(n).Add(7 * time.Hour), Reason: reason}
}

// Nights is twelve hosts over so many nights, with all that a report can tell; 49 of
// them end with a night on which much happened.
func Nights(nights int) Network {
	ssh := service("ssh", "OpenSSH", "9.2p1", "Debian 2+deb12u3; protocol 2.0")
	nginx := service("http", "nginx", "1.22.1", "")
	newer := service("http", "nginx", "1.26.0", "")
	postgres := service("postgresql", "PostgreSQL DB", "15.8", "")
	web := func() []state.Approval { return []state.Approval{by("alice", 1, "public web site")} }
	admin := func() []state.Approval {
		return []state.Approval{by("bob", 1, "administration, see the access policy")}
	}
	dmz, prod := []string{"dmz", "prod"}, []string{"prod"}
	until, drifted := Night(92), Night(48)
	vpn := by("alice", 3, "contractors until the year's end")
	vpn.Until = &until
	was := by("bob", 2, "monitoring")
	was.EndedAt, was.EndReason, was.Service = &drifted, state.EndedDrifted, "http"

	d := Network{nights: nights, hosts: []host{
		{
			id: 1, address: "192.0.2.11", names: []string{"web-1.example.org", "www.example.org"}, tags: dmz, owner: "web-team@example.org", from: 1,
			ports: []port{
				tcp(22, admin(), since(1, ssh)),
				tcp(80, web(), span{1, 34, nginx}, since(34, newer)),
				tcp(443, web(), span{1, 34, tls(nginx)}, since(34, tls(newer))),
				tcp(8080, nil, since(48, service("http", Hostile(), "", ""))),
			},
		},
		{
			id: 2, address: "192.0.2.12", names: []string{"web-2.example.org"}, tags: dmz, owner: "web-team@example.org", from: 1, skipped: []int{27, 48},
			ports: []port{
				tcp(22, admin(), since(1, ssh)), tcp(80, web(), span{1, 35, nginx}, since(35, newer)), tcp(443, web(), span{1, 35, tls(nginx)}, since(35, tls(newer))),
			},
		},
		{
			id: 3, address: "192.0.2.20", names: []string{"mail.example.org"}, tags: dmz, owner: "mail-team@example.org", from: 1,
			ports: []port{
				tcp(25, []state.Approval{by("carol", 1, "mail")}, since(1, service("smtp", "Postfix smtpd", "", ""))),
				tcp(110, nil, span{1, 12, service("pop3", "Dovecot pop3d", "", "")}),
				tcp(465, []state.Approval{by("carol", 1, "mail")}, since(1, tls(service("smtp", "Postfix smtpd", "", "")))),
				tcp(993, []state.Approval{by("carol", 1, "mail")}, since(1, tls(service("imap", "Dovecot imapd", "2.3.19", "")))),
				tcp(4190, nil, since(38, service("sieve", "Dovecot Pigeonhole sieve", "1.0", ""))),
			},
		},
		{
			id: 4, address: "192.0.2.30", names: []string{"vpn.example.org"}, tags: dmz, owner: "network@example.org", from: 1,
			ports: []port{tcp(443, []state.Approval{vpn}, since(1, tls(service("http", "OpenVPN Access Server", "2.13", "")))), udp(1194, state.OpenFiltered, since(49, state.Service{Name: "openvpn"}))},
		},
		{
			id: 5, address: "192.0.2.53", names: []string{"ns1.example.org"}, tags: dmz, owner: "network@example.org", from: 1,
			ports: []port{tcp(53, []state.Approval{by("alice", 1, "name server")}, span{1, 20, service("domain", "ISC BIND", "9.18.24", "Debian")}, since(20, service("domain", "ISC BIND", "9.18.28", "Debian"))), udp(53, state.Open, since(49, service("domain", "ISC BIND", "9.18.28", "Debian")))},
		},
		{
			id: 6, address: "10.20.0.21", names: []string{"db-1.example.org"}, tags: prod, owner: "data@example.org", from: 1, down: []int{48, 49},
			ports: []port{tcp(22, admin(), since(1, ssh)), tcp(5432, []state.Approval{by("dave", 2, "database of the shop")}, since(1, postgres))},
		},
		{
			id: 7, address: "10.20.0.22", names: []string{"db-2.example.org"}, tags: prod, owner: "data@example.org", from: 1,
			ports: []port{tcp(22, admin(), since(1, ssh)), tcp(5432, []state.Approval{by("dave", 2, "replica")}, since(1, postgres)), tcp(6379, nil, since(31, service("redis", "Redis key-value store", "7.0.15", "")))},
		},
		{
			id: 8, address: "10.20.0.40", names: []string{"ci.example.org"}, tags: []string{"build"}, owner: "build@example.org", from: 1,
			ports: []port{
				tcp(22, admin(), since(1, ssh)),
				tcp(2375, nil, span{41, 43, service("docker", "Docker", "26.1.0", "API 1.45")}),
				tcp(8080, []state.Approval{by("erin", 5, "build server")}, since(1, service("http", "Jetty", "10.0.20", ""))),
				tcp(50000, nil, since(1, service("jenkins-listener", "Jenkins TcpSlaveAgentListener", "", ""))),
			},
		},
		{
			id: 9, address: "10.20.0.50", names: []string{"monitor.example.org"}, tags: prod, owner: "build@example.org", from: 1,
			ports: []port{tcp(22, admin(), since(1, ssh)), tcp(3000, []state.Approval{was}, span{1, 48, service("http", "Grafana", "10.4.2", "")}, since(48, service("http-proxy", "Squid http proxy", "5.7", "")))},
		},
		{
			id: 10, address: "10.20.0.99", names: []string{"printer-3rd-floor.example.org"}, from: 3,
			ports: []port{tcp(80, nil, since(3, service("http", "HP HTTP Server", "", "HP Color LaserJet M553"))), tcp(515, nil, since(3, service("printer", "", "", ""))), tcp(9100, nil, since(3, state.Service{Name: "jetdirect"}))},
		},
		{
			id: 11, address: "10.20.0.143", names: []string{state.Clean("日本語\u202ehost.example.org")}, owner: "desk@example.org", from: 49,
			ports: []port{tcp(3389, nil, since(49, service("ms-wbt-server", "Microsoft Terminal Services", "", "")))},
		},
		{
			id: 267, address: "2001:db8::25", tags: []string{"ipv6", "dmz"}, owner: "mail-team@example.org", from: 1,
			ports: []port{tcp(25, []state.Approval{by("carol", 4, "mail over IPv6")}, since(1, service("smtp", "Postfix smtpd", "", "")))},
		},
	}}
	for i, h := range d.hosts {
		for j, p := range h.ports {
			for k := range p.approvals {
				a := &d.hosts[i].ports[j].approvals[k]
				a.HostID, a.Address, a.Port = h.id, netip.MustParseAddr(h.address), p.Port
			}
		}
	}
	return d
}
