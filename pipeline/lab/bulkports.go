package lab

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
)

// bulkServices are what listens in a Bulk: port, name, product and executable. The first
// ones are found on most hosts.
func bulkServices() []string {
	return strings.Split(`22/tcp ssh OpenSSH sshd|80/tcp http nginx nginx|443/tcp ssl/http nginx nginx|161/udp snmp net-snmp snmpd|123/udp ntp chrony chronyd|9100/tcp http node-exporter node_exporter|
25/tcp smtp Postfix master|53/tcp domain BIND named|53/udp domain BIND named|110/tcp pop3 Dovecot dovecot|111/tcp rpcbind rpcbind rpcbind|135/tcp msrpc Microsoft-RPC svchost|139/tcp netbios-ssn Samba smbd|
143/tcp imap Dovecot dovecot|389/tcp ldap OpenLDAP slapd|445/tcp microsoft-ds Samba smbd|465/tcp ssl/smtp Postfix master|514/tcp shell netkit-rsh in.rshd|587/tcp smtp Postfix master|631/tcp ipp CUPS cupsd|
636/tcp ssl/ldap OpenLDAP slapd|873/tcp rsync rsync rsync|993/tcp ssl/imap Dovecot dovecot|995/tcp ssl/pop3 Dovecot dovecot|1433/tcp ms-sql-s Microsoft-SQL-Server sqlservr|1521/tcp oracle-tns Oracle tnslsnr|
1883/tcp mqtt Mosquitto mosquitto|2049/tcp nfs nfs-kernel kernel|2181/tcp zookeeper Zookeeper java|2375/tcp docker Docker dockerd|3000/tcp http Grafana grafana|3128/tcp http-proxy Squid squid|
3260/tcp iscsi tgt tgtd|3306/tcp mysql MariaDB mariadbd|3389/tcp ms-wbt-server xrdp xrdp|4369/tcp epmd Erlang epmd|5000/tcp http gunicorn python3|5060/tcp sip Asterisk asterisk|5222/tcp xmpp ejabberd beam|
5432/tcp postgresql PostgreSQL postgres|5601/tcp http Kibana node|5666/tcp nrpe NRPE nrpe|5672/tcp amqp RabbitMQ beam|5900/tcp vnc TigerVNC Xvnc|5985/tcp http Microsoft-HTTPAPI svchost|6379/tcp redis Redis redis-server|
6443/tcp ssl/http Kubernetes kube-apiserver|8000/tcp http uvicorn python3|8009/tcp ajp13 Tomcat java|8080/tcp http Tomcat java|8081/tcp http Jetty java|8443/tcp ssl/http Tomcat java|8500/tcp http Consul consul|
8883/tcp ssl/mqtt Mosquitto mosquitto|9000/tcp http PHP-FPM php-fpm|9042/tcp cassandra Cassandra java|9090/tcp http Prometheus prometheus|9092/tcp kafka Kafka java|9200/tcp http Elasticsearch java|9418/tcp git git git-daemon`, "|")
}

// bulkService is one of them, in one of its versions.
type bulkService struct {
	protocol    string
	port        int32
	service     state.Service
	name        string // as nmap prints it
	family      string
	fingerprint pgtype.UUID
	process     state.Process
	processID   pgtype.UUID
}

// bulkVersions is how many versions of each service are about; one more is what was there
// before it.
const bulkVersions = 30

// catalogue returns each service in each of its versions, and last what was there before.
func catalogue() [][]*bulkService {
	var all [][]*bulkService
	for _, line := range bulkServices() {
		fields := strings.Fields(line)
		port, err := state.ParsePort(fields[0])
		if err != nil {
			panic(err)
		}
		tunnel, name, found := strings.Cut(fields[1], "/")
		if !found {
			tunnel, name = "", fields[1]
		}
		process := state.Process{Exe: "/usr/sbin/" + fields[3], User: "svc-" + name, Unit: fields[3] + ".service", Package: strings.ToLower(fields[2])}
		var versions []*bulkService
		for v := range bulkVersions + 1 {
			service := state.Service{
				Name: name, Tunnel: tunnel, Product: strings.ReplaceAll(fields[2], "-", " "), Version: fmt.Sprintf("%d.%d.%d", 1+v/10, v%10, len(name)), Probed: true,
			}
			if v == bulkVersions {
				service = state.Service{Name: name, Product: "Legacy", Version: "0.9", Probed: true}
			}
			versions = append(versions, &bulkService{
				string(port.Protocol), int32(port.Number), service, service.String(), service.Family(),
				pgtype.UUID{Bytes: service.Fingerprint(), Valid: true},
				process,
				pgtype.UUID{Bytes: process.Fingerprint(), Valid: true},
			})
		}
		all = append(all, versions)
	}
	return all
}

