package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ownmap/pipeline/state"
)

// OIDC is a provider of OpenID Connect, and whom of its users the page lets in.
type OIDC struct {
	Issuer, ClientID string
	ClientSecret     state.Secret // empty: a public client
	RedirectURL      string       // where the provider sends people back to: CallbackPath of the page
	Allow, Admins    People       // admins are to be allowed too
	GroupsClaim      string       // that lists the groups of a user; empty: groups are not looked at
	Client           *http.Client // that calls the provider; nil: http.DefaultClient
}

// The paths of the sign-in over OpenID Connect, below the base of the page.
const (
	StartPath    = "/oidc/start"
	CallbackPath = "/oidc/callback"
)

// stamp is of the rules: when they change, everybody is asked anew.
func (o *OIDC) stamp() []byte {
	text, err := json.Marshal([]any{o.Issuer, o.ClientID, o.Allow, o.Admins, o.GroupsClaim})
	if err != nil { // which cannot be
		return nil
	}
	return sumOf(text)
}

// provider is what the provider says of itself, once it could be asked.
type provider struct {
	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
	known    *oidc.Provider
	oauth    oauth2.Config
}

// discover asks the provider for its addresses and keys (OpenID Connect Discovery 1.0).
// One that is down now is asked again the next time.
func (g *Guard) discover(ctx context.Context) (*provider, error) {
	p := &g.provider
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p, nil
	}
	known, err := oidc.NewProvider(ctx, g.OIDC.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		Scopes []string `json:"scopes_supported"`
	}
	if err := known.Claims(&says); err != nil {
		return nil, err
	}
	scopes := []string{oidc.ScopeOpenID, "profile", "email"}
	if g.OIDC.GroupsClaim != "" && slices.Contains(says.Scopes, "groups") {
		scopes = append(scopes, "groups")
	}
	p.known, p.verifier = known, known.Verifier(&oidc.Config{ClientID: g.OIDC.ClientID, Now: g.Now})
	p.oauth = oauth2.Config{
		ClientID: g.OIDC.ClientID, ClientSecret: g.OIDC.ClientSecret.Reveal(), Endpoint: known.Endpoint(), RedirectURL: g.OIDC.RedirectURL, Scopes: scopes,
	}
	return p, nil
}

// calling returns a context in which the provider is called.
func (g *Guard) calling(ctx context.Context) context.Context {
	client := g.OIDC.Client
	if client == nil {
		client = http.DefaultClient
	}
	return oidc.ClientContext(ctx, client)
}

// StartOIDC sends a browser to the provider: for a code (RFC 6749, section 4.1), which is
// bound to this browser by state and nonce, and to this process by PKCE (RFC 7636).
func (g *Guard) StartOIDC(w http.ResponseWriter, r *http.Request, next string) error {
	if g.OIDC == nil {
		return &RefusedError{Status: http.StatusNotFound, Text: "OpenID Connect is not set up here."}
	}
	p, err := g.discover(g.calling(r.Context()))
	if err != nil {
		return g.providerFault(r, "ask the provider for its addresses", err)
	}
	t := trip{Next: SafeNext(next), Verifier: oauth2.GenerateVerifier(), At: g.Now()}
	t.State, _ = randomID()
	t.Nonce, _ = randomID()
	sealed, err := g.seal(t)
	if err != nil {
		return err
	}
	http.SetCookie(w, g.cookie(g.tripCookie(), sealed, tripLife))
	http.Redirect(w, r, p.oauth.AuthCodeURL(t.State, oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)), http.StatusSeeOther)
	return nil
}

// FinishOIDC takes back whom the provider sends, and begins their session. It returns the
// path where they wanted to go.
func (g *Guard) FinishOIDC(w http.ResponseWriter, r *http.Request) (next string, err error) {
	stale := &RefusedError{Status: http.StatusBadRequest, Text: "This sign-in was not begun in this browser, or too long ago.", Hint: "Sign in again."}
	if g.OIDC == nil || r.Method != http.MethodGet {
		return "", stale
	}
	t, err := g.unseal(r)
	if err != nil {
		return "", stale
	}
	http.SetCookie(w, g.cookie(g.tripCookie(), "", -time.Second))
	query := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(t.State)) != 1 {
		return "", stale
	}
	if issuer := query.Get("iss"); issuer != "" && issuer != g.OIDC.Issuer { // RFC 9207
		return "", stale
	}
	if code := query.Get("error"); code != "" {
		return "", &RefusedError{Status: http.StatusForbidden, Text: "The provider did not sign you in: " + state.OneLine(code, 100) + ".", Hint: state.OneLine(query.Get("error_description"), 300)}
	}
	claims, err := g.claims(g.calling(r.Context()), query.Get("code"), t)
	if err != nil {
		return "", g.providerFault(r, "check the provider's word", err)
	}
	name, role, err := g.OIDC.decide(claims)
	if err != nil {
		g.Log.WarnContext(r.Context(), "sign-in refused", "user", state.OneLine(name, 200), "how", state.ViaOIDC, "from", addressText(g.From(r)), "why", err)
		return "", err
	}
	return t.Next, g.begin(w, r, state.Session{Name: name, Role: role, Origin: state.ByOIDC, Stamp: g.OIDC.stamp()})
}

// claims exchanges a code for what the provider says of who signed in.
func (g *Guard) claims(ctx context.Context, code string, t trip) (claims, error) {
	p, err := g.discover(ctx)
	if err != nil {
		return nil, err
	}
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return nil, err
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("the provider sent no ID token")
	}
	id, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(t.Nonce)) != 1 {
		return nil, errors.New("the ID token is of another sign-in")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, err
		}
	}
	all := claims{}
	if err := id.Claims(&all); err != nil {
		return nil, err
	}
	if p.known.UserInfoEndpoint() == "" || all["email"] != nil && (g.OIDC.GroupsClaim == "" || all[g.OIDC.GroupsClaim] != nil) {
		return all, nil
	}
	info, err := p.known.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	if info.Subject != id.Subject {
		return nil, fmt.Errorf("the provider tells of %q where %q signed in", state.OneLine(info.Subject, 100), state.OneLine(id.Subject, 100))
	}
	return all, info.Claims(&all)
}

// providerFault logs what went wrong with the provider, whose words stay in the log.
func (g *Guard) providerFault(r *http.Request, doing string, err error) error {
	g.Log.ErrorContext(r.Context(), "OpenID Connect failed", "issuer", g.OIDC.Issuer, "doing", doing, "error", state.OneLine(err.Error(), 1000))
	return &RefusedError{Status: http.StatusBadGateway, Text: "The sign-in with the provider failed.", Hint: "OwnMap's log says why. Try again, or sign in with a password."}
}

// sealKey is the key of sealed cookies.
func (g *Guard) sealKey() [sha256.Size]byte { return g.mac("seal") }
