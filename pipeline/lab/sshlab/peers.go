package sshlab

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// Peer is something on loopback that is no real host.
type Peer struct {
	Address  netip.AddrPort
	KnownKey string // line of known_hosts, empty for a peer that speaks no SSH

	mu       sync.Mutex
	requests []string
}

// Requests returns the kinds of requests that clients made.
func (p *Peer) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

func (p *Peer) note(kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, kind)
}

// Raw serves every connection with a function; its connection is closed when the
// function returns or the test ends.
func Raw(tb testing.TB, serve func(net.Conn)) *Peer {
	tb.Helper()
	var config net.ListenConfig
	l, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			serving.Go(func() {
				serve(conn)
				_ = conn.Close()
			})
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return &Peer{Address: netip.MustParseAddrPort(l.Addr().String())}
}

// Says answers every connection with a text, over and over if it is to be endless,
// and then waits for the other side.
func Says(tb testing.TB, text string, endless bool) *Peer {
	tb.Helper()
	return Raw(tb, func(conn net.Conn) {
		for {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
			if !endless {
				_, _ = io.Copy(io.Discard, conn)
				return
			}
		}
	})
}

// Refused is an address on which nothing listens, and nobody else begins to: the port is
// taken by a socket that never listens.
func Refused(tb testing.TB) *Peer {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		tb.Fatal(err)
	}
	unix.CloseOnExec(fd)
	tb.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		tb.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		tb.Fatal(err)
	}
	address, _ := name.(*unix.SockaddrInet4)
	return &Peer{Address: netip.AddrPortFrom(netip.AddrFrom4(address.Addr), uint16(address.Port))}
}

// Script is what a scripted server does with a command: it reads what the client
// sends, writes, and returns the exit status, or less than 0 to end without one.
type Script func(command string, in io.Reader, out io.Writer) int

// Scripted is an SSH server of our own that lets every key in and runs a script
// instead of a shell.
func Scripted(tb testing.TB, script Script) *Peer {
	tb.Helper()
	return scripted(tb, script, &ssh.ServerConfig{
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return &ssh.Permissions{}, nil },
	})
}

// Locked is an SSH server that lets nobody in.
func Locked(tb testing.TB) *Peer {
	tb.Helper()
	return scripted(tb, nil, &ssh.ServerConfig{
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, io.EOF },
	})
}

func scripted(tb testing.TB, script Script, config *ssh.ServerConfig) *Peer {
	tb.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	config.AddHostKey(signer)
	var p *Peer
	ready := make(chan struct{})
	p = Raw(tb, func(conn net.Conn) {
		<-ready
		p.serve(conn, config, script)
	})
	close(ready)
	p.KnownKey = "[127.0.0.1]:" + strings.TrimPrefix(p.Address.String(), "127.0.0.1:") + " " + string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	return p
}

func (p *Peer) serve(conn net.Conn, config *ssh.ServerConfig, script Script) {
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		for r := range requests {
			p.note(r.Type)
			_ = r.Reply(false, nil)
		}
	}()
	for c := range channels {
		p.note("channel " + c.ChannelType())
		if c.ChannelType() != "session" {
			_ = c.Reject(ssh.UnknownChannelType, "")
			continue
		}
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go p.session(channel, requests, script)
	}
}

func (p *Peer) session(channel ssh.Channel, requests <-chan *ssh.Request, script Script) {
	for r := range requests {
		p.note(r.Type)
		if r.Type != "exec" {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		var payload struct{ Command string }
		_ = ssh.Unmarshal(r.Payload, &payload)
		go func() {
			if status := script(payload.Command, channel, channel); status >= 0 {
				_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
			}
			_ = channel.Close()
		}()
	}
}
