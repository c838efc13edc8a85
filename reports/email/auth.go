package email

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// auth returns how to log in.
func (t *talk) auth() (smtp.Auth, error) {
	server := t.channel.server
	_, mechanisms := t.client.Extension("AUTH")
	offered := strings.Fields(strings.ToLower(mechanisms))
	safe := t.secure || t.loopback
	way := server.Auth
	if way == AuthAuto {
		ways := []Auth{AuthSCRAMSHA256, AuthPlain, AuthLogin, AuthCRAMMD5}
		if !safe {
			ways = []Auth{AuthSCRAMSHA256, AuthCRAMMD5} // the password itself is not sent
		}
		i := slices.IndexFunc(ways, func(a Auth) bool { return slices.Contains(offered, string(a)) })
		if i < 0 && !safe && len(offered) > 0 {
			return nil, errors.New("the password is not sent in the clear, and the server offers no other AUTH than " + strings.Join(offered, " "))
		}
		if i < 0 {
			return nil, fmt.Errorf("the server offers none of the ways to log in that there are here, but %q", mechanisms)
		}
		way = ways[i]
	}
	switch {
	case !slices.Contains(offered, string(way)):
		return nil, fmt.Errorf("the server does not offer %s, but %q", way, mechanisms)
	case !safe && (way == AuthPlain || way == AuthLogin):
		return nil, errors.New("the password is not sent in the clear")
	}
	switch password := server.Password.Reveal(); way {
	case AuthSCRAMSHA256:
		return &mutual{Auth: smtp.ScramSHA256Auth(server.User, password)}, nil
	case AuthCRAMMD5:
		return smtp.CRAMMD5Auth(server.User, password), nil
	case AuthPlain:
		return smtp.PlainAuth("", server.User, password, server.Host, t.loopback), nil
	case AuthLogin:
		return smtp.LoginAuth(server.User, password, server.Host, t.loopback), nil
	case AuthAuto:
	}
	return nil, fmt.Errorf("no way to log in by %s", way)
}

// mutual adds to go-mail's SCRAM what it leaves out: that the server has to prove that it
// knows the password too (RFC 5802, 5), and that it may not ask for hours of work.
type mutual struct {
	smtp.Auth
	proved bool
}

// mostRounds is how many rounds of a hash a server may ask for. Usual are 4,096 to 600,000.
const mostRounds = 5_000_000

var (
	errRounds = errors.New("SCRAM: the server asks for too many rounds")
	errProof  = errors.New("SCRAM: the server did not prove that it knows the password")
)

// Next goes one step on.
func (m *mutual) Next(said []byte, more bool) ([]byte, error) {
	if _, rounds, ok := bytes.Cut(said, []byte(",i=")); ok && more && bytes.HasPrefix(said, []byte("r=")) {
		digits, _, _ := strings.Cut(string(rounds), ",")
		if n, err := strconv.Atoi(digits); err != nil || n < 1 || n > mostRounds {
			return nil, errRounds
		}
	}
	if !more && !m.proved {
		return nil, errProof
	}
	answer, err := m.Auth.Next(said, more)
	m.proved = m.proved || more && err == nil && bytes.HasPrefix(said, []byte("v="))
	return answer, err
}
