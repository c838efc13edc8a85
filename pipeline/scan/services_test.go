package scan

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// servicesShard asks for the services of one host's ports.
func servicesShard(t *testing.T, address string, ask ...state.Port) state.Shard {
	t.Helper()
	p := profile(t, "1-65535")
	p.Services, p.Intensity = true, 7
	shard := shardOf(p, address)
	shard.Work, shard.Of, shard.Hosts[0].Ask = state.WorkServices, 1, ask
	return shard
}

// detected runs a services shard and returns its ports by host.
func detected(t *testing.T, s *Scanner, shard state.Shard) (map[netip.Addr]state.Host, state.ShardResult) {
	t.Helper()
	result, err := s.scanServices(t.Context(), shard, nil)
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[netip.Addr]state.Host{}
	for _, h := range result.Hosts {
		hosts[h.Address] = h
		if h.Coverage != nil {
			t.Errorf("%s: coverage %+v", h.Address, h.Coverage)
		}
	}
	return hosts, result
}

// serve talks to the n-th connection, counted from 1, until the test ends.
func serve(t *testing.T, address string, talk func(n int64, conn net.Conn)) (count *atomic.Int64) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	count = &atomic.Int64{}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n := count.Add(1)
			running.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
				defer stop()
				talk(n, conn)
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); running.Wait() })
	return count
}

// keepSilent reads and never answers.
func keepSilent(_ int64, conn net.Conn) {
	for buffer := make([]byte, 512); ; {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
	}
}

func greet(conn net.Conn, talk lab.Talk) { _, _ = conn.Write([]byte(talk.Greeting)) }

// New ports get their names; ports of the hosts that nobody asks for are left
// alone, be they known, in another shard or wanted of the host beside.
func TestServices(t *testing.T) {
	t.Parallel()
	lab.Listen(t, endpoint("127.72.0.1", tcp(2201), lab.SSH()), endpoint("127.72.0.2", tcp(2202), lab.FTP()), endpoint("127.72.0.2", tcp(2203), lab.SMTP()))
	known := serve(t, "127.72.0.1:2203", keepSilent)
	slow := serve(t, "127.72.0.1:2202", keepSilent)
	shard := servicesShard(t, "127.72.0.1", tcp(2201))
	shard.Hosts[0].Not = []state.Port{tcp(2202)}
	shard.Hosts[0].Known = []state.PortStatus{{Port: tcp(2203), State: state.Open, Service: state.Service{Name: "odd", Probed: true}}}
	other := servicesShard(t, "127.72.0.2", tcp(2202), tcp(2203), tcp(2204))
	shard.Hosts = append(shard.Hosts, other.Hosts...)
	defer within(t, 20*time.Second, "service detection")()
	hosts, result := detected(t, newScanner(t, Options{}), shard)
	one, two := hosts[netip.MustParseAddr("127.72.0.1")], hosts[netip.MustParseAddr("127.72.0.2")]
	if len(one.Ports) != 1 || one.Ports[0].Service.Product != "OpenSSH" || len(two.Ports) != 2 || two.Ports[0].Service.Product != "vsftpd" || two.Ports[1].Service.Name != "smtp" {
		t.Errorf("services: %+v, %+v; notes %q", one, two, result.Notes)
	}
	if known.Load() > 0 || slow.Load() > 0 {
		t.Errorf("%d and %d connections to ports that are nobody's", known.Load(), slow.Load())
	}
}

// What differs from the known service is handed over when it is seen twice, and
// a port that says nothing keeps its service.
func TestServicesSeenTwice(t *testing.T) {
	t.Parallel()
	lab.Listen(t, endpoint("127.72.1.1", tcp(2201), lab.SSH()), endpoint("127.72.1.1", tcp(2202), lab.SSH()))
	fickle := serve(t, "127.72.1.1:2203", func(n int64, conn net.Conn) {
		if n%2 == 1 {
			greet(conn, lab.FTP())
		} else {
			greet(conn, lab.SSH())
		}
	})
	serve(t, "127.72.1.1:2204", func(_ int64, conn net.Conn) {}) // closes at once
	shard := servicesShard(t, "127.72.1.1", tcp(2201), tcp(2202), tcp(2203), tcp(2204))
	ssh := state.Service{
		Name: "ssh", Product: "OpenSSH", Version: "9.2p1 Debian 2+deb12u3", Probed: true,
		CPE: []string{"cpe:/a:openbsd:openssh:9.2p1", "cpe:/o:linux:linux_kernel"},
	}
	exim := state.Service{Name: "smtp", Product: "Exim smtpd", Version: "4.96", Probed: true}
	for i, service := range []state.Service{ssh, exim, exim, exim} {
		shard.Hosts[0].Known = append(shard.Hosts[0].Known, state.PortStatus{Port: tcp(uint16(2201 + i)), State: state.Open, Service: service})
	}
	hosts, result := detected(t, newScanner(t, Options{}), shard)
	ports := hosts[netip.MustParseAddr("127.72.1.1")].Ports
	if len(ports) != 2 || ports[0].Port != tcp(2201) || ports[0].Service.Fingerprint() != ssh.Fingerprint() ||
		ports[1].Port != tcp(2202) || ports[1].Service.Product != "OpenSSH" {
		t.Errorf("services: %+v; notes %q", ports, result.Notes)
	}
	if fickle.Load() < 2 {
		t.Error("the fickle port was looked at once")
	}
}

