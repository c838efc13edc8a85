package listing

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/procfs"

	"ownmap/pipeline/state"
)

// text says what sockets are, one a line: "80/tcp 0.0.0.0 uid=33 inode=7 pid=1 nginx".
func text(sockets []Socket) string {
	var b strings.Builder
	for _, s := range sockets {
		fmt.Fprintf(&b, "%s %s", s.Port, s.Bind)
		if s.OnlyV6 {
			b.WriteString(" v6only")
		}
		if s.UID >= 0 {
			fmt.Fprintf(&b, " uid=%d", s.UID)
		}
		if s.Inode != 0 {
			fmt.Fprintf(&b, " inode=%d", s.Inode)
		}
		if s.User != "" {
			fmt.Fprintf(&b, " user=%s", s.User)
		}
		if s.PID != 0 {
			fmt.Fprintf(&b, " pid=%d %s", s.PID, s.Name)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// same fails the test unless a parser makes these lines of a text.
func same(t *testing.T, name string, sockets []Socket, bad, wantBad int, want string) {
	t.Helper()
	if got := strings.TrimSpace(text(sockets)); got != strings.TrimSpace(want) || bad != wantBad {
		t.Errorf("%s, %d bad (want %d):\n%s\nwant:\n%s", name, bad, wantBad, got, want)
	}
}

func TestProcNet(t *testing.T) {
	t.Parallel()
	const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   112        0 21347 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18034 1 0000000000000000 100 0 0 10 0
   2: 0700000A:0016 0900000A:C3A2 01 00000000:00000000 02:000A7214 00000000     0        0 39812 4 0000000000000000 20 4 29 10 -1
   3: garbage
`
	sockets, bad := ProcNet(state.TCP, []byte(tcp))
	same(t, "tcp", sockets, bad, 1, "6379/tcp 127.0.0.1 uid=112 inode=21347\n22/tcp 0.0.0.0 uid=0 inode=18034")
	const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 55 1 0000000000000000 100 0 0 10 0
   1: B80D0120000000000000000007000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 56 1 0000000000000000 100 0 0 10 0
   2: 0000000000000000FFFF00000700000A:0019 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 57 1 0000000000000000 100 0 0 10 0
`
	sockets, bad = ProcNet(state.TCP, []byte(tcp6))
	same(t, "tcp6", sockets, bad, 0, "8080/tcp :: uid=33 inode=55\n443/tcp 2001:db8::7 uid=33 inode=56\n25/tcp 10.0.0.7 uid=0 inode=57")
	const udp = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  100: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 900 2 0000000000000000 0
  101: 0700000A:9C40 08080808:0035 01 00000000:00000000 00:00000000 00000000   101        0 901 2 0000000000000000 0
  102: 00000000:0000 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 902 2 0000000000000000 0
`
	sockets, bad = ProcNet(state.UDP, []byte(udp))
	same(t, "udp", sockets, bad, 0, "53/udp 0.0.0.0 uid=101 inode=900")
	big := strings.ReplaceAll(tcp, "0100007F", "7F000001")
	sockets, _ = ProcNetOrder(state.TCP, binary.BigEndian, []byte(big))
	same(t, "big-endian", sockets[:1], 0, 0, "6379/tcp 127.0.0.1 uid=112 inode=21347")
}

func TestTools(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		parse func([]byte) ([]Socket, int)
		bad   int
		text  string
		want  string
	}{
		{"ss", SS, 1, `udp   UNCONN 0      0          0.0.0.0%eth0:68         0.0.0.0:*    ino:11 sk:1 cgroup:/system.slice/x.service <->
udp   UNCONN 0      0      [fe80::1]%eth0:546            [::]:*    uid:100 ino:12 sk:2 v6only:1 <->
tcp   LISTEN 0      128           0.0.0.0:22           0.0.0.0:*    ino:13 sk:3 <->
tcp   LISTEN 0      511                 *:8080               *:*    uid:33 ino:14 sk:4 v6only:0 <->
tcp   LISTEN 0      511              [::]:443             [::]:*    uid:33 ino:15 sk:5 v6only:1 <->
tcp   ESTAB  0      0          10.0.0.7:22           10.0.0.9:50082 ino:16 sk:6 <->
tcp   LISTEN 0      511              nonsense            [::]:*    uid:33
`, `68/udp 0.0.0.0 uid=0 inode=11
546/udp fe80::1%eth0 v6only uid=100 inode=12
22/tcp 0.0.0.0 uid=0 inode=13
8080/tcp :: uid=33 inode=14
443/tcp :: v6only uid=33 inode=15`},
		{"net-tools", Netstat, 0, `Active Internet connections (only servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        0      0 127.0.0.1:5432          0.0.0.0:*               LISTEN      812/postgres
tcp6       0      0 :::80                   :::*                    LISTEN      -
tcp        0      0 10.0.0.7:22             10.0.0.9:50082          ESTABLISHED 99/sshd
udp        0      0 0.0.0.0:68              0.0.0.0:*                           501/dhclient
udp        0      0 10.0.0.7:45000          8.8.8.8:53              ESTABLISHED 502/x
`, "5432/tcp 127.0.0.1 pid=812 postgres\n80/tcp ::\n68/udp 0.0.0.0 pid=501 dhclient"},
		{"BusyBox", Netstat, 0, `Active Internet connections (only servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State
tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN
tcp        0      0 :::22                   :::*                    LISTEN
udp        0      0 0.0.0.0:67              0.0.0.0:*
`, "22/tcp 0.0.0.0\n22/tcp ::\n67/udp 0.0.0.0"},
		{"macOS", BSDNetstat, 0, `Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp46      0      0  *.8080                 *.*                    LISTEN
tcp4       0      0  127.0.0.1.631          *.*                    LISTEN
tcp6       0      0  ::1.631                *.*                    LISTEN
tcp4       0      0  10.0.0.7.50111         10.0.0.9.443           ESTABLISHED
udp6       0      0  fe80::1%lo0.123        *.*
udp4       0      0  *.*                    *.*
`, "8080/tcp ::\n631/tcp 127.0.0.1\n631/tcp ::1\n123/udp fe80::1%lo0"},
		{"sockstat", Sockstat, 0, `USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS
root     sshd       829   4  tcp6   *:22                  *:*
www      nginx: mas 900   6  tcp4   10.0.0.7:80           *:*
_ntp     ntpd       700   20 udp4   127.0.0.1:123         *:*
`, "22/tcp :: user=root pid=829 sshd\n80/tcp 10.0.0.7 user=www pid=900 nginx: mas\n123/udp 127.0.0.1 user=_ntp pid=700 ntpd"},
		{
			"lsof", Lsof, 0, "p501\ncrapportd\nu501\nLada\nf4\ntIPv4\nPTCP\nn*:49152\nTST=LISTEN\nf5\ntIPv6\nPTCP\nn[::1]:631\np88\ncmDNSResp\nu65\nL_mdns\nf7\ntIPv4\nPUDP\nn*:5353\nn10.0.0.7:5000->10.0.0.9:1\n",
			"49152/tcp 0.0.0.0 uid=501 user=ada pid=501 rapportd\n631/tcp ::1 uid=501 user=ada pid=501 rapportd\n5353/udp 0.0.0.0 uid=65 user=_mdns pid=88 mDNSResp",
		},
		{
			"Windows in German", WindowsNetstat, 0, "\r\nAktive Verbindungen\r\n\r\n  Proto  Lokale Adresse         Remoteadresse          Status           PID\r\n" +
				"  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         1012\r\n  TCP    10.0.0.7:139           0.0.0.0:0              ABHÖREN         4\r\n" +
				"  TCP    10.0.0.7:50000         10.0.0.9:443           HERGESTELLT     77\r\n  TCP    [::]:135               [::]:0                 ABHÖREN         1012\r\n  UDP    0.0.0.0:500            *:*                                    3040\r\n",
			"135/tcp 0.0.0.0 pid=1012 \n139/tcp 10.0.0.7 pid=4 \n135/tcp :: v6only pid=1012 \n500/udp 0.0.0.0 pid=3040",
		},
		{"a forged name", Sockstat, 0, "root x\x1b[2J 1 4 tcp4 *:31337 *:*\n", `31337/tcp 0.0.0.0 user=root pid=1 x\x1b[2J`},
	} {
		sockets, bad := tc.parse([]byte(tc.text))
		same(t, tc.name, sockets, bad, tc.bad, tc.want)
	}
}

func TestMappings(t *testing.T) {
	t.Parallel()
	say := func(list []state.Mapping) string {
		var parts []string
		for _, m := range list {
			address := ""
			if m.Address.IsValid() {
				address = m.Address.String() + " "
			}
			parts = append(parts, address+m.Port.String()+" to "+m.To+" via "+m.Via)
		}
		return strings.Join(parts, "; ")
	}
	for _, tc := range []struct {
		name string
		list []state.Mapping
		want string
	}{
		{"iptables", IPTables([]byte(`*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A PREROUTING -d 10.0.0.7/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.1.0.2:443
-A PREROUTING -p tcp -m multiport --dports 80,8000:8001 -j REDIRECT --to-ports 3128
-A OUTPUT -p tcp --dport 99 -j DNAT --to-destination 10.1.0.9
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A ELSEWHERE -p tcp --dport 98 -j DNAT --to-destination 10.1.0.9
COMMIT`)), "10.0.0.7 8443/tcp to 10.1.0.2:443 via iptables; 80/tcp to port 3128 via iptables; 8000/tcp to port 3128 via iptables; 8001/tcp to port 3128 via iptables; 8080/tcp to 172.17.0.2:80 via iptables"},
		{"nftables", NFT([]byte(`table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 80 dnat to 10.0.0.2:8080
		ip daddr 10.0.0.7 tcp dport { 81, 443 } counter packets 0 bytes 0 dnat ip to 10.0.0.2
		udp dport 53 redirect to :5353
		tcp dport 22 accept
	}
}`)), "80/tcp to 10.0.0.2:8080 via nftables; 10.0.0.7 81/tcp to 10.0.0.2 via nftables; 10.0.0.7 443/tcp to 10.0.0.2 via nftables; 53/udp to port 5353 via nftables"},
		{
			"docker", Containers("docker", []byte("web\tnginx:1.27\t0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 9000/tcp\ndb\tpostgres\t127.0.0.1:5000-5001->5000-5001/tcp\n")),
			"8080/tcp to port 80 of nginx:1.27 via docker:web; 8080/tcp to port 80 of nginx:1.27 via docker:web; 127.0.0.1 5000/tcp to port 5000-5001 of postgres via docker:db; 127.0.0.1 5001/tcp to port 5000-5001 of postgres via docker:db",
		},
	} {
		if got := say(tc.list); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestThisMachine holds that the kernel's tables, ss, both kinds of netstat and the
// procfs library tell the same of listeners that are really there.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	var open []string
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		p, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		open = append(open, l.Addr().String()+"/tcp", p.LocalAddr().String()+"/udp")
	}
	fs, dir := tableCopies(t)
	var kernel []Socket
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6"} {
		content, err := os.ReadFile(filepath.Join(dir, "net", name))
		if err != nil {
			t.Fatal(err)
		}
		sockets, bad := ProcNet(state.Protocol(name[:3]), content)
		if bad > 0 {
			t.Errorf("%s: %d rows not understood", name, bad)
		}
		kernel = append(kernel, sockets...)
	}
	if got, want := identities(kernel), oracle(t, fs); !slices.Equal(got, want) {
		t.Errorf("the kernel's tables:\n%v\nthe procfs library:\n%v", got, want)
	}
	for tool, sockets := range map[string][]Socket{
		"/proc/net": kernel,
		"ss":        toolSays(t, SS, "ss", "-H", "-tulne"),
		"netstat":   toolSays(t, Netstat, "netstat", "-tuln"),
		"busybox":   toolSays(t, Netstat, "busybox", "netstat", "-tuln"),
	} {
		var found []string
		for _, s := range sockets {
			found = append(found, netip.AddrPortFrom(s.Bind, s.Port.Number).String()+"/"+string(s.Port.Protocol))
		}
		for _, address := range open {
			if !slices.Contains(found, address) {
				t.Errorf("%s does not show %s: %v", tool, address, found)
			}
		}
	}
}

// tableCopies copies the tables, so that all readers get the same bytes.
func tableCopies(t *testing.T) (procfs.FS, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "net"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6"} {
		content, err := os.ReadFile("/proc/net/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "net", name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fs, err := procfs.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	return fs, dir
}

func identities(sockets []Socket) []string {
	list := make([]string, 0, len(sockets))
	for _, s := range sockets {
		list = append(list, fmt.Sprintf("%s %s %d %d", s.Port, s.Bind, s.UID, s.Inode))
	}
	slices.Sort(list)
	return list
}

// oracle is what the procfs library makes of the tables.
func oracle(t *testing.T, fs procfs.FS) []string {
	t.Helper()
	var list []string
	add := func(protocol string, ip net.IP, port, uid, inode uint64) {
		bind, _ := netip.AddrFromSlice(ip)
		list = append(list, fmt.Sprintf("%d/%s %s %d %d", port, protocol, bind.Unmap(), uid, inode))
	}
	for _, read := range []func() (procfs.NetTCP, error){fs.NetTCP, fs.NetTCP6} { //nolint:staticcheck // slow for its own users, and a good judge
		rows, err := read()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.St == 10 {
				add("tcp", r.LocalAddr, r.LocalPort, r.UID, r.Inode)
			}
		}
	}
	for _, read := range []func() (procfs.NetUDP, error){fs.NetUDP, fs.NetUDP6} {
		rows, err := read()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.St == 7 && r.RemPort == 0 && r.LocalPort != 0 {
				add("udp", r.LocalAddr, r.LocalPort, r.UID, r.Inode)
			}
		}
	}
	slices.Sort(list)
	return list
}

func toolSays(t *testing.T, parse func([]byte) ([]Socket, int), command ...string) []Socket {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).Output()
	if err != nil {
		t.Fatalf("%v: %v", command, err)
	}
	sockets, bad := parse(out)
	if bad > 0 {
		t.Errorf("%v: %d rows not understood of\n%s", command, bad, out)
	}
	return sockets
}

func TestLocalAddresses(t *testing.T) {
	t.Parallel()
	trie, err := os.ReadFile("/proc/net/fib_trie")
	if err != nil {
		t.Fatal(err)
	}
	six, err := os.ReadFile("/proc/net/if_inet6")
	if err != nil {
		t.Fatal(err)
	}
	got := LocalAddresses(trie, six)
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && !slices.Contains(got, prefix.Addr()) {
			t.Errorf("%s is not among %v", prefix.Addr(), got)
		}
	}
	if !slices.Contains(got, netip.MustParseAddr("127.0.0.1")) || bytes.Contains(trie, []byte("0.0.0.0/0")) && slices.Contains(got, netip.MustParseAddr("0.0.0.0")) {
		t.Errorf("addresses %v", got)
	}
}
