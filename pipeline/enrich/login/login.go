// Package login opens SSH connections to the hosts that are to be looked inside:
// keys and agent, jump hosts, ~/.ssh/config, and known_hosts without mercy. It never
// forwards the agent, asks for no terminal, and waits for nobody longer than it was
// told to.
package login

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"ownmap/pipeline/state"
)

// handshakeTime is how long connecting may take unless the config says otherwise:
// TCP, versions, keys and authentication of all hops together.
const handshakeTime = 10 * time.Second

// clientVersion is what servers see and log.
const clientVersion = "SSH-2.0-OwnMap"

// Options are what is common to all logins.
type Options struct {
	Handshake   time.Duration // patience with one login; 0: 10 s
	Home        string        // directory of ~, of whoever runs OwnMap
	User        string        // name of whoever runs OwnMap: the user of a login that names none
	AgentSocket string        // $SSH_AUTH_SOCK; empty: no agent
}

// Opener opens connections. Make it with New.
type Opener struct{ options Options }

// New returns an opener.
func New(o Options) *Opener {
	if o.Handshake == 0 {
		o.Handshake = handshakeTime
	}
	return &Opener{o}
}

// Conn is an open connection, with those of its jump hosts.
type Conn struct {
	client *ssh.Client
	chain  []*ssh.Client // outermost first, the client last
	stop   func() bool
}

// Client returns the connection to the host itself.
func (c *Conn) Client() *ssh.Client { return c.client }

// Close ends the connection and those that it goes through.
func (c *Conn) Close() {
	if c.stop != nil {
		c.stop()
	}
	for i := len(c.chain) - 1; i >= 0; i-- {
		_ = c.chain[i].Close()
	}
}

// Open logs in to a host: its address, whatever ~/.ssh/config calls it. The caller
// closes the connection; it ends with ctx too. The error is an *Error.
func (o *Opener) Open(ctx context.Context, l state.Login) (*Conn, error) {
	r, err := o.Resolve(l)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.options.Handshake)
	defer cancel()
	conn := &Conn{}
	for _, hop := range append(r.Jump, r) {
		client, err := o.hop(ctx, conn, hop)
		if err != nil {
			conn.Close()
			return nil, throughJump(err, hop, r)
		}
		conn.chain, conn.client = append(conn.chain, client), client
	}
	return conn, nil
}

// throughJump says of an error at a jump host that it was there. What is wrong with
// host keys stays what it is, but only the host's own key is a finding about it.
func throughJump(err error, hop, last Resolved) error {
	var e *Error
	if hop.dial() == last.dial() || !errors.As(err, &e) {
		return err
	}
	return &Error{Reason: state.SSHJumpFailed, Detail: "at the jump host " + state.Clean(hop.dial()) + ": " + e.Error(), Err: err}
}

// hop connects to one host, through those that are connected already.
func (o *Opener) hop(ctx context.Context, through *Conn, r Resolved) (*ssh.Client, error) {
	keys, err := readKnownHosts(r)
	if err != nil {
		return nil, err
	}
	signers, err := o.signers(ctx, r)
	if err != nil {
		return nil, err
	}
	defer signers.close()
	wire, err := dial(ctx, through, r.dial())
	if err != nil {
		return nil, dialError(ctx, err)
	}
	return o.handshake(ctx, wire, r, keys, signers)
}

// handshake turns a TCP connection into one of SSH. Closing the connection is the
// only way to end a handshake that hangs: the library's own time limit covers no
// more than the dialling.
func (o *Opener) handshake(ctx context.Context, wire net.Conn, r Resolved, keys *hostKeys, signers *signers) (*ssh.Client, error) {
	ear := &listener{Conn: wire}
	stop := context.AfterFunc(ctx, func() { _ = wire.Close() })
	config := &ssh.ClientConfig{
		User: r.User, ClientVersion: clientVersion, HostKeyCallback: keys.check, HostKeyAlgorithms: keys.algorithms(),
		Auth:           []ssh.AuthMethod{ssh.PublicKeysCallback(signers.all)}, // one method: the library tries each kind once
		BannerCallback: func(string) error { return nil },
	}
	c, channels, requests, err := ssh.NewClientConn(ear, r.dial(), config)
	if !stop() && err == nil { // it was closed while the handshake ended
		_ = c.Close()
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = wire.Close()
		return nil, handshakeError(ctx, err, keys, signers, ear)
	}
	ear.finish()
	return ssh.NewClient(c, channels, requests), nil
}

func dial(ctx context.Context, through *Conn, address string) (net.Conn, error) {
	if through.client == nil {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}
	return through.client.DialContext(ctx, "tcp", address)
}

// maxGreeting is how much a peer may send before anybody is logged in.
const maxGreeting = 1 << 20

// listener is a connection that hears whether the peer speaks SSH, and that ends
// when it talks too much before the handshake is over.
type listener struct {
	net.Conn

	mu    sync.Mutex // the library reads on when the handshake has failed
	begin []byte
	total int
	done  bool
}

// speaks says whether the peer has begun like an SSH server (RFC 4253, 4.2).
func (l *listener) speaks() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.HasPrefix(l.begin, []byte("SSH-")) || bytes.Contains(l.begin, []byte("\nSSH-"))
}

// finish lifts the limit.
func (l *listener) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
}

var errGreeting = errors.New("the peer sends more than a handshake needs")

// Read reads from the connection.
func (l *listener) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return n, err
	}
	if len(l.begin) < 4096 {
		l.begin = append(l.begin, p[:min(n, 4096-len(l.begin))]...)
	}
	if l.total += n; l.total > maxGreeting {
		return 0, errGreeting
	}
	return n, err
}

// dialError says why there is no connection at all.
func dialError(ctx context.Context, err error) error {
	var open *ssh.OpenChannelError
	reason := state.SSHNoAnswer
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &open):
		reason = state.SSHRefused
	case errors.Is(ctx.Err(), context.Canceled):
		reason = state.InsideInterrupted
	}
	return newError(reason, err)
}

// Resolved is a login with everything filled in.
type Resolved struct {
	Names      []string // that known_hosts may have the host under, the best first
	Host       string   // address, or name of a jump host
	Port       uint16
	User       string
	KeyFiles   []string
	Agent      bool
	KnownHosts []string
	Jump       []Resolved
}

// dial returns the address to connect to.
func (r Resolved) dial() string { return net.JoinHostPort(r.Host, strconv.Itoa(int(r.Port))) }

// String says it as ssh(1) takes it, "ssh://user@host:port".
func (r Resolved) String() string { return "ssh://" + r.User + "@" + r.dial() }

// exists says whether there is a file.
func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// isAddress says whether a host is written as an address.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