// A host that takes too long is asked with few probes, and holds nobody up.
func TestServicesTarpit(t *testing.T) {
	t.Parallel()
	lab.Listen(t, endpoint("127.72.2.1", tcp(2201), lab.SSH()), endpoint("127.72.2.2", tcp(2201), lab.SSH()))
	serve(t, "127.72.2.2:2202", func(_ int64, conn net.Conn) { // one byte a second
		for {
			if _, err := conn.Write([]byte{'x'}); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	})
	s := newScanner(t, Options{})
	s.tarpit = 3 * time.Second
	shard := servicesShard(t, "127.72.2.1", tcp(2201))
	shard.Hosts = append(shard.Hosts, servicesShard(t, "127.72.2.2", tcp(2201), tcp(2202)).Hosts...)
	defer within(t, 20*time.Second, "service detection of a tarpit")()
	hosts, result := detected(t, s, shard)
	if h := hosts[netip.MustParseAddr("127.72.2.1")]; len(h.Ports) != 1 || h.Ports[0].Service.Product != "OpenSSH" {
		t.Errorf("the host beside: %+v", h)
	}
	if len(hosts) != 1 || len(result.Notes) != 1 || !strings.Contains(result.Notes[0], "1 host took too long") {
		t.Errorf("%d hosts, notes %q", len(hosts), result.Notes)
	}
}

// A port that nmap did not see, since its packets were lost, is asked once more in
// the same shard; of what it never sees nothing is told.
func TestServicesLost(t *testing.T) {
	t.Parallel()
	scan := func(port, service string) string {
		return xmlProlog + `<nmaprun scanner="nmap" args="nmap" start="1700000000" version="7.93" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="3" services="22,80,443"/>
<host><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/><ports>
<port protocol="tcp" portid="` + port + `"><state state="open" reason="syn-ack"/><service name="` + service + `" method="probed" conf="10"/></port>
</ports></host><runstats><finished time="1700000001" elapsed="1" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>`
	}
	fake := lab.NewFakeNmap(t, fakeAnswers, map[string]string{"scan-1.xml": scan("22", "ssh"), "scan-2.xml": scan("80", "http")})
	hosts, result := detected(t, newScanner(t, Options{Binary: fake.Path}), servicesShard(t, "192.0.2.1", tcp(22), tcp(80), tcp(443)))
	ports := hosts[netip.MustParseAddr("192.0.2.1")].Ports
	if len(ports) != 2 || ports[0].Service.Name != "ssh" || ports[1].Service.Name != "http" {
		t.Errorf("services: %+v; notes %q", ports, result.Notes)
	}
	if calls := len(fake.Calls(t)); calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

// Nobody asks fragile hosts, and a broken nmap changes nothing.
func TestServicesLeftOut(t *testing.T) {
	t.Parallel()
	fake := lab.NewFakeNmap(t, `echo garbage`, nil)
	s := newScanner(t, Options{Binary: fake.Path})
	shard := servicesShard(t, "192.0.2.1", tcp(22))
	if hosts, result := detected(t, s, shard); len(hosts) > 0 || len(result.Notes) == 0 {
		t.Errorf("broken nmap: %+v, notes %q", hosts, result.Notes)
	}
	before := len(fake.Calls(t))
	shard.Limits.Fragile = true
	if hosts, _ := detected(t, s, shard); len(hosts) > 0 || len(fake.Calls(t)) != before {
		t.Errorf("fragile: %+v, %d calls", hosts, len(fake.Calls(t))-before)
	}
}

func TestServicesArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		slow bool
		rate int
		want []string
	}{
		{false, 500, []string{"-sV", "--version-intensity 7", "--max-parallelism 4", "--min-parallelism 4", "--max-rate 238", "--script ssl-cert,http-title"}},
		{true, 20000, []string{"--version-intensity 2", "--max-parallelism 100", "--max-rate 2375"}},
	} {
		fake := lab.NewFakeNmap(t, `:`, nil)
		var many []state.Port
		for n := range uint16(200) {
			many = append(many, tcp(n+1))
		}
		shard := servicesShard(t, "192.0.2.1", many...)
		shard.Slow, shard.Profile.Scripts = c.slow, []string{"ssl-cert", "http-title"}
		_, _ = detected(t, newScanner(t, Options{Binary: fake.Path, Rate: c.rate}), shard)
		text := strings.ReplaceAll(strings.Join(fake.Calls(t)[0], " "), "=", " ")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in %s", want, text)
			}
		}
	}
}
