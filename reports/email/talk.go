package email

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/mail"
	"net/textproto"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// step is a part of the talk with a server, as errors name it.
type step string

// The steps, in their order.
const (
	stepConnect   step = "connect"
	stepGreeting  step = "greeting"
	stepHello     step = "EHLO"
	stepTLS       step = "TLS"
	stepAuth      step = "AUTH"
	stepSender    step = "MAIL"
	stepRecipient step = "RCPT"
	stepData      step = "DATA"
	stepContent   step = "message"
)

// talk is one connection to the server. go-mail's own client is of no use for it: it
// tells too little of where a fault was, and leaves connections open.
type talk struct {
	channel  *Channel
	client   *smtp.Client
	conn     net.Conn
	step     step
	secure   bool
	loopback bool
}

// farewell is how long the end of a talk may take that was a success.
const farewell = time.Second

// talk connects, logs in, does something and takes its leave.
func (c *Channel) talk(parent context.Context, do func(*talk) error) error {
	ctx, cancel := context.WithTimeout(parent, c.server.Timeout)
	defer cancel()
	t := &talk{channel: c, step: stepConnect}
	defer t.close()
	err := t.open(ctx)
	if err == nil {
		unwatch := context.AfterFunc(ctx, func() { _ = t.conn.SetDeadline(time.Unix(1, 0)) }) // ends what waits
		defer unwatch()
		if err = t.begin(ctx); err == nil {
			err = do(t)
		}
		if unwatch() && (err == nil || replied(err)) {
			_ = t.conn.SetDeadline(time.Now().Add(farewell))
			if t.client != nil {
				_ = t.client.Quit()
			}
		}
	}
	if err != nil {
		return c.fault(parent, ctx, t.step, err)
	}
	return nil
}

func replied(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply)
}

func (t *talk) close() {
	if t.conn != nil {
		_ = t.conn.Close()
	}
}

// open makes the connection.
func (t *talk) open(ctx context.Context) error {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", t.channel.Address())
	if err != nil {
		return err
	}
	t.conn = &bounded{Conn: raw, left: mostHeard}
	remote, ok := raw.RemoteAddr().(*net.TCPAddr)
	t.loopback = ok && remote.IP.IsLoopback()
	return nil
}

// begin does all that comes before a mail.
func (t *talk) begin(ctx context.Context) (err error) {
	server, conn := t.channel.server, t.conn
	if server.TLS == ImplicitTLS {
		t.step, t.secure = stepTLS, true
		secure := tls.Client(conn, t.channel.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		conn = secure
	}
	t.step = stepGreeting
	if t.client, err = smtp.NewClient(conn, server.Host); err != nil {
		return err
	}
	t.step = stepHello
	if err := t.client.Hello(server.Helo); err != nil {
		return err
	}
	if server.TLS == StartTLS || server.TLS == Opportunistic {
		t.step = stepTLS
		switch offered, _ := t.client.Extension("STARTTLS"); {
		case offered:
			if err := t.client.StartTLS(t.channel.tls); err != nil {
				return err
			}
			t.secure = true
		case server.TLS == StartTLS:
			return errors.New("the server does not offer STARTTLS")
		}
	}
	if server.User == "" {
		return nil
	}
	t.step = stepAuth
	auth, err := t.auth()
	if err != nil {
		return err
	}
	return t.client.Auth(auth)
}

// sender says whose mail follows.
func (t *talk) sender(from string) error {
	t.step = stepSender
	return t.client.Mail((&mail.Address{Address: from}).String())
}

// deliver hands over one message.
func (t *talk) deliver(m *Message, raw []byte) error {
	// All of the message is ASCII: only an address may need SMTPUTF8 (RFC 6531), which
	// not every server on the way can do.
	t.client.SkipSMTPUTF8(ascii(m.from.Address) && ascii(m.to.Address))
	if err := t.sender(m.from.Address); err != nil {
		return err
	}
	t.step = stepRecipient
	if able, _ := t.client.Extension("SMTPUTF8"); !able && !ascii(m.to.Address) {
		return &textproto.Error{Code: 553, Msg: "the address needs SMTPUTF8, which the server does not offer"} // RFC 6531, 3.5
	}
	if err := t.client.Rcpt((&mail.Address{Address: m.to.Address}).String()); err != nil {
		return err
	}
	t.step = stepData
	w, err := t.client.Data()
	if err != nil {
		return err
	}
	t.step = stepContent
	_, err = w.Write(raw)
	// A server that ends the talk early may have said why.
	if reply := w.Close(); reply != nil {
		return reply
	}
	return err
}

// mostHeard is how much a server may say in one talk, in bytes.
const mostHeard = 1 << 20

var errTalkative = errors.New("the server says more than a mail server has to say")

// bounded is a connection that hears only so much.
type bounded struct {
	net.Conn
	left int
}

// Read reads from the connection, until that has said too much.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTalkative
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
