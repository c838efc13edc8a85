package access

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

// How long a session lasts: without being used, and at all. Who came through OpenID
// Connect comes again after a day, so that the provider's word is no older.
const (
	sessionIdle     = 12 * time.Hour
	sessionLife     = 7 * 24 * time.Hour
	sessionLifeOIDC = 24 * time.Hour
	sessionLifeLink = time.Hour
)

const idBytes = 32 // of a session or token: nobody guesses 256 bits

// randomID returns a secret number and the SHA-256 that is kept of it.
func randomID() (text string, sum []byte) {
	var id [idBytes]byte
	_, _ = rand.Read(id[:]) // which never fails
	return base64.RawURLEncoding.EncodeToString(id[:]), sumOf(id[:])
}

func sumOf(id []byte) []byte {
	sum := sha256.Sum256(id)
	return sum[:]
}

// SignIn checks a name and a password and begins a session.
func (g *Guard) SignIn(w http.ResponseWriter, r *http.Request, name, password string) error {
	u, err := g.Check(r.Context(), name, password, g.From(r))
	if err != nil {
		return err
	}
	return g.begin(w, r, userSession(u))
}

func userSession(u state.User) state.Session {
	s := state.Session{Name: u.Name, Role: u.Role, Origin: u.Origin, Stamp: stampOf(u)}
	if u.Origin == state.ByDatabase {
		s.User = &u
	}
	return s
}

// stampOf is of what lets a user in: with another password or role it is another one.
func stampOf(u state.User) []byte {
	h := sha256.New()
	for _, text := range []string{u.Name, string(u.Role), u.PasswordHash.Reveal()} {
		h.Write(sumOf([]byte(text)))
	}
	return h.Sum(nil)
}

// begin begins a session under a new secret number, in place of the one that the browser
// had: whoever knew that one knows nothing.
func (g *Guard) begin(w http.ResponseWriter, r *http.Request, s state.Session) error {
	s.CreatedAt, s.Address, s.Agent = g.Now(), addressText(g.From(r)), state.OneLine(r.UserAgent(), 200)
	s.ExpiresAt = s.CreatedAt.Add(lifeOf(s.Origin))
	id, sum := randomID()
	who := g.identityOf(s, g.From(r))
	if err := g.Store.AddSession(r.Context(), sum, g.sessionID(r), s, sessionIdle, who.Actor()); err != nil {
		return err
	}
	g.Log.InfoContext(r.Context(), "signed in", "user", s.Name, "how", who.Via, "from", s.Address)
	http.SetCookie(w, g.cookie(g.sessionCookie(), id, s.ExpiresAt.Sub(s.CreatedAt)))
	return nil
}

func lifeOf(origin state.SignIn) time.Duration {
	switch origin {
	case state.ByLink:
		return sessionLifeLink
	case state.ByOIDC:
		return sessionLifeOIDC
	case state.ByConfig, state.ByDatabase, state.ByProxy:
	}
	return sessionLife
}

// identityOf is who a session is of.
func (g *Guard) identityOf(s state.Session, from netip.Addr) state.Identity {
	who := state.Identity{Name: s.Name, Role: s.Role, Via: state.ViaSession, Origin: s.Origin, From: from}
	switch s.Origin {
	case state.ByOIDC:
		who.Via = state.ViaOIDC
	case state.ByLink:
		who.Via = state.ViaLink
	case state.ByConfig, state.ByDatabase, state.ByProxy:
	}
	return who
}

// SignOut ends the session of a browser.
func (g *Guard) SignOut(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, g.cookie(g.sessionCookie(), "", -time.Second))
	if sum := g.sessionID(r); sum != nil {
		return g.Store.EndSession(r.Context(), sum)
	}
	return nil
}

func (g *Guard) bySession(r *http.Request, from netip.Addr) (state.Identity, bool, error) {
	sum := g.sessionID(r)
	if sum == nil {
		return state.Identity{}, false, nil
	}
	s, err := g.Store.Session(r.Context(), sum)
	if errors.Is(err, state.ErrNoSession) {
		return state.Identity{}, false, nil
	}
	if err != nil {
		return state.Identity{}, false, err
	}
	now := g.Now()
	if !now.Before(s.ExpiresAt) || now.Sub(s.SeenAt) >= sessionIdle {
		return state.Identity{}, false, nil
	}
	if holds, err := g.holds(r, s); err != nil || !holds {
		return state.Identity{}, false, err
	}
	if now.Sub(s.SeenAt) >= noteEvery {
		if err := g.Store.SeeSession(r.Context(), sum, now); err != nil {
			g.Log.WarnContext(r.Context(), "note the use of a session", "error", err)
		}
	}
	return g.identityOf(s, from), true, nil
}

// holds says whether what the sign-in of a session rested on is still so: the password
// and role of a user who is let in, the rules for OpenID Connect, the one-time link of
// this process while there is no user.
func (g *Guard) holds(r *http.Request, s state.Session) (bool, error) {
	configured, isConfigured := g.users[s.Name]
	switch s.Origin {
	case state.ByConfig:
		return isConfigured && bytes.Equal(s.Stamp, stampOf(configured)), nil
	case state.ByDatabase:
		return !isConfigured && s.User != nil && s.User.DisabledAt == nil && bytes.Equal(s.Stamp, stampOf(*s.User)), nil
	case state.ByOIDC:
		return g.OIDC != nil && bytes.Equal(s.Stamp, g.OIDC.stamp()), nil
	case state.ByLink:
		open, err := g.Open(r.Context())
		return err == nil && !open && bytes.Equal(s.Stamp, g.linkStamp()), err
	case state.ByProxy:
	}
	return false, nil
}

// sessionCookie is the name of the cookie. Browsers hold what the prefixes promise (RFC
// 6265bis, section 4.1.3): __Host- that no other host set it, but then it is sent to all
// of this host, and so to others who live there under another path.
func (g *Guard) sessionCookie() string {
	switch {
	case g.Secure && g.Base == "":
		return "__Host-ownmap_session"
	case g.Secure:
		return "__Secure-ownmap_session"
	}
	return "ownmap_session"
}

func (g *Guard) cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: g.Base + "/", MaxAge: int(life / time.Second), Secure: g.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// sessionID returns the SHA-256 of the secret number that a browser sends; nil if none.
func (g *Guard) sessionID(r *http.Request) []byte {
	cookie, err := r.Cookie(g.sessionCookie())
	if err != nil {
		return nil
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(cookie.Value)
	if err != nil || len(id) != idBytes {
		return nil
	}
	return sumOf(id)
}
