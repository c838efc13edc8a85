package email

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// post is a mail server that takes mail over TLS from one user alone.
type post struct{ got chan letter }

type letter struct {
	from string
	to   []string
	data []byte
}

type session struct {
	post   *post
	letter letter
	known  bool
}

var errUnknown = errors.New("unknown user")

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{post: p}, nil }

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "ownmap" || password != "open sesame" {
			return errUnknown
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	s.letter.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.to = append(s.letter.to, to)
	return nil
}

func (s *session) Data(r io.Reader) (err error) {
	if s.letter.data, err = io.ReadAll(r); err == nil {
		s.post.got <- s.letter
	}
	return err
}

func (s *session) Reset()        { s.letter = letter{} }
func (s *session) Logout() error { return nil }

// startPost starts the server on loopback, and returns what its clients trust.
func startPost(t *testing.T) (*post, int, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"mail.example.org"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{got: make(chan letter, 1)}
	server := smtp.NewServer(p)
	server.Domain, server.MaxLineLength, server.MaxMessageBytes = "mail.example.org", 1000, Limit // RFC 5321, 4.5.3.1.6
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return p, listener.Addr().(*net.TCPAddr).Port, &tls.Config{RootCAs: roots, ServerName: "mail.example.org"}
}

// TestDelivery holds that mails survive a real server byte by byte, with STARTTLS, a
// password, and lines that begin with a dot.
func TestDelivery(t *testing.T) {
	t.Parallel()
	p, port, trusted := startPost(t)
	client, err := gomail.NewClient("127.0.0.1", gomail.WithPort(port), gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithTLSConfig(trusted),
		gomail.WithSMTPAuth(gomail.SMTPAuthPlain), gomail.WithUsername("ownmap"), gomail.WithPassword("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	dots := poisoned("\r\n.\r\n..")
	dots.Run.Notes = []string{".", "..", ".\r\n"}
	chinese := many(1000, func(int) string { return "界界界" })
	for name, r := range map[string]state.Report{"demo": demo.Nights(49).At(49), "1000": many(1000, hostName), "dots": dots, "chinese": chinese} {
		m := render(t, Options{}, r, links())
		if err := client.DialAndSendWithContext(t.Context(), m.Mail()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := <-p.got
		if got.from != "ownmap@example.org" || len(got.to) != 2 || got.to[1] != "alice@example.org" {
			t.Errorf("%s: from %s to %q", name, got.from, got.to)
		}
		if want := bytesOf(t, m); !bytes.Equal(bytes.TrimRight(got.data, "\r\n"), bytes.TrimRight(want, "\r\n")) {
			t.Errorf("%s: %d bytes arrived, %d were sent", name, len(got.data), len(want))
		}
	}
	stranger, err := gomail.NewClient("127.0.0.1", gomail.WithPort(port), gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithTLSConfig(trusted))
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.DialAndSendWithContext(t.Context(), render(t, Options{}, demo.Nights(49).At(49), links()).Mail()); err == nil {
		t.Error("the server takes mail from anybody: the test proves no AUTH")
	}
}
