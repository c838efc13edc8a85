package netlab_test

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/lab/netlab"
)

// run runs a command at the first scanner and returns what it printed.
func run(t *testing.T, l *netlab.Lab, name string, args ...string) string {
	t.Helper()
	out, err := l.Command(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// scan returns the open ports that nmap sees, with the product that it names.
func scan(t *testing.T, l *netlab.Lab, args ...string) map[netip.AddrPort]string {
	t.Helper()
	seen := map[netip.AddrPort]string{}
	out := run(t, l, "nmap", append([]string{"-n", "-Pn", "-sS", "-T4", "-oG", "-"}, args...)...)
	for line := range strings.Lines(out) {
		address, ports, found := strings.Cut(line, "Ports: ")
		ports, _, _ = strings.Cut(ports, "\t")
		if !found {
			continue
		}
		at := netip.MustParseAddr(strings.Fields(address)[1])
		for entry := range strings.SplitSeq(ports, ", ") {
			if fields := strings.Split(entry, "/"); len(fields) > 6 && fields[1] == "open" {
				port, err := strconv.ParseUint(fields[0], 10, 16)
				if err != nil {
					t.Fatal(err)
				}
				seen[netip.AddrPortFrom(at, uint16(port))] = fields[6]
			}
		}
	}
	return seen
}

// truth is what scan has to return.
func truth(l *netlab.Lab, products bool) map[netip.AddrPort]string {
	want := map[netip.AddrPort]string{}
	for at, service := range l.Truth() {
		want[at] = ""
		if products {
			want[at] = service.Product
		}
	}
	return want
}

func host(last byte, ports map[uint16]netlab.Service) netlab.Host {
	return netlab.Host{Address: netip.AddrFrom4([4]byte{10, 77, 0, last}), Ports: ports}
}

func TestNmapSeesTheTruth(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]bool{"refused": false, "dropped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			common := []uint16{21, 22, 25, 80, 110, 143, 443, 3306, 6379, 8080}
			l := netlab.Start(t, netlab.Options{Hosts: netlab.Network(1, 16, common), Wire: netlab.Wire{RTT: 2 * time.Millisecond, Drop: drop}})
			if open := len(l.Truth()); open < 16*3 {
				t.Fatalf("only %d open ports on 16 hosts", open)
			}
			ports := []string{"1-100"}
			for at := range l.Truth() {
				ports = append(ports, strconv.Itoa(int(at.Port())))
			}
			seen := scan(t, l, "-p", strings.Join(ports, ","), "10.77.0.0-17") // 16 hosts and two addresses without one
			if diff := cmp.Diff(truth(l, false), seen); diff != "" {
				t.Errorf("truth and nmap (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNmapSeesChanges(t *testing.T) {
	t.Parallel()
	l := netlab.Start(t, netlab.Options{Hosts: []netlab.Host{host(1, map[uint16]netlab.Service{22: {}, 80: {}}), host(2, map[uint16]netlab.Service{22: {}})}})
	at := netip.MustParseAddr("10.77.0.1")
	l.Shut(netip.AddrPortFrom(at, 80))
	for _, opened := range []string{"10.77.0.1:443", "10.77.0.3:25"} {
		if err := l.Open(netip.MustParseAddrPort(opened), netlab.Service{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Silence(netip.MustParseAddr("10.77.0.2"), true); err != nil {
		t.Fatal(err)
	}
	want := map[netip.AddrPort]string{netip.MustParseAddrPort("10.77.0.1:22"): "", netip.MustParseAddrPort("10.77.0.1:443"): "", netip.MustParseAddrPort("10.77.0.3:25"): ""}
	if diff := cmp.Diff(want, truth(l, false)); diff != "" {
		t.Errorf("truth (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, scan(t, l, "-p22,25,80,443", "10.77.0.1-4")); diff != "" {
		t.Errorf("nmap (-want +got):\n%s", diff)
	}
	if err := l.Open(netip.MustParseAddrPort("10.78.0.1:22"), netlab.Service{}); err == nil {
		t.Error("a host outside of the prefix was made")
	}
}

func TestNmapNamesTheServices(t *testing.T) {
	t.Parallel()
	all := netlab.Services()
	l := netlab.Start(t, netlab.Options{
		Hosts: []netlab.Host{host(1, map[uint16]netlab.Service{21: all["ftp"], 22: all["ssh"], 25: all["smtp"], 80: all["http"], 3306: all["mysql"], 6379: all["redis"]})},
		Wire:  netlab.Wire{RTT: 5 * time.Millisecond, Loss: 0.03}, // connections get over losses
	})
	seen := scan(t, l, "-sV", "-p21,22,25,80,3306,6379", "10.77.0.1")
	for at, product := range truth(l, true) {
		if !strings.HasPrefix(seen[at], product) {
			t.Errorf("%s: %q instead of %q", at, seen[at], product)
		}
	}
	if packets := l.Packets(); packets.Lost == 0 {
		t.Errorf("nothing was lost of %+v", packets)
	}
}

func TestPortspoof(t *testing.T) {
	t.Parallel()
	spoof := netlab.Services()["ssh"]
	h := host(1, nil)
	h.Spoof = &spoof
	l := netlab.Start(t, netlab.Options{Hosts: []netlab.Host{h}})
	if seen := scan(t, l, "-p-", "10.77.0.1"); len(seen) != 65535 {
		t.Errorf("%d ports open", len(seen))
	}
}

// ping sends n pings and returns the least and the most round-trip time and how many were answered.
func ping(t *testing.T, l *netlab.Lab, n int, delay, address string) (least, most time.Duration, answered int) {
	t.Helper()
	out := run(t, l, "nping", "--icmp", "-q", "-c", strconv.Itoa(n), "--delay", delay, address)
	times := regexp.MustCompile(`Max rtt: ([\d.]+)ms \| Min rtt: ([\d.]+)ms`).FindStringSubmatch(out)
	counts := regexp.MustCompile(`Rcvd: (\d+)`).FindStringSubmatch(out)
	if counts == nil {
		t.Fatalf("what nping says: %s", out)
	}
	answered, _ = strconv.Atoi(counts[1])
	if times != nil {
		most, _ = time.ParseDuration(times[1] + "ms")
		least, _ = time.ParseDuration(times[2] + "ms")
	}
	return least, most, answered
}

func TestRTT(t *testing.T) {
	t.Parallel()
	want := 40 * time.Millisecond
	l := netlab.Start(t, netlab.Options{Hosts: []netlab.Host{host(1, nil)}, Wire: netlab.Wire{RTT: want}})
	for _, address := range []string{"10.77.0.1", netlab.Gateway(0).String()} {
		// nping looks at its own clock only now and then: on a busy machine some pings seem shorter than they are.
		if least, most, _ := ping(t, l, 10, "100ms", address); most < want-5*time.Millisecond || least > want+10*time.Millisecond {
			t.Errorf("%s: %s to %s instead of %s", address, least, most, want)
		}
	}
}

func TestLossAndCount(t *testing.T) {
	t.Parallel()
	const n = 4000
	l := netlab.Start(t, netlab.Options{Hosts: []netlab.Host{host(1, nil)}, Wire: netlab.Wire{Loss: 0.05}})
	_, _, answered := ping(t, l, n, "0", "10.77.0.1")
	got := l.Packets()
	if got.Received != n || got.Probes != n || got.Overrun != 0 {
		t.Errorf("%d packets were sent, counted %+v", n, got)
	}
	if got.Answers+got.Lost != n || answered > int(got.Answers) {
		t.Errorf("%d were answered of %+v", answered, got)
	}
	if got.Lost < n*35/1000 || got.Lost > n*65/1000 {
		t.Errorf("lost %d of %d instead of 5 %%", got.Lost, n)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	const n = 1000
	l := netlab.Start(t, netlab.Options{Hosts: []netlab.Host{host(1, nil)}})
	ping(t, l, n, "1ms", "10.77.0.1")
	if got := l.Packets(); got.Crowded != 0 || got.Answers != n {
		t.Errorf("%d packets were sent without a limit: %+v", n, got)
	}
	start := time.Now()
	l.Throttle(400)
	ping(t, l, n, "1ms", "10.77.0.1")
	took, got := time.Since(start), l.Packets()
	carried := 2*n - got.Crowded - n
	if most := int64(400*took.Seconds()) + 400/20 + 1; got.Received != 2*n || carried > most || carried < 400 {
		t.Errorf("carried %d, at most %d would be right: %+v", carried, most, got)
	}
}

func TestGatewayCanBeSilenced(t *testing.T) {
	t.Parallel()
	l := netlab.Start(t, netlab.Options{})
	for _, down := range []bool{false, true, false} {
		if err := l.Silence(netlab.Gateway(0), down); err != nil {
			t.Fatal(err)
		}
		out := run(t, l, "nmap", "-n", "-sn", netlab.Gateway(0).String())
		if up := strings.Contains(out, "Host is up"); up == down {
			t.Errorf("silenced: %t, and nmap says %s", down, out)
		}
	}
}

func TestScannersApart(t *testing.T) {
	t.Parallel()
	l := netlab.Start(t, netlab.Options{Hosts: []netlab.Host{host(1, map[uint16]netlab.Service{22: netlab.Services()["ssh"]})}, Scanners: 3})
	for i := range 3 {
		out, err := l.CommandAt(t.Context(), i, "bash", "-c", "exec 3<>/dev/tcp/10.77.0.1/22; read -r line <&3; echo $line; hostname -I").CombinedOutput()
		if want := fmt.Sprintf("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3 10.99.%d.1", i); err != nil || strings.Join(strings.Fields(string(out)), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("scanner %d: %v %q, want %q", i, err, out, want)
		}
	}
}

// TestNothingIsLeft kills a program with a lab: what it ran at a scanner dies with it, and without a name or a
// process nothing holds the namespaces.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), "NETLAB_TO_BE_KILLED=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	child, bad := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || bad != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the command does not run: %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d/fd", child)); os.IsNotExist(err) {
			break
		}
		if stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child)); strings.Contains(string(stat), ") Z ") {
			break // dead, and whoever inherited it has not asked yet
		}
		if time.Now().After(deadline) {
			t.Fatal("the command outlives the program that made the lab")
		}
	}
}

func TestMain(m *testing.M) {
	if os.Getenv("NETLAB_TO_BE_KILLED") == "" {
		os.Exit(m.Run())
	}
	l, err := netlab.New(context.Background(), netlab.Options{})
	if err != nil {
		panic(err)
	}
	cmd := l.Command(context.Background(), "sleep", "60")
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	fmt.Println(cmd.Process.Pid)
	_ = cmd.Wait()
}

// BenchmarkSYN tells how many probes a second one nmap sends through the lab, and whether the lab answered all.
func BenchmarkSYN(b *testing.B) {
	for _, rate := range []int{50_000, 100_000, 150_000} {
		b.Run(strconv.Itoa(rate), func(b *testing.B) {
			l := netlab.Start(b, netlab.Options{Hosts: netlab.Network(1, 256, []uint16{22, 80, 443, 8080}), Wire: netlab.Wire{RTT: 5 * time.Millisecond}})
			for b.Loop() {
				cmd := l.Command(b.Context(), "nmap", "-n", "-Pn", "-sS", "-T4", "-p1-1000", "--max-retries", "2", "--min-hostgroup", "256", "--min-rate", strconv.Itoa(rate), "10.77.0.0/24")
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
			got := l.Packets()
			b.ReportMetric(float64(got.Received)/b.Elapsed().Seconds(), "packets/s")
			b.ReportMetric(float64(got.Peak), "peak/s")
			b.ReportMetric(float64(got.Overrun), "overrun")
		})
	}
}
