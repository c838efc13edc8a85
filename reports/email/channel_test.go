package email

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wneessen/go-mail/smtp"
	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/lab/smtplab"
	"ownmap/pipeline/state"
)

// canary is a password that no error may hold.
const canary = "c4nary-p4ssword"

// serverOf is how a channel reaches a server of the lab.
func serverOf(s *smtplab.Server) Server {
	return Server{Host: s.Host, Port: s.Port, CAs: s.Pool(), Helo: "ownmap.example.org", Timeout: 20 * time.Second}
}

func channelTo(tb testing.TB, server Server) *Channel {
	tb.Helper()
	c, err := NewChannel(Options{From: "OwnMap <ownmap@example.org>", Network: "office", Links: links().Links}, server)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// trouble is a message that has no run behind it.
func trouble(to string) state.Message {
	return state.Message{
		ID: "trouble-7.ops", Kind: state.MessageTrouble, Recipient: to, At: demo.Night(5), Title: "The run of 2026-10-05 did not begin",
		Lines: []string{"The last run ended 26 hours ago."},
	}
}

// sendError is what a channel says of a try that must fail; no secret may be in it.
func sendError(tb testing.TB, c *Channel, m state.Message) *state.SendError {
	tb.Helper()
	err := c.Send(tb.Context(), m)
	var fault *state.SendError
	if !errors.As(err, &fault) {
		tb.Fatalf("want a SendError, got %v", err)
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		text := fmt.Sprintf("%v %+v %#v", inner, inner, inner)
		never(tb, text, canary, "YzRuYXJ5", "AG93bm1hcABjNG5hcnktcDRzc3dvcmQ")
		if len(inner.Error()) > 450 || strings.ContainsAny(inner.Error(), "\r\n\x1b") {
			tb.Errorf("no calm line: %q", inner.Error())
		}
	}
	return fault
}

// TestWays holds that mails survive a real server byte by byte, whatever the way to it, and
// that the password goes where it should and nowhere else.
func TestWays(t *testing.T) {
	t.Parallel()
	dots := about(poisoned("\r\n.\r\n.."), links().MessageLinks)
	dots.ID = "dots"
	for name, tc := range map[string]struct {
		lab    smtplab.Options
		tls    TLS
		auth   Auth
		secure bool
		login  string
	}{
		"starttls":             {smtplab.Options{}, StartTLS, "", true, ""},
		"implicit":             {smtplab.Options{Implicit: true}, ImplicitTLS, "", true, ""},
		"opportunistic":        {smtplab.Options{}, Opportunistic, "", true, ""},
		"opportunistic, none":  {smtplab.Options{Plain: true}, Opportunistic, "", false, ""},
		"none":                 {smtplab.Options{}, NoTLS, "", false, ""},
		"plain":                {smtplab.Options{Mechanisms: []string{"PLAIN"}}, StartTLS, AuthPlain, true, "PLAIN"},
		"login":                {smtplab.Options{Mechanisms: []string{"PLAIN", "LOGIN"}}, StartTLS, AuthLogin, true, "LOGIN"},
		"cram-md5":             {smtplab.Options{Mechanisms: []string{"PLAIN", "CRAM-MD5"}}, StartTLS, AuthCRAMMD5, true, "CRAM-MD5"},
		"scram":                {smtplab.Options{Mechanisms: []string{"PLAIN", "SCRAM-SHA-256"}, Implicit: true}, ImplicitTLS, AuthSCRAMSHA256, true, "SCRAM-SHA-256"},
		"auto takes the best":  {smtplab.Options{Mechanisms: []string{"LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-256"}}, StartTLS, "", true, "SCRAM-SHA-256"},
		"auto takes plain":     {smtplab.Options{Mechanisms: []string{"LOGIN", "PLAIN", "CRAM-MD5"}}, StartTLS, AuthAuto, true, "PLAIN"},
		"auto takes login":     {smtplab.Options{Mechanisms: []string{"XOAUTH2", "LOGIN"}, Implicit: true}, ImplicitTLS, AuthAuto, true, "LOGIN"},
		"loopback in the open": {smtplab.Options{Mechanisms: []string{"PLAIN"}, Plain: true}, NoTLS, AuthAuto, false, "PLAIN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if len(tc.lab.Mechanisms) > 0 {
				tc.lab.User, tc.lab.Password = "ownmap", canary
			}
			lab := smtplab.Start(t, tc.lab)
			server := serverOf(lab)
			server.TLS, server.Auth, server.User, server.Password = tc.tls, tc.auth, tc.lab.User, state.NewSecret(tc.lab.Password)
			if name == "plain" {
				server.CAs, server.CAFile = nil, lab.CAFile(t)
			}
			c := channelTo(t, server)
			if err := c.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i, m := range []state.Message{trouble("Alice <alice@example.org>"), about(demo.Nights(49).At(49), links().MessageLinks), dots} {
				if err := c.Send(t.Context(), m); err != nil {
					t.Fatal(err)
				}
				want, err := c.mailer.Render(m)
				if err != nil {
					t.Fatal(err)
				}
				got := lab.Messages()[i]
				if !bytes.Equal(bytes.TrimRight(got.Data, "\r\n"), bytes.TrimRight(bytesOf(t, want), "\r\n")) {
					t.Errorf("%s: what arrived is not what was sent", m.ID)
				}
				if got.ID != m.ID+"@example.org" || got.From != "ownmap@example.org" || len(got.To) != 1 || got.To[0] != "alice@example.org" || got.TLS != tc.secure || got.User != tc.lab.User || got.UTF8 {
					t.Errorf("the envelope is %+v", got)
				}
			}
			for _, login := range lab.Logins() {
				if login != (smtplab.Login{Mechanism: tc.login, TLS: tc.secure, OK: true}) {
					t.Errorf("%+v", login)
				}
			}
			if n := len(lab.Logins()); (n > 0) != (tc.login != "") || len(lab.Messages()) != 3 {
				t.Errorf("%d logins, %d messages", n, len(lab.Messages()))
			}
		})
	}
}

// TestUnreachable holds that what an administrator has to put right is never taken for the
// message's fault, and that nothing is sent, least of all a password.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	logins := []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"}
	at := func(stage smtplab.Stage, a smtplab.Answer) func(smtplab.Ask) smtplab.Answer {
		return func(ask smtplab.Ask) smtplab.Answer {
			if ask.Stage == stage {
				return a
			}
			return smtplab.Answer{}
		}
	}
	echo := "I do not like " + canary + " nor AG93bm1hcABjNG5hcnktcDRzc3dvcmQ= nor YzRuYXJ5LXA0c3N3b3Jk\x1b[31m" + strings.Repeat(" no", 300)
	for name, tc := range map[string]struct {
		lab    smtplab.Options
		change func(*Server)
		want   string
	}{
		"unknown authority":       {smtplab.Options{}, func(s *Server) { s.CAs = nil }, "TLS: .*unknown authority"},
		"unknown authority, 465":  {smtplab.Options{Implicit: true}, func(s *Server) { s.CAs, s.TLS = nil, ImplicitTLS }, "TLS: .*unknown authority"},
		"unknown, opportunistic":  {smtplab.Options{}, func(s *Server) { s.CAs, s.TLS = nil, Opportunistic }, "TLS: .*unknown authority"},
		"other name":              {smtplab.Options{Names: []string{"other.example.org"}}, nil, "TLS: .*127.0.0.1"},
		"no STARTTLS":             {smtplab.Options{Plain: true}, nil, "TLS: .*not offer STARTTLS"},
		"no TLS at 465":           {smtplab.Options{Plain: true}, func(s *Server) { s.TLS = ImplicitTLS }, "TLS: "},
		"TLS where none is meant": {smtplab.Options{Implicit: true}, func(s *Server) { s.Timeout = 100 * time.Millisecond }, "no answer in time"},
		"wrong password":          {smtplab.Options{}, func(s *Server) { s.Password = state.NewSecret(canary + "x") }, "AUTH: 535"},
		"wrong password, plain":   {smtplab.Options{}, func(s *Server) { s.Password, s.Auth = state.NewSecret(canary+"x"), AuthPlain }, "AUTH: 535"},
		"wrong password, login":   {smtplab.Options{}, func(s *Server) { s.Password, s.Auth = state.NewSecret(canary+"x"), AuthLogin }, "AUTH: 535"},
		"wrong password, cram":    {smtplab.Options{}, func(s *Server) { s.Password, s.Auth = state.NewSecret(canary+"x"), AuthCRAMMD5 }, "AUTH: 535"},
		"no AUTH":                 {smtplab.Options{Mechanisms: []string{}}, nil, "AUTH: the server offers none"},
		"other AUTH":              {smtplab.Options{Mechanisms: []string{"PLAIN"}}, func(s *Server) { s.Auth = AuthSCRAMSHA256 }, "does not offer scram-sha-256"},
		"no user":                 {smtplab.Options{}, func(s *Server) { s.User, s.Password = "", state.Secret{} }, "MAIL: 502"},
		"password is repeated":    {smtplab.Options{Fault: at(smtplab.Auth, smtplab.Answer{Code: 535, Text: echo})}, func(s *Server) { s.Auth = AuthPlain }, "AUTH: 535"},
		"AUTH passes":             {smtplab.Options{Fault: at(smtplab.Auth, smtplab.Answer{Code: 454})}, nil, "AUTH: 454"},
		"greeting 421":            {smtplab.Options{Fault: at(smtplab.Greeting, smtplab.Answer{Code: 421, Text: "busy"})}, nil, "greeting: 421 busy"},
		"greeting 554":            {smtplab.Options{Fault: at(smtplab.Greeting, smtplab.Answer{Code: 554, Text: "go away"})}, nil, "greeting: 554 go away"},
		"greeting cut":            {smtplab.Options{Fault: at(smtplab.Greeting, smtplab.Answer{Cut: true})}, nil, "(connect|greeting): "},
		"greeting slow":           {smtplab.Options{Fault: at(smtplab.Greeting, smtplab.Answer{Delay: time.Minute})}, func(s *Server) { s.Timeout = 100 * time.Millisecond }, "greeting: no answer in time"},
		"sender refused":          {smtplab.Options{Fault: at(smtplab.Sender, smtplab.Answer{Code: 553, Text: "not yours"})}, nil, "MAIL: 553"},
		"sender cut":              {smtplab.Options{Fault: at(smtplab.Sender, smtplab.Answer{Cut: true})}, nil, "MAIL: "},
		"recipient slow":          {smtplab.Options{Fault: at(smtplab.Recipient, smtplab.Answer{Delay: time.Minute})}, func(s *Server) { s.Timeout = 300 * time.Millisecond }, "no answer in time"},
		"recipient cut":           {smtplab.Options{Fault: at(smtplab.Recipient, smtplab.Answer{Cut: true})}, nil, "RCPT: "},
		"recipient needs AUTH":    {smtplab.Options{Fault: at(smtplab.Recipient, smtplab.Answer{Code: 530})}, nil, "RCPT: 530"},
		"end slow":                {smtplab.Options{Fault: at(smtplab.Data, smtplab.Answer{Delay: time.Minute, Code: 451})}, func(s *Server) { s.Timeout = 300 * time.Millisecond }, "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.lab.Mechanisms == nil {
				tc.lab.Mechanisms = logins
			}
			tc.lab.User, tc.lab.Password = "ownmap", canary
			lab := smtplab.Start(t, tc.lab)
			server := serverOf(lab)
			server.User, server.Password = "ownmap", state.NewSecret(canary)
			if tc.change != nil {
				tc.change(&server)
			}
			fault := sendError(t, channelTo(t, server), trouble("alice@example.org"))
			if !fault.Unreachable || fault.Permanent || !matches(tc.want, fault.Error()) {
				t.Errorf("want %q, got %+v: %v", tc.want, fault, fault)
			}
			if n := len(lab.Messages()); n != 0 {
				t.Errorf("%d messages were taken", n)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		lab := smtplab.Start(t, smtplab.Options{User: "ownmap", Password: canary, Mechanisms: logins})
		server := serverOf(lab)
		server.User, server.Password = "ownmap", state.NewSecret(canary)
		c := channelTo(t, server)
		lab.Down()
		if fault := sendError(t, c, trouble("alice@example.org")); !fault.Unreachable || fault.Permanent || !matches("connect: .*refused", fault.Error()) {
			t.Errorf("%+v", fault)
		}
		lab.Up(t)
		if err := c.Send(t.Context(), trouble("alice@example.org")); err != nil || len(lab.Messages()) != 1 {
			t.Errorf("%v, %d messages", err, len(lab.Messages()))
		}
	})
	t.Run("no such name, which nobody has to be asked", func(t *testing.T) {
		t.Parallel()
		c := channelTo(t, Server{Host: "mail..example.org", User: "ownmap", Password: state.NewSecret(canary), Timeout: 5 * time.Second})
		if fault := sendError(t, c, trouble("alice@example.org")); !fault.Unreachable || fault.Permanent || !matches("connect: ", fault.Error()) {
			t.Errorf("%+v", fault)
		}
	})
}

