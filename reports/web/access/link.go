package access

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"ownmap/pipeline/state"
)

// linkLife is how long the one-time link is good.
const linkLife = time.Hour

// FirstSignIn is the name of who came by the one-time link.
const FirstSignIn = "first sign-in"

// link lets in, once, whoever can read the terminal of the process, to set the first user.
type link struct {
	mu    sync.Mutex
	sum   []byte // of the token; nil: there is none, or it was used
	until time.Time
	stamp []byte // of the sessions that it began
}

// OfferLink returns the token of a new one-time link, in place of an earlier one; the
// empty token while anybody can sign in without it.
func (g *Guard) OfferLink(ctx context.Context) (string, error) {
	if open, err := g.Open(ctx); err != nil || open {
		return "", err
	}
	token, sum := randomID()
	g.link.mu.Lock()
	defer g.link.mu.Unlock()
	g.link.sum, g.link.until = sum, g.Now().Add(linkLife)
	_, g.link.stamp = randomID()
	return token, nil
}

// TryLink says whether a token of the one-time link is good; else it is a RefusedError.
func (g *Guard) TryLink(ctx context.Context, token string) error {
	open, err := g.Open(ctx)
	if err != nil {
		return err
	}
	g.link.mu.Lock()
	defer g.link.mu.Unlock()
	if open || !g.isLink(token) {
		return errNoLink()
	}
	return nil
}

func errNoLink() error {
	return &RefusedError{
		Status: http.StatusGone, Text: "This sign-in link was used, or its time is over.",
		Hint: "While there is no user, ownmap serve prints a new one when it starts.",
	}
}

func (g *Guard) isLink(token string) bool {
	id, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return err == nil && g.link.sum != nil && g.Now().Before(g.link.until) && subtle.ConstantTimeCompare(sumOf(id), g.link.sum) == 1
}

// UseLink signs in by the one-time link, as an admin who can set the first user.
func (g *Guard) UseLink(w http.ResponseWriter, r *http.Request, token string) error {
	if err := g.TryLink(r.Context(), token); err != nil {
		return err
	}
	stamp, sum := g.takeLink(token)
	if stamp == nil {
		return errNoLink()
	}
	err := g.begin(w, r, state.Session{Name: FirstSignIn, Role: state.Admin, Origin: state.ByLink, Stamp: stamp})
	if err != nil {
		g.link.mu.Lock()
		defer g.link.mu.Unlock()
		g.link.sum = sum
	}
	return err
}

// takeLink uses the link up: nobody else can.
func (g *Guard) takeLink(token string) (stamp, sum []byte) {
	g.link.mu.Lock()
	defer g.link.mu.Unlock()
	if !g.isLink(token) {
		return nil, nil
	}
	sum, g.link.sum = g.link.sum, nil
	return g.link.stamp, sum
}

func (g *Guard) linkStamp() []byte {
	g.link.mu.Lock()
	defer g.link.mu.Unlock()
	return g.link.stamp
}
