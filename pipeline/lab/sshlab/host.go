package sshlab

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// prepare writes the files of a host and returns its public key.
func (h *Host) prepare(o Options) (key string, err error) {
	home := filepath.Join(h.dir, "home")
	if err := os.MkdirAll(home, 0o755); err != nil { //nolint:gosec // another user's home
		return "", err
	}
	if err := os.Chown(home, 1234, 1234); err != nil {
		return "", err
	}
	if key, err = writeKey(filepath.Join(h.dir, "host_key")); err != nil {
		return "", err
	}
	shell := o.Shell
	if shell == "" {
		shell = "/bin/sh"
	}
	sudoers := "Defaults !requiretty, !lecture\nroot ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n"
	if o.Sudo {
		sudoers += User + " ALL=(root) NOPASSWD: ALL\n"
	}
	services := ""
	if o.Services {
		services = "perl " + h.dir + "/services &\n"
	}
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return "", err
	}
	shadow, err := os.ReadFile("/etc/shadow")
	if err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		"passwd":          string(passwd) + fmt.Sprintf("%s:x:1234:1234::%s:%s\n", User, home, shell),
		"shadow":          string(shadow) + User + ":*:19000:0:99999:7:::\n",
		"sudoers":         sudoers,
		"authorized_keys": h.farm.public,
		"services":        services5,
		"sshd_config": o.Config + `
Port 22
HostKey ` + h.dir + `/host_key
AuthorizedKeysFile ` + h.dir + `/authorized_keys
PidFile none
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
StrictModes no
MaxStartups 200
LogLevel ERROR
`,
		"init": `set -e
mount --make-rprivate /
mount -t proc none /proc
mount -t tmpfs none /run
mkdir -p /run/sshd /run/over
for d in etc usr; do
	mkdir /run/over/$d /run/over/$d.work
	mount -t overlay none -o lowerdir=/$d,upperdir=/run/over/$d,workdir=/run/over/$d.work /$d
done
for f in passwd shadow sudoers; do cp ` + h.dir + `/$f /etc/$f; done
chmod 440 /etc/sudoers
read -r address
ip link set lo up
ip address add $address dev eth0
ip link set eth0 up
` + o.Init + `
` + services + `cp ` + h.dir + `/sshd_config /etc/ssh/sshd_config
/usr/sbin/sshd
echo ready
exec sleep 100000
`,
	} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return key, nil
}

// services5 is a program with five listening sockets: with the two of sshd they
// make seven.
const services5 = `use Socket qw(:all);
sub in { my ($family, $type, $port, $address, $only) = @_;
	socket(my $s, $family, $type, 0) or die "socket: $!";
	setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
	setsockopt($s, Socket::IPPROTO_IPV6(), Socket::IPV6_V6ONLY(), $only) if $family == Socket::AF_INET6();
	bind($s, $family == AF_INET ? pack_sockaddr_in($port, $address) : Socket::pack_sockaddr_in6($port, $address)) or die "bind $port: $!";
	listen($s, 8) if $type == SOCK_STREAM;
	return $s;
}
my $six = Socket::IN6ADDR_ANY();
my @all = (in(AF_INET, SOCK_STREAM, 80, INADDR_ANY, 0), in(AF_INET, SOCK_STREAM, 6379, INADDR_LOOPBACK, 0), in(AF_INET, SOCK_DGRAM, 53, INADDR_ANY, 0),
	in(Socket::AF_INET6(), SOCK_STREAM, 8080, $six, 0), in(Socket::AF_INET6(), SOCK_STREAM, 8443, $six, 1));
sleep 100000;
`

// begin starts the host's first process in namespaces of its own, connects it to
// the farm's network and waits until its sshd answers.
func (h *Host) begin(ctx context.Context, keeper *keeper, number int) error {
	cmd := exec.Command("/bin/sh", filepath.Join(h.dir, "init")) //nolint:noctx // the keeper ends it, by its number
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS, Pdeathsig: syscall.SIGKILL,
	}
	var fault bytes.Buffer
	cmd.Stderr = &fault
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := keeper.start(cmd); err != nil {
		return err
	}
	h.init = cmd.Process.Pid
	veth := fmt.Sprintf("%s.%d", h.farm.wire, number)
	for _, args := range [][]string{
		{"link", "add", veth, "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(h.init)},
		{"link", "set", veth, "master", h.farm.bridge, "up"},
	} {
		if text, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, text)
		}
	}
	fmt.Fprintln(in, netip.PrefixFrom(h.Address, h.farm.prefix.Bits()))
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		return fmt.Errorf("its init said %q, %w; %s", line, err, fault.String())
	}
	return h.answers(ctx)
}

// answers waits until sshd greets.
func (h *Host) answers(ctx context.Context) error {
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", netip.AddrPortFrom(h.Address, 22).String())
		if err == nil {
			deadline, _ := ctx.Deadline()
			_ = conn.SetDeadline(deadline)
			greeting := make([]byte, 4)
			_, err = conn.Read(greeting)
			_ = conn.Close()
			if err == nil && string(greeting) == "SSH-" {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("sshd does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Process is the first process of the host, as this machine counts: nsenter(1) gets in by it.
func (h *Host) Process() int { return h.init }

// Exec runs shell commands as root inside the host and returns what they print.
func (h *Host) Exec(tb testing.TB, script string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "nsenter", "-t", strconv.Itoa(h.init), "-a", "/bin/sh", "-c", script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}
