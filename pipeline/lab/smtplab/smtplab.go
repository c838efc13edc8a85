// Package smtplab is a real mail server for tests: STARTTLS or implicit TLS with an
// authority of its own, AUTH, and faults that a test chooses. It keeps what it got, so
// that a test can count what was lost and what came twice.
package smtplab

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Options say what the server is like. The zero value offers STARTTLS and no AUTH.
type Options struct {
	Host       string   // empty: 127.0.0.1
	Port       int      // 0: any
	Implicit   bool     // TLS from the first byte (RFC 8314), in place of STARTTLS
	Plain      bool     // no TLS at all
	Names      []string // of the certificate, addresses too; none: 127.0.0.1 and localhost
	Mechanisms []string // of AUTH: PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256
	User       string   // where set nobody sends mail without AUTH
	Password   string
	MaxBytes   int64 // of a message; 0: any
	UTF8       bool  // SMTPUTF8 (RFC 6531) is offered

	// Fault says what goes wrong, if anything. It is asked at each stage of each
	// connection, from several goroutines at once. Nil: nothing does.
	Fault func(Ask) Answer
}

// Letter is a message that the server has kept: its envelope, and its bytes as they came.
type Letter struct {
	Connection int // from 1
	From       string
	To         []string
	ID         string // Message-ID, without angle brackets
	Data       []byte
	TLS        bool
	User       string // who sent it, where AUTH was used
	UTF8       bool   // the client asked for SMTPUTF8
}

// Login is a try to log in.
type Login struct {
	Mechanism string
	TLS       bool // false: whoever listens has read it
	OK        bool
}

// Server is a running server on a loopback address.
type Server struct {
	Host string
	Port int

	options Options
	smtp    *smtp.Server
	ca      authority
	tls     *tls.Config
	ready   *queue        // of connections that no fault took away
	ended   chan struct{} // closed: the server is
	work    sync.WaitGroup

	mu          sync.Mutex
	listener    net.Listener // nil while the server is down
	open        map[net.Conn]int
	connections int
	letters     []Letter
	logins      []Login
}

// Start starts a server, which ends with the test.
func Start(tb testing.TB, options Options) *Server {
	tb.Helper()
	s := &Server{Host: cmp.Or(options.Host, "127.0.0.1"), Port: options.Port, options: options, ready: newQueue(), ended: make(chan struct{}), open: make(map[net.Conn]int)}
	names := options.Names
	if len(names) == 0 {
		names = []string{"127.0.0.1", "localhost"}
	}
	var err error
	if s.ca, s.tls, err = newAuthority(names); err != nil {
		tb.Fatal(err)
	}
	s.smtp = smtp.NewServer(s)
	s.smtp.Domain, s.smtp.ErrorLog = "mail.example.org", log.New(io.Discard, "", 0)
	s.smtp.MaxLineLength, s.smtp.MaxMessageBytes = 1000, options.MaxBytes // RFC 5321, 4.5.3.1.6
	s.smtp.EnableSMTPUTF8, s.smtp.AllowInsecureAuth = options.UTF8, true
	if !options.Plain {
		s.smtp.TLSConfig = s.tls
	}
	s.Up(tb)
	s.work.Go(func() { _ = s.smtp.Serve(s.ready) })
	tb.Cleanup(func() {
		close(s.ended)
		s.Down()
		_ = s.smtp.Close()
		_ = s.ready.Close() // which smtp does not know yet if Serve has not begun
		s.work.Wait()
	})
	return s
}

// Down ends all connections, and refuses others until Up.
func (s *Server) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
	}
	for connection := range s.open {
		cut(connection)
	}
}

// Up takes connections again, on the same port.
func (s *Server) Up(tb testing.TB) {
	tb.Helper()
	var listener net.Listener
	for try := range 50 { // somebody else may have the port for a moment
		var err error
		if listener, err = new(net.ListenConfig).Listen(tb.Context(), "tcp", fmt.Sprintf("%s:%d", s.Host, s.Port)); err == nil {
			break
		}
		if try == 49 {
			tb.Fatal(err)
		}
		s.wait(20 * time.Millisecond)
	}
	address, _ := listener.Addr().(*net.TCPAddr)
	s.mu.Lock()
	s.Port, s.listener = address.Port, listener
	s.mu.Unlock()
	s.work.Go(func() { s.accept(listener) })
}

// Pool returns the authority that the server's certificate is of, for clients.
func (s *Server) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.ca.pem)
	return pool
}

// CAFile writes the authority into a file (PEM) and returns its name, for a client in
// another process.
func (s *Server) CAFile(tb testing.TB) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "ca.pem")
	if err := os.WriteFile(file, s.ca.pem, 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}

// Messages returns what the server has kept, in the order in which it did.
func (s *Server) Messages() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.letters)
}

// Counts says how often the server has kept each message, by Message-ID and recipient:
// "id recipient". More than once is what a client repeated.
func (s *Server) Counts() map[string]int {
	counts := make(map[string]int)
	for _, letter := range s.Messages() {
		for _, to := range letter.To {
			counts[letter.ID+" "+to]++
		}
	}
	return counts
}

// Logins returns all tries to log in.
func (s *Server) Logins() []Login {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logins)
}

// Connections returns how many connections there were.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// wait waits, at most until the server ends.
func (s *Server) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ended:
	}
}

// queue is a listener that gets its connections from another one.
type queue struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

var errClosed = errors.New("the server has ended")

func newQueue() *queue {
	return &queue{connections: make(chan net.Conn), closed: make(chan struct{})}
}

func (q *queue) put(c net.Conn) {
	select {
	case q.connections <- c:
	case <-q.closed:
		_ = c.Close()
	}
}

// Accept returns the next connection.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.connections:
		return c, nil
	case <-q.closed:
		return nil, errClosed
	}
}

// Close lets Accept end.
func (q *queue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

// Addr returns no real address.
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }
