package smtplab

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-smtp"
)

// Stage is a point of a connection at which something can go wrong.
type Stage string

// The stages, in their order.
const (
	Connect   Stage = "connect"   // before any word: Cut resets the connection
	Greeting  Stage = "greeting"  // Code stands in place of 220
	Auth      Stage = "auth"      // the reply to whoever logs in
	Sender    Stage = "sender"    // the reply to MAIL
	Recipient Stage = "recipient" // the reply to RCPT
	Data      Stage = "data"      // the reply to the dot that ends a message
)

// Ask is what the server asks at a stage.
type Ask struct {
	Stage      Stage
	Connection int    // from 1, in the order in which they came
	From, To   string // from Sender on; at Data To is the last recipient
	ID         string // at Data: Message-ID, without angle brackets
}

// Answer is what goes wrong; the zero value is nothing.
type Answer struct {
	Code  int           // the reply, 400 to 599: the message is not kept
	Text  string        // of the reply
	Cut   bool          // the connection ends in place of a reply: the message is not kept
	Kept  bool          // with Cut, at Data: the message is kept, and nobody is told
	Delay time.Duration // before the reply
}

// fault asks the test what goes wrong, and waits.
func (s *Server) fault(ask Ask) Answer {
	if s.options.Fault == nil {
		return Answer{}
	}
	answer := s.options.Fault(ask)
	s.wait(answer.Delay)
	return answer
}

// reply returns the fault as go-smtp says it; nil: there is none.
func (a Answer) reply() error {
	if a.Code == 0 {
		return nil
	}
	return &smtp.SMTPError{Code: a.Code, EnhancedCode: smtp.EnhancedCode{a.Code / 100, 0, 0}, Message: cmp.Or(a.Text, "as the test wants it")}
}

// accept takes connections from a listener until that ends.
func (s *Server) accept(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.connections++
		number := s.connections
		s.open[connection] = number
		s.mu.Unlock()
		s.work.Go(func() { s.greet(connection, number) })
	}
}

// greet hands a connection on, but for one that gets no further than the greeting.
func (s *Server) greet(raw net.Conn, number int) {
	if answer := s.fault(Ask{Stage: Connect, Connection: number}); answer.Cut {
		s.cut(raw)
		return
	}
	connection := net.Conn(&tracked{Conn: raw, server: s})
	if s.options.Implicit {
		connection = tls.Server(connection, s.tls)
	}
	switch answer := s.fault(Ask{Stage: Greeting, Connection: number}); {
	case answer.Cut:
		s.cut(raw)
	case answer.Code != 0:
		_ = raw.SetDeadline(time.Now().Add(time.Second))
		_, _ = fmt.Fprintf(connection, "%d %s\r\n", answer.Code, cmp.Or(answer.Text, "as the test wants it"))
		_ = connection.Close()
	default:
		s.ready.put(connection)
	}
}

// tracked is a connection that the server forgets when it is closed.
type tracked struct {
	net.Conn
	server *Server
}

// Close ends the connection.
func (t *tracked) Close() error {
	t.server.mu.Lock()
	delete(t.server.open, t.Conn)
	t.server.mu.Unlock()
	return t.Conn.Close()
}

// cut resets a connection: what was written and not read yet may be lost.
func (s *Server) cut(raw net.Conn) {
	s.mu.Lock()
	delete(s.open, raw)
	s.mu.Unlock()
	cut(raw)
}

func cut(raw net.Conn) {
	if connection, ok := raw.(*net.TCPConn); ok {
		_ = connection.SetLinger(0)
	}
	_ = raw.Close()
}

// rawOf returns what lies below TLS.
func rawOf(c net.Conn) *tracked {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	raw, _ := c.(*tracked)
	return raw
}