// bulkPort is a port of a Bulk.
type bulkPort struct {
	*bulkService
	host     bulkHost
	before   *bulkService // what it was before rev; nil: it was not there
	first    int          // the run that first saw it
	rev      int          // the run since which it is as it is
	approval int64        // 0: nobody approved it
	drifted  bool         // the approval is of what it was before
}

// ports returns the ports that are open now by host and port, with their approvals
// numbered in this order.
func (b Bulk) ports() []bulkPort {
	services := catalogue()
	approval := int64(0)
	list := make([]bulkPort, 0, b.Hosts*b.Ports)
	for h := range b.everyHost() {
		for _, s := range b.open(h, len(services)) {
			p := b.port(h, services[s], s)
			if p.drifted || pick(100, h.no, s, 6) >= 30 {
				approval++
				p.approval = approval
			}
			list = append(list, p)
		}
	}
	return list
}

// open chooses what listens on a host.
func (b Bulk) open(h bulkHost, services int) []int {
	most := min(b.Ports, services)
	var taken [128]bool
	n := 0
	for s := range min(6, most) {
		if pick(10, h.no, s, 7) > 0 {
			taken[s] = true
			n++
		}
	}
	for i := pick(services, h.no, 8); n < most; i += 7 { // 60 and 7 have no factor in common
		if s := i % services; !taken[s] {
			taken[s] = true
			n++
		}
	}
	open := make([]int, 0, n)
	for s := range services {
		if taken[s] {
			open = append(open, s)
		}
	}
	return open
}

func (b Bulk) port(h bulkHost, versions []*bulkService, s int) bulkPort {
	version := min(pick(bulkVersions, h.no, s, 9), pick(bulkVersions, h.no, s, 10))
	p := bulkPort{bulkService: versions[version], host: h, first: b.since(h)}
	switch luck := pick(1000, h.no, s, 11); {
	case luck < 30 && p.first < b.Runs: // it opened later
		p.first += 1 + pick(b.Runs-p.first, h.no, s, 12)
		p.rev = p.first
	case luck < 50 && p.first < b.Runs: // it was another version
		p.rev = p.first + 1 + pick(b.Runs-p.first, h.no, s, 12)
		p.before = versions[(version+1)%bulkVersions]
	case luck < 54 && p.first < b.Runs: // it was something else, and that was approved
		p.rev = p.first + 1 + pick(b.Runs-p.first, h.no, s, 12)
		p.before = versions[bulkVersions]
		p.drifted = true
	default:
		p.rev = p.first
	}
	return p
}

// eachPort makes rows of every port.
func eachPort(ports []bulkPort, rows func(p *bulkPort) [][]any) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for i := range ports {
			for _, row := range rows(&ports[i]) {
				if !yield(row) {
					return
				}
			}
		}
	}
}

func (p *bulkPort) key() []any {
	return []any{p.host.id, p.host.vantage, p.protocol, p.port}
}

func (b Bulk) portsNow(ports []bulkPort) iter.Seq[[]any] {
	return eachPort(ports, func(p *bulkPort) [][]any {
		var approval *int64
		if p.approval > 0 && !p.drifted {
			approval = &p.approval
		}
		return [][]any{append(p.key(), "open", p.fingerprint, p.rev, approval)}
	})
}

func (b Bulk) portsThen(ports []bulkPort) iter.Seq[[]any] {
	return eachPort(ports, func(p *bulkPort) [][]any {
		if p.before == nil {
			return nil
		}
		return [][]any{append(p.key(), "open", p.before.fingerprint, p.first, p.rev)}
	})
}

func (b Bulk) portChanges(ports []bulkPort) iter.Seq[[]any] {
	return eachPort(ports, func(p *bulkPort) [][]any {
		now := p.fingerprint
		if p.before == nil {
			return [][]any{slices.Concat([]any{p.rev}, p.key(), []any{"port-opened", nil, nil, "open", now})}
		}
		was, kind := p.before.fingerprint, "version-changed"
		if p.drifted {
			kind = "product-changed"
		}
		return [][]any{
			slices.Concat([]any{p.first}, p.key(), []any{"port-opened", nil, nil, "open", was}),
			slices.Concat([]any{p.rev}, p.key(), []any{kind, "open", was, "open", now}),
		}
	})
}

// reason is why an approval was given: one of many reasons.
func (p *bulkPort) reason() string {
	return []string{"baseline", "public service", "monitoring", "asked for by the team"}[pick(4, p.host.no, int(p.port))]
}

func (b Bulk) approvals(ports []bulkPort) iter.Seq[[]any] {
	return eachPort(ports, func(p *bulkPort) [][]any {
		what := p.bulkService
		granted := b.at(p.first).Add(9 * time.Hour)
		var ended, expires *time.Time
		by, why, end := "", "", any(nil) // and the number of the end
		switch {
		case p.drifted:
			at := b.at(p.rev)
			what, ended, by, why, granted, end = p.before, &at, "ownmap", "drifted", b.at(p.first), p.approval
		case p.approval == 0:
			return nil
		case pick(10, p.host.no, int(p.port), 13) == 0:
			at := b.End.AddDate(0, 0, 2+pick(300, p.host.no, 14))
			expires = &at
		}
		process := state.Process{}
		if p.inside() {
			process = what.process
		}
		return [][]any{append([]any{p.approval}, append(p.key(), what.name, what.family, true, process.Exe, process.User, process.Unit, process.Package,
			p.reason(), "alice", "web", granted, expires, ended, by, why, end)...)}
	})
}

// inside says whether somebody looks inside the host.
func (p *bulkPort) inside() bool { return (p.host.target+1)%3 == 0 }

func (b Bulk) listeners(ports []bulkPort) iter.Seq[[]any] {
	return eachPort(ports, func(p *bulkPort) [][]any {
		if !p.inside() {
			return nil
		}
		return [][]any{{p.host.id, p.protocol, p.port, netip.IPv4Unspecified(), p.processID, p.first}}
	})
}

func (b Bulk) listenerChanges(ports []bulkPort) iter.Seq[[]any] {
	return eachPort(ports, func(p *bulkPort) [][]any {
		if !p.inside() {
			return nil
		}
		return [][]any{{p.first, p.host.id, p.protocol, p.port, netip.IPv4Unspecified(), "", p.processID, false, true}}
	})
}

func (b Bulk) audit(ports []bulkPort) iter.Seq[[]any] {
	return eachPort(ports, func(p *bulkPort) [][]any {
		if p.approval == 0 {
			return nil
		}
		detail, _ := json.Marshal(map[string]string{"approval": strconv.FormatInt(p.approval, 10), "service": p.name, "reason": p.reason()})
		return [][]any{{b.at(p.first).Add(9 * time.Hour), "alice", "web", "approve", fmt.Sprintf("%s %d/%s", p.host.address(), p.port, p.protocol), detail}}
	})
}

func (b Bulk) fingerprints() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		seen := make(map[state.Fingerprint]bool)
		for _, versions := range catalogue() {
			for _, v := range versions {
				if f := v.service.Fingerprint(); !seen[f] {
					seen[f] = true
					if !yield([]any{v.fingerprint, v.service.Name, v.service.Product, v.service.Version, "", v.service.Tunnel, true}) {
						return
					}
				}
			}
		}
	}
}

func (b Bulk) processes() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		seen := make(map[state.Fingerprint]bool)
		for _, versions := range catalogue() {
			p := versions[0].process
			f := p.Fingerprint()
			if !seen[f] && !yield([]any{versions[0].processID, p.Exe, p.User, p.Unit, p.Container, p.Package}) {
				return
			}
			seen[f] = true
		}
	}
}
