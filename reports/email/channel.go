package email

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// TLS is how the way to the mail server is encrypted.
type TLS string

// The ways to encrypt. The server's certificate is checked in all of them.
const (
	StartTLS      TLS = "starttls"      // a plain beginning, then TLS or nothing (RFC 3207)
	ImplicitTLS   TLS = "tls"           // TLS from the first byte (RFC 8314)
	Opportunistic TLS = "opportunistic" // TLS where the server offers it, else in the clear
	NoTLS         TLS = "none"          // in the clear
)

// Auth is how the client logs in.
type Auth string

// The ways to log in. Whatever the way, a password never goes over a network in the clear.
const (
	AuthAuto        Auth = "auto" // the best that the server offers
	AuthPlain       Auth = "plain"
	AuthLogin       Auth = "login"
	AuthCRAMMD5     Auth = "cram-md5"
	AuthSCRAMSHA256 Auth = "scram-sha-256"
)

// Server is the mail server that takes the mails.
type Server struct {
	Host     string         // name or address, which its certificate must be of
	Port     int            // 0: 587 for StartTLS, 465 for ImplicitTLS, else 25
	TLS      TLS            // empty: StartTLS
	CAFile   string         // authorities to trust (PEM) in place of the system's; may be empty
	CAs      *x509.CertPool // the same; nil: CAFile, or the system's
	User     string         // empty: no AUTH
	Password state.Secret
	Auth     Auth          // empty: AuthAuto
	Helo     string        // what the client calls itself; empty: the name of this machine
	Timeout  time.Duration // of one delivery; 0: DefaultTimeout
}

// DefaultTimeout is how long one delivery may take.
const DefaultTimeout = 30 * time.Second

// Channel delivers messages by mail.
type Channel struct {
	mailer *Mailer
	server Server
	tls    *tls.Config
	hidden *strings.Replacer // of the password, in whatever form a server could repeat it
}

// NewChannel checks what can be checked without the server. The error says what is wrong
// in the options of the mails or of the server.
func NewChannel(options Options, server Server) (*Channel, error) {
	mailer, err := New(options)
	if err != nil {
		return nil, err
	}
	server.TLS, server.Auth, server.Timeout = cmp.Or(server.TLS, StartTLS), cmp.Or(server.Auth, AuthAuto), cmp.Or(server.Timeout, DefaultTimeout)
	c := &Channel{mailer: mailer, hidden: hiding(server.User, server.Password)}
	switch {
	case server.Host == "" || len(server.Host) > 253 || strings.ContainsFunc(server.Host, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }):
		return nil, errors.New("mail: host must be the name or the address of the mail server")
	case !slices.Contains([]TLS{StartTLS, ImplicitTLS, Opportunistic, NoTLS}, server.TLS):
		return nil, fmt.Errorf("mail: tls %q is none of %s, %s, %s, %s", server.TLS, StartTLS, ImplicitTLS, Opportunistic, NoTLS)
	case !slices.Contains([]Auth{AuthAuto, AuthPlain, AuthLogin, AuthCRAMMD5, AuthSCRAMSHA256}, server.Auth):
		return nil, fmt.Errorf("mail: auth %q is none of %s, %s, %s, %s, %s", server.Auth, AuthAuto, AuthPlain, AuthLogin, AuthCRAMMD5, AuthSCRAMSHA256)
	case server.User == "" && server.Password.Reveal() != "":
		return nil, errors.New("mail: there is a password, and no user that it is of")
	case server.User != "" && server.Password.Reveal() == "":
		return nil, errors.New("mail: there is a user, and no password")
	case server.TLS == NoTLS && server.User != "" && (server.Auth == AuthPlain || server.Auth == AuthLogin) && !loopback(server.Host):
		return nil, fmt.Errorf("mail: auth %s without TLS would send the password in the clear", server.Auth)
	}
	switch {
	case server.Port != 0:
	case server.TLS == StartTLS:
		server.Port = 587
	case server.TLS == ImplicitTLS:
		server.Port = 465
	default:
		server.Port = 25
	}
	if server.Port < 1 || server.Port > 65535 {
		return nil, fmt.Errorf("mail: port %d is none", server.Port)
	}
	if server.Helo == "" {
		if server.Helo, _ = os.Hostname(); strings.Trim(server.Helo, idLetters) != "" || server.Helo == "" {
			server.Helo = "localhost"
		}
	}
	if strings.Trim(server.Helo, idLetters+"[]:") != "" {
		return nil, fmt.Errorf("mail: helo %.100q is no name of a host", server.Helo)
	}
	if c.tls, err = server.trust(); err != nil {
		return nil, err
	}
	c.server = server
	return c, nil
}

// trust returns how the server's certificate is checked.
func (s Server) trust() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.Host, RootCAs: s.CAs}
	if s.CAFile == "" || s.CAs != nil {
		return config, nil
	}
	text, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("mail: ca_file: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("mail: ca_file %s holds no certificate in PEM", s.CAFile)
	}
	return config, nil
}

// Warnings says what a careful administrator would do otherwise.
func (c *Channel) Warnings() (list []string) {
	switch {
	case loopback(c.server.Host):
	case c.server.TLS == NoTLS:
		list = append(list, "mails go to "+c.Address()+" in the clear: tls is none")
	case c.server.TLS == Opportunistic:
		list = append(list, "whoever stands between this machine and "+c.Address()+" can read the mails: tls is opportunistic, not starttls")
	}
	return list
}

// Address returns host and port of the server.
func (c *Channel) Address() string {
	return net.JoinHostPort(c.server.Host, strconv.Itoa(c.server.Port))
}

// Send mails a message to its recipient. It returns nil only when the server took it,
// else a *state.SendError. A message is permanently refused by a reply of 5xx to the
// recipient or to the message alone: what concerns the server, the password, the
// certificate or the sender is not the message's fault, and is told as Unreachable.
func (c *Channel) Send(ctx context.Context, m state.Message) error {
	message, err := c.mailer.Render(m)
	if err != nil {
		return &state.SendError{Err: err, Permanent: true}
	}
	var raw bytes.Buffer
	if _, err := message.WriteTo(&raw); err != nil {
		return &state.SendError{Err: err, Permanent: true}
	}
	return c.talk(ctx, func(t *talk) error { return t.deliver(message, raw.Bytes()) })
}

// Check logs in and asks whether the server takes mail of the sender, and mails nothing.
// The error is as that of Send.
func (c *Channel) Check(ctx context.Context) error {
	return c.talk(ctx, func(t *talk) error {
		if err := t.sender(c.mailer.from.Address); err != nil {
			return err
		}
		return t.client.Reset()
	})
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