// TestTransaction holds that each message is decided alone, by what the server says of it,
// and that a try that may have succeeded is repeated with the same Message-ID and bytes.
func TestTransaction(t *testing.T) {
	t.Parallel()
	replies := map[string]smtplab.Answer{
		"grey@example.org": {Code: 450}, "busy@example.org": {Code: 421}, "local@example.org": {Code: 451}, "full@example.org": {Code: 452},
		"gone@example.org": {Code: 550, Text: "no\u202e such\r user"}, "policy@example.org": {Code: 554}, "huge@example.org": {Code: 552},
		"cut@example.org": {Cut: true}, "kept@example.org": {Cut: true, Kept: true},
	}
	for _, stage := range []smtplab.Stage{smtplab.Recipient, smtplab.Data} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			var up atomic.Bool
			lab := smtplab.Start(t, smtplab.Options{Fault: func(a smtplab.Ask) smtplab.Answer {
				if a.Stage != stage || up.Load() || stage == smtplab.Recipient && replies[a.To].Cut {
					return smtplab.Answer{}
				}
				return replies[a.To]
			}})
			c := channelTo(t, serverOf(lab))
			for to, answer := range replies {
				if stage == smtplab.Recipient && answer.Cut {
					continue
				}
				m := trouble(to)
				fault := sendError(t, c, m)
				if fault.Permanent != (answer.Code >= 500) || fault.Unreachable || fault.After != 0 {
					t.Errorf("%s: %+v: %v", to, fault, fault)
				}
				if answer.Code != 0 && !strings.Contains(fault.Error(), fmt.Sprintf(": %d ", answer.Code)) {
					t.Errorf("%s: %v", to, fault)
				}
			}
			up.Store(true)
			for to := range replies {
				if err := c.Send(t.Context(), trouble(to)); err != nil {
					t.Errorf("%s: %v", to, err)
				}
			}
			counts := lab.Counts()
			for to := range replies {
				want := 1
				if to == "kept@example.org" && stage == smtplab.Data {
					want = 2
				}
				if got := counts["trouble-7.ops@example.org "+to]; got != want {
					t.Errorf("%s got %d", to, got)
				}
			}
			var kept [][]byte
			for _, letter := range lab.Messages() {
				if letter.To[0] == "kept@example.org" {
					kept = append(kept, letter.Data)
				}
			}
			if len(kept) == 2 && !bytes.Equal(kept[0], kept[1]) {
				t.Error("the second try is another mail")
			}
		})
	}
}

