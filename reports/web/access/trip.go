package access

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// tripLife is how long a sign-in at the provider may take.
const tripLife = 10 * time.Minute

// trip is what has to be remembered while a browser is at the provider. It travels in a
// cookie that only this process can read or make.
type trip struct {
	State, Nonce, Verifier, Next string
	At                           time.Time
}

func (g *Guard) tripCookie() string { return g.sessionCookie() + "_oidc" }

func (g *Guard) sealer() (cipher.AEAD, error) {
	key := g.sealKey()
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (g *Guard) seal(t trip) (string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	aead, err := g.sealer()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(text)+aead.Overhead())
	_, _ = rand.Read(nonce) // which never fails
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, text, nil)), nil
}

// unseal returns the trip that a browser comes back from.
func (g *Guard) unseal(r *http.Request) (trip, error) {
	cookie, err := r.Cookie(g.tripCookie())
	if err != nil {
		return trip{}, err
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return trip{}, err
	}
	aead, err := g.sealer()
	if err != nil {
		return trip{}, err
	}
	if len(sealed) < aead.NonceSize() {
		return trip{}, errors.New("too short")
	}
	text, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], nil)
	if err != nil {
		return trip{}, err
	}
	var t trip
	if err := json.Unmarshal(text, &t); err != nil {
		return trip{}, err
	}
	if g.Now().Sub(t.At) > tripLife {
		return trip{}, errors.New("too old")
	}
	return t, nil
}
