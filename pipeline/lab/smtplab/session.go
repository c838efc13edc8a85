package smtplab

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

var errCut = errors.New("the connection was cut")

// session is one connection as go-smtp tells of it.
type session struct {
	server *Server
	conn   *smtp.Conn
	number int
	letter Letter
	user   string // who logged in
}

// NewSession begins a session.
func (s *Server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	raw := rawOf(c.Conn())
	s.mu.Lock()
	number := s.open[raw.Conn]
	s.mu.Unlock()
	return &session{server: s, conn: c, number: number}, nil
}

// ask asks for a fault, and cuts the connection where that is the answer.
func (s *session) ask(stage Stage) (Answer, error) {
	to := ""
	if n := len(s.letter.To); n > 0 {
		to = s.letter.To[n-1]
	}
	answer := s.server.fault(Ask{Stage: stage, Connection: s.number, From: s.letter.From, To: to, ID: s.letter.ID})
	if answer.Cut && !answer.Kept {
		s.cut()
		return answer, errCut
	}
	return answer, answer.reply()
}

func (s *session) cut() { s.server.cut(rawOf(s.conn.Conn()).Conn) }

func (s *session) secure() bool {
	_, ok := s.conn.TLSConnectionState()
	return ok
}

// AuthMechanisms returns what the client may log in with.
func (s *session) AuthMechanisms() []string { return s.server.options.Mechanisms }

// Auth begins to log in.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	return newLogin(mechanism, s.server.options.User, s.server.options.Password, func(ok bool) error {
		_, err := s.ask(Auth)
		ok = ok && err == nil
		s.server.mu.Lock()
		s.server.logins = append(s.server.logins, Login{mechanism, s.secure(), ok})
		s.server.mu.Unlock()
		switch {
		case err != nil:
			return err
		case !ok:
			return smtp.ErrAuthFailed
		}
		s.user = s.server.options.User
		return nil
	})
}

// Mail begins a message.
func (s *session) Mail(from string, options *smtp.MailOptions) error {
	if s.server.options.User != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.letter = Letter{Connection: s.number, From: from, TLS: s.secure(), User: s.user, UTF8: options.UTF8}
	_, err := s.ask(Sender)
	return err
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.To = append(s.letter.To, to)
	_, err := s.ask(Recipient)
	if err != nil {
		s.letter.To = s.letter.To[:len(s.letter.To)-1]
	}
	return err
}

// Data takes the message, and keeps it before anybody is told so.
func (s *session) Data(r io.Reader) (err error) {
	if s.letter.Data, err = io.ReadAll(r); err != nil {
		return err
	}
	if message, err := mail.ReadMessage(bytes.NewReader(s.letter.Data)); err == nil {
		s.letter.ID = strings.Trim(message.Header.Get("Message-Id"), "<>")
	}
	answer, err := s.ask(Data)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	s.server.letters = append(s.server.letters, s.letter)
	s.server.mu.Unlock()
	if answer.Cut {
		s.cut()
		return errCut
	}
	return nil
}

// Reset forgets the message.
func (s *session) Reset() { s.letter = Letter{} }

// Logout ends the session.
func (s *session) Logout() error { return nil }