// TestContext holds that a delivery ends with its context, at any stage, and that this is
// nobody's fault.
func TestContext(t *testing.T) {
	t.Parallel()
	for _, stage := range []smtplab.Stage{smtplab.Greeting, smtplab.Sender, smtplab.Data} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			lab := smtplab.Start(t, smtplab.Options{Fault: func(a smtplab.Ask) smtplab.Answer {
				if a.Stage == stage {
					cancel()
					return smtplab.Answer{Delay: time.Minute}
				}
				return smtplab.Answer{}
			}})
			err := channelTo(t, serverOf(lab)).Send(ctx, trouble("alice@example.org"))
			var fault *state.SendError
			if !errors.As(err, &fault) || !errors.Is(err, context.Canceled) || fault.Permanent || fault.Unreachable {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestAtOnce holds that a channel can be used from several goroutines, and that each
// message arrives once.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	lab := smtplab.Start(t, smtplab.Options{})
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewChannel(Options{From: "ownmap@example.org", DKIM: DKIM{"example.org", "s1", pemOf(t, key)}}, serverOf(lab))
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	for i := range 12 {
		group.Go(func() error {
			m := trouble("alice@example.org")
			m.ID = fmt.Sprintf("at-once-%d", i)
			return c.Send(t.Context(), m)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	counts := lab.Counts()
	for id, n := range counts {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	if len(counts) != 12 {
		t.Errorf("%d messages", len(counts))
	}
}

// TestCheck holds that a check finds what every mail would fail of, and mails nothing.
func TestCheck(t *testing.T) {
	t.Parallel()
	lab := smtplab.Start(t, smtplab.Options{Fault: func(a smtplab.Ask) smtplab.Answer {
		if a.Stage == smtplab.Sender {
			return smtplab.Answer{Code: 553, Text: "not yours"}
		}
		return smtplab.Answer{}
	}})
	err := channelTo(t, serverOf(lab)).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "MAIL: 553 5.0.0 not yours") || len(lab.Messages()) != 0 {
		t.Errorf("%v", err)
	}
}

// TestTalkative holds that a server that never stops talking is left.
func TestTalkative(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		for err == nil {
			_, err = conn.Write([]byte("220-" + strings.Repeat("welcome ", 1000)))
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	c := channelTo(t, Server{Host: "127.0.0.1", Port: port})
	if fault := sendError(t, c, trouble("alice@example.org")); !fault.Unreachable || !strings.Contains(fault.Error(), "says more") {
		t.Errorf("%v", fault)
	}
}

// TestUTF8 holds that SMTPUTF8 is asked for only where an address needs it, and that a
// domain never does.
func TestUTF8(t *testing.T) {
	t.Parallel()
	able, unable := smtplab.Start(t, smtplab.Options{UTF8: true}), smtplab.Start(t, smtplab.Options{})
	for to, want := range map[string]string{
		"alice@example.org": "alice@example.org", "alice@bücher.example": "alice@xn--bcher-kva.example", "böb@example.org": "böb@example.org", `"a b"@example.org`: `a b@example.org`,
	} {
		for _, lab := range []*smtplab.Server{able, unable} {
			c, before := channelTo(t, serverOf(lab)), len(lab.Messages())
			if needs := !ascii(want); needs && lab == unable {
				if fault := sendError(t, c, trouble(to)); !fault.Permanent || !strings.Contains(fault.Error(), "SMTPUTF8") {
					t.Errorf("%s: %v", to, fault)
				}
				continue
			}
			if err := c.Send(t.Context(), trouble(to)); err != nil {
				t.Errorf("%s: %v", to, err)
				continue
			}
			if got := lab.Messages()[before]; got.To[0] != want || got.UTF8 != !ascii(want) {
				t.Errorf("%s: %q, %v", to, got.To, got.UTF8)
			}
		}
	}
	c := channelTo(t, serverOf(able))
	if fault := sendError(t, c, trouble("nobody")); !fault.Permanent {
		t.Errorf("no address at all: %+v", fault)
	}
}

// TestClear holds that no server, and nobody who stands in front of it, gets the password
// in the clear over a network: only on the machine itself is that no harm.
func TestClear(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		offered []string
		auth    Auth
		login   string // empty: none is tried
	}{
		{[]string{"PLAIN"}, AuthAuto, ""},
		{[]string{"PLAIN", "LOGIN"}, AuthAuto, ""},
		{[]string{"PLAIN", "LOGIN"}, AuthPlain, ""},
		{[]string{"PLAIN", "LOGIN"}, AuthLogin, ""},
		{[]string{"PLAIN", "CRAM-MD5"}, AuthAuto, "CRAM-MD5"},
		{[]string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-256"}, AuthAuto, "SCRAM-SHA-256"},
	} {
		lab := smtplab.Start(t, smtplab.Options{Plain: true, Mechanisms: tc.offered, User: "ownmap", Password: canary})
		server := serverOf(lab)
		server.TLS, server.Auth, server.User, server.Password = Opportunistic, tc.auth, "ownmap", state.NewSecret(canary)
		talk := &talk{channel: channelTo(t, server)}
		if err := talk.open(t.Context()); err != nil || !talk.loopback {
			t.Fatalf("%v, loopback %v", err, talk.loopback)
		}
		talk.loopback = false // as if it were far away
		err := talk.begin(t.Context())
		if tc.login == "" && (err == nil || !strings.Contains(err.Error(), "not sent in the clear") || len(lab.Logins()) != 0) {
			t.Errorf("%v, %s: %v, %v", tc.offered, tc.auth, err, lab.Logins())
		}
		if tc.login != "" && (err != nil || len(lab.Logins()) != 1 || lab.Logins()[0].Mechanism != tc.login) {
			t.Errorf("%v, %s: %v, %v", tc.offered, tc.auth, err, lab.Logins())
		}
		talk.close()
	}
}

// TestSCRAM holds that a server that does not know the password is not believed, and that
// none can keep the client busy.
func TestSCRAM(t *testing.T) {
	t.Parallel()
	begin := func() *mutual {
		m := &mutual{Auth: smtp.ScramSHA256Auth("ownmap", canary)}
		if _, err := m.Next(nil, true); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if _, err := begin().Next([]byte("2.0.0 OK"), false); !errors.Is(err, errProof) {
		t.Errorf("no proof: %v", err)
	}
	for _, rounds := range []string{"2000000000", "99999999999999999999", "-1", "0", "x"} {
		if _, err := begin().Next([]byte("r=a,s=YQ==,i="+rounds), true); !errors.Is(err, errRounds) {
			t.Errorf("%s rounds: %v", rounds, err)
		}
	}
	m := begin()
	if _, err := m.Next([]byte("v=bm90aGluZw=="), true); err == nil || m.proved {
		t.Errorf("a wrong proof is taken: %v", err)
	}
}

// TestServerMistakes holds what is found out before anything is sent.
func TestServerMistakes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := state.NewSecret(canary)
	for want, s := range map[string]Server{
		"host must be":          {},
		"the mail server":       {Host: "a b"},
		"is none of starttls":   {Host: "a", TLS: "ssl"},
		"is none of auto":       {Host: "a", Auth: "gssapi"},
		"no user":               {Host: "a", Password: secret},
		"no password":           {Host: "a", User: "u"},
		"in the clear":          {Host: "a", User: "u", Password: secret, TLS: NoTLS, Auth: AuthLogin},
		"port 70000":            {Host: "a", Port: 70000},
		"helo":                  {Host: "a", Helo: "a\r\nQUIT"},
		"ca_file":               {Host: "a", CAFile: file + "x"},
		"no certificate in PEM": {Host: "a", CAFile: file},
	} {
		_, err := NewChannel(Options{From: "ownmap@example.org"}, s)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%q: %v", want, err)
		}
	}
	for want, s := range map[string]Server{
		"mail.example.org:587": {}, "mail.example.org:465": {TLS: ImplicitTLS}, "mail.example.org:25": {TLS: NoTLS}, "mail.example.org:26": {Port: 26, TLS: Opportunistic},
	} {
		s.Host = "mail.example.org"
		c := channelTo(t, s)
		if c.Address() != want || (len(c.Warnings()) == 1) != (s.TLS == NoTLS || s.TLS == Opportunistic) {
			t.Errorf("%s, %q", c.Address(), c.Warnings())
		}
	}
}
