package siem

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"ownmap/pipeline/state"
)

// DefaultTimeout of a try.
const DefaultTimeout = 30 * time.Second

// DefaultGrace is how long a receiver has to close a connection over which it got all.
const DefaultGrace = time.Second

// LocalSocket is where the logging service of this machine listens.
const LocalSocket = "/dev/log"

// Transport is how syslog messages travel.
type Transport string

// The transports.
const (
	UDP   Transport = "udp"   // RFC 5426: a datagram each; what is lost is lost
	TCP   Transport = "tcp"   // RFC 6587, 3.4.1: octet counting
	TLS   Transport = "tls"   // RFC 5425: the same in TLS 1.2 or later
	Local Transport = "local" // a datagram each to a Unix socket
)

// Options is where events go, and as what.
type Options struct {
	Transport Transport
	Address   string      // host:port; of Local a path, or empty for LocalSocket
	TLS       *tls.Config // of TLS: who is trusted, and a certificate of our own; nil: the system's
	Facility  string      // "local0" if empty
	Hostname  string      // what this machine calls itself; empty: its own name
	// Enterprise is the private enterprise number (IANA) in the name of the structured
	// data; 0: DefaultEnterprise.
	Enterprise uint32
	Timeout    time.Duration // of a try; 0: DefaultTimeout
	Grace      time.Duration // 0: DefaultGrace
}

// Channel delivers messages to a syslog receiver.
type Channel struct {
	options Options
	format  format
}

// New checks the options.
func New(options Options) (*Channel, error) {
	facility, err := facilityOf(options.Facility)
	if err != nil {
		return nil, fmt.Errorf("syslog: %w", err)
	}
	switch options.Transport {
	case Local:
		if options.Address == "" {
			options.Address = LocalSocket
		}
	case UDP, TCP, TLS:
		host, port, err := net.SplitHostPort(options.Address)
		if err != nil || host == "" || port == "" {
			return nil, fmt.Errorf("syslog: address %q is not host:port", options.Address)
		}
		if options.Transport == TLS {
			options.TLS = secure(options.TLS, host)
		}
	default:
		return nil, fmt.Errorf("syslog: transport %q is none of udp, tcp, tls, local", options.Transport)
	}
	if options.Hostname == "" {
		options.Hostname, _ = os.Hostname() // else "-", as the RFC has it
	}
	if options.Enterprise == 0 {
		options.Enterprise = DefaultEnterprise
	}
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	if options.Grace == 0 {
		options.Grace = DefaultGrace
	}
	return &Channel{options, format{facility, word(options.Hostname, 255), options.Enterprise}}, nil
}

func secure(config *tls.Config, host string) *tls.Config {
	if config == nil {
		config = new(tls.Config)
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.ServerName == "" {
		config.ServerName = host
	}
	return config
}

// Render makes the syslog messages of a message, the summary first.
func (c *Channel) Render(m state.Message) [][]byte {
	var frames [][]byte
	for _, e := range Events(m) {
		frames = append(frames, c.format.frame(e))
	}
	return frames
}

// Send makes one try to deliver all events of a message. Syslog knows no acknowledgement,
// so what nil means depends on the transport:
//   - udp: the datagrams left this machine, and nobody said within some milliseconds that
//     the port is closed. Any may be lost.
//   - local: the logging service of this machine has them.
//   - tcp, tls: the receiver's machine took all bytes, and did not break the connection
//     while that could be seen. Most receivers close it themselves when they have read to
//     the end, for which Send waits, Grace at most; one that keeps it may still lose what
//     it had not read when it dies.
//
// An error is always worth another try. Then events may come twice: with the same id.
func (c *Channel) Send(ctx context.Context, m state.Message) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	err := c.send(ctx, c.Render(m))
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return &state.SendError{Err: fmt.Errorf("syslog over %s to %s: %w", c.options.Transport, c.options.Address, err), Unreachable: true}
}

func (c *Channel) send(ctx context.Context, frames [][]byte) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // whoever waits in it gets an error
	switch c.options.Transport {
	case UDP, Local:
		return datagrams(ctx, conn, frames)
	case TCP, TLS:
	}
	return stream(conn, frames, c.options.Grace)
}

func (c *Channel) dial(ctx context.Context) (net.Conn, error) {
	switch c.options.Transport {
	case Local:
		return new(net.Dialer).DialContext(ctx, "unixgram", c.options.Address)
	case TLS:
		return (&tls.Dialer{Config: c.options.TLS}).DialContext(ctx, "tcp", c.options.Address)
	case UDP, TCP:
	}
	return new(net.Dialer).DialContext(ctx, string(c.options.Transport), c.options.Address)
}
