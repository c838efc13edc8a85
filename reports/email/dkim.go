package email

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"ownmap/pipeline/state"
)

// DKIM is who signs mails (RFC 6376). The zero value is nobody.
type DKIM struct {
	Domain   string       // of the public key, and of the signature
	Selector string       // name of the key in the domain
	Key      state.Secret // PEM: RSA of 2048 bits and more (PKCS #1 or #8), or Ed25519 (RFC 8463)
}

type signer struct {
	domain, selector string
	key              crypto.Signer
}

// newSigner returns nil where nothing is to be signed. No error holds any of the key.
func newSigner(d DKIM) (*signer, error) {
	if d == (DKIM{}) {
		return nil, nil
	}
	for what, name := range map[string]string{"domain": d.Domain, "selector": d.Selector} {
		if name == "" || len(name) > 63 || strings.Trim(name, idLetters+"_") != "" {
			return nil, fmt.Errorf("mail: the %s of DKIM must be a name of at most 63 letters, digits, dots and hyphens", what)
		}
	}
	key, err := gomail.PrivKeyFromPEM([]byte(d.Key.Reveal()))
	if err != nil {
		return nil, errors.New("mail: the key of DKIM is no RSA or Ed25519 key in PEM")
	}
	if private, ok := key.(*rsa.PrivateKey); ok && private.N.BitLen() < 2048 {
		return nil, fmt.Errorf("mail: the key of DKIM has %d bits: servers do not trust fewer than 2048 (RFC 8301)", private.N.BitLen())
	}
	return &signer{d.Domain, d.Selector, key}, nil
}

// sign lets a message be signed as of a time, so that it is the same each time that it is
// made.
func (s *signer) sign(msg *gomail.Msg, at time.Time) {
	signer := gomail.NewDKIMSigner(s.domain, s.selector, s.key)
	signer.NowFunc = func() time.Time { return at }
	// The library breaks a list of more than 71 bytes in the middle of a name, and no
	// verifier takes the signature then. All but date and type are named twice: nobody may
	// add another one.
	signer.SignHeaders("From", "To", "Reply-To", "Subject", "Date", "Content-Type")
	signer.OversignHeaders("From", "To", "Reply-To", "Subject")
	msg.SetDKIM(signer)
}
