package smtplab

import (
	"crypto/tls"
	"errors"
	"net"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// send speaks to the server as Go's own client does.
func send(t *testing.T, s *Server, id, to string) error {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	if s.options.Implicit {
		conn = tls.Client(conn, &tls.Config{RootCAs: s.Pool(), ServerName: s.Host})
	}
	client, err := smtp.NewClient(conn, s.Host)
	if err != nil {
		return err
	}
	if !s.options.Implicit && !s.options.Plain {
		if err := client.StartTLS(&tls.Config{RootCAs: s.Pool(), ServerName: s.Host}); err != nil {
			return err
		}
	}
	if err := client.Mail("ownmap@example.org"); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	_, err = w.Write([]byte("Message-ID: <" + id + ">\r\n\r\n.dot\r\n"))
	return errors.Join(err, w.Close())
}

func code(err error) int {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}

// TestServer holds that the lab does to a client what a test asks for, and counts what it
// has kept: nothing that it refused, and all that it kept without saying so.
func TestServer(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]Options{"starttls": {}, "implicit": {Implicit: true}, "plain": {Plain: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := map[Stage]Answer{}
			options.Fault = func(a Ask) Answer { return answers[a.Stage] }
			s := Start(t, options)
			for i, tc := range []struct {
				stage  Stage
				answer Answer
				code   int
				kept   int // more of them than before
			}{
				{Data, Answer{}, -1, 1},
				{Greeting, Answer{Code: 421}, 421, 0},
				{Greeting, Answer{Code: 554, Text: "no\nservice"}, 554, 0},
				{Greeting, Answer{Cut: true}, 0, 0},
				{Connect, Answer{Cut: true}, 0, 0},
				{Sender, Answer{Code: 451}, 451, 0},
				{Recipient, Answer{Code: 550}, 550, 0},
				{Recipient, Answer{Cut: true}, 0, 0},
				{Data, Answer{Code: 452}, 452, 0},
				{Data, Answer{Cut: true}, 0, 0},
				{Data, Answer{Cut: true, Kept: true}, 0, 1},
				{Data, Answer{Delay: time.Millisecond}, -1, 1},
			} {
				clear(answers)
				answers[tc.stage] = tc.answer
				before, id := len(s.Messages()), strconv.Itoa(i)+"@example.org"
				err := send(t, s, id, "alice@example.org")
				if (err == nil) != (tc.code < 0) || err != nil && code(err) != tc.code {
					t.Errorf("%s %+v: %v", tc.stage, tc.answer, err)
				}
				if got := s.Counts()[id+" alice@example.org"]; got != tc.kept || len(s.Messages()) != before+tc.kept {
					t.Errorf("%s %+v: %d are kept", tc.stage, tc.answer, got)
				}
			}
			if s.Connections() != 12 {
				t.Errorf("%d connections", s.Connections())
			}
			got := s.Messages()[0]
			if !strings.HasSuffix(string(got.Data), "\n.dot\r\n") || got.From != "ownmap@example.org" || got.TLS == options.Plain || got.Connection != 1 {
				t.Errorf("it kept %+v", got)
			}
		})
	}
}

// TestDown holds that a server that is down refuses connections, and can come again.
func TestDown(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for range 2 {
		if err := send(t, s, "a@example.org", "alice@example.org"); err != nil {
			t.Fatal(err)
		}
		s.Down()
		if err := send(t, s, "b@example.org", "alice@example.org"); err == nil {
			t.Error("it takes mail while it is down")
		}
		s.Up(t)
	}
	if counts := s.Counts(); counts["a@example.org alice@example.org"] != 2 || len(counts) != 1 {
		t.Errorf("%v", counts)
	}
}
