// Package sshlab makes hosts to look inside, for tests and benchmarks: real sshd in
// network, PID and mount namespaces of their own, and peers that only pretend to be
// one. It needs root and a Linux machine.
package sshlab

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"
)

// User is the user of every host who may log in with the farm's key and use sudo,
// if the host lets anybody.
const User = "ownmap"

// Options say what a host is like.
type Options struct {
	Address  netip.Addr // in the farm's network; zero: the next one
	Services bool       // seven listening sockets, those of sshd among them
	Sudo     bool       // User may run anything as root
	Config   string     // more lines for sshd_config(5), before the lab's own
	Shell    string     // of User; empty: /bin/sh
	Init     string     // shell commands, run as root when the host begins
}

// Farm is hosts on one network.
type Farm struct {
	Hosts      []*Host
	KeyFile    string // private key of the client
	KnownHosts string // file that knows every host

	dir    string
	prefix netip.Prefix
	bridge string
	wire   string // what the names of its cables begin with
	public string
}

// Host is one host of a farm.
type Host struct {
	Address netip.Addr // sshd listens on port 22 of it

	farm *Farm
	dir  string
	init int // its first process, as this machine counts
}

// startTime is how long a farm may take to begin.
const startTime = time.Minute

// Start begins a farm with a host for each of the options, on a network that no other farm
// has. The test ends it.
func Start(tb testing.TB, options ...Options) *Farm {
	tb.Helper()
	return StartIn(tb, netip.Prefix{}, options...)
}

// StartIn is Start on this network, whose first address is ours; a zero one is any that is free.
func StartIn(tb testing.TB, network netip.Prefix, options ...Options) *Farm {
	tb.Helper()
	f := &Farm{dir: tb.TempDir(), prefix: network}
	for dir := f.dir; strings.Contains(dir, tb.Name()) || dir == f.dir; dir = filepath.Dir(dir) {
		_ = os.Chmod(dir, 0o755) //nolint:gosec // the user of the hosts has to get at their home
	}
	var word [3]byte
	_, _ = rand.Read(word[:])            // never fails
	f.wire = fmt.Sprintf("v%x", word[:]) // those of a farm that has just ended may still be there
	f.network(tb)
	f.keys(tb)
	f.Hosts = make([]*Host, len(options))
	keeper := newKeeper(tb)
	ctx, cancel := context.WithTimeout(tb.Context(), startTime)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	var known sync.Mutex
	var lines strings.Builder
	for i, o := range options {
		group.Go(func() error {
			h := &Host{farm: f, dir: filepath.Join(f.dir, strconv.Itoa(i)), Address: o.Address}
			if !o.Address.IsValid() {
				network := f.prefix.Addr().As4()
				h.Address = netip.AddrFrom4([4]byte{network[0], network[1], byte((i + 2) / 250), byte(2 + (i+2)%250)})
			}
			key, err := h.prepare(o)
			if err != nil {
				return err
			}
			if err := h.begin(ctx, keeper, i); err != nil {
				return fmt.Errorf("host %d: %w", i, err)
			}
			known.Lock()
			defer known.Unlock()
			f.Hosts[i] = h
			fmt.Fprintf(&lines, "%s %s", h.Address, key)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		tb.Fatal(err)
	}
	f.KnownHosts = filepath.Join(f.dir, "known_hosts")
	if err := os.WriteFile(f.KnownHosts, []byte(lines.String()), 0o644); err != nil {
		tb.Fatal(err)
	}
	return f
}

// network makes a bridge of the farm's own, with the first address of its network.
func (f *Farm) network(tb testing.TB) {
	tb.Helper()
	for n := 64; n < 128; n++ {
		f.bridge = fmt.Sprintf("omssh%d", n)
		if exec.CommandContext(tb.Context(), "ip", "link", "add", f.bridge, "type", "bridge").Run() != nil {
			continue // another farm has it
		}
		tb.Cleanup(func() { run(tb, context.WithoutCancel(tb.Context()), "ip", "link", "del", f.bridge) })
		if !f.prefix.IsValid() {
			f.prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n), 0, 0}), 16)
		}
		run(tb, tb.Context(), "ip", "address", "add", netip.PrefixFrom(f.prefix.Addr().Next(), f.prefix.Bits()).String(), "dev", f.bridge)
		run(tb, tb.Context(), "ip", "link", "set", f.bridge, "up")
		return
	}
	tb.Fatal("no network is free")
}

// keys makes the client's key.
func (f *Farm) keys(tb testing.TB) {
	tb.Helper()
	f.KeyFile = filepath.Join(f.dir, "id_ed25519")
	public, err := writeKey(f.KeyFile)
	if err != nil {
		tb.Fatal(err)
	}
	f.public = public
	if err := os.WriteFile(f.KeyFile+".pub", []byte(public), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// Dir returns a directory that a host sees under the same path.
func (f *Farm) Dir(h *Host) string { return h.dir }

// SSH runs a command on a host as a client would, with the farm's key, and returns
// what it prints.
func (f *Farm) SSH(tb testing.TB, h *Host, user, command string) (string, error) {
	tb.Helper()
	text, err := os.ReadFile(f.KeyFile)
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		tb.Fatal(err)
	}
	client, err := ssh.Dial("tcp", netip.AddrPortFrom(h.Address, 22).String(), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: startTime, //nolint:gosec // a host of our own, on a network of our own
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	out, err := session.CombinedOutput(command)
	return string(out), err
}

// writeKey writes a new private key and returns its public one, as a line of
// authorized_keys.
func writeKey(file string) (string, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	return string(ssh.MarshalAuthorizedKey(key)), nil
}

func run(tb testing.TB, ctx context.Context, command ...string) { //nolint:revive // the test comes first
	tb.Helper()
	if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
		tb.Errorf("%s: %v: %s", strings.Join(command, " "), err, out)
	}
}
