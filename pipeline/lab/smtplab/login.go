package smtplab

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // CRAM-MD5 is of it
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
)

var errMechanism = errors.New("no such mechanism")

// newLogin returns the server's side of a mechanism of SASL. done is told whether name
// and password were right and says what the client gets to hear.
func newLogin(mechanism, user, password string, done func(ok bool) error) (sasl.Server, error) {
	switch mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, name, given string) error { return done(name == user && given == password) }), nil
	case sasl.Login:
		return &steps{run: login(user, password, done)}, nil
	case "CRAM-MD5":
		return &steps{run: cramMD5(user, password, done)}, nil
	case "SCRAM-SHA-256":
		return scramSHA256(user, password, done)
	}
	return nil, errMechanism
}

// steps is a mechanism as a function from what the client says to what it is asked next.
type steps struct {
	run  func(step int, said []byte) (ask []byte, done bool, err error)
	step int
}

// Next goes one step on.
func (s *steps) Next(said []byte) ([]byte, bool, error) {
	s.step++
	return s.run(s.step-1, said)
}

// login is LOGIN, which no RFC describes: name and password, each asked for.
func login(user, password string, done func(bool) error) func(int, []byte) ([]byte, bool, error) {
	name := ""
	return func(step int, said []byte) ([]byte, bool, error) {
		switch step {
		case 0:
			return []byte("Username:"), false, nil
		case 1:
			name = string(said)
			return []byte("Password:"), false, nil
		}
		return nil, true, done(name == user && string(said) == password)
	}
}

// cramMD5 is RFC 2195.
func cramMD5(user, password string, done func(bool) error) func(int, []byte) ([]byte, bool, error) {
	const challenge = "<1896.697170952@mail.example.org>"
	return func(step int, said []byte) ([]byte, bool, error) {
		if step == 0 {
			return []byte(challenge), false, nil
		}
		mac := hmac.New(md5.New, []byte(password))
		mac.Write([]byte(challenge))
		return nil, true, done(string(said) == user+" "+hex.EncodeToString(mac.Sum(nil)))
	}
}

// scramSHA256 is RFC 7677.
func scramSHA256(user, password string, done func(bool) error) (sasl.Server, error) {
	client, err := scram.SHA256.NewClient(user, password, "")
	if err != nil {
		return nil, err
	}
	stored := client.GetStoredCredentials(scram.KeyFactors{Salt: "smtplab salt", Iters: 4096})
	server, err := scram.SHA256.NewServer(func(name string) (scram.StoredCredentials, error) {
		if name != user {
			return scram.StoredCredentials{}, fmt.Errorf("unknown user %q", name)
		}
		return stored, nil
	})
	if err != nil {
		return nil, err
	}
	talk := server.NewConversation()
	return &steps{run: func(step int, said []byte) ([]byte, bool, error) {
		if step == 0 && len(said) == 0 { // the client waits to be asked
			return nil, false, nil
		}
		if talk.Valid() { // the client has said that it believes the server
			return nil, true, done(true)
		}
		answer, err := talk.Step(string(said))
		if err != nil {
			return nil, true, done(false)
		}
		return []byte(answer), false, nil
	}}, nil
}
