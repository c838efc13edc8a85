package access

import (
	"context"
	"net/http"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// borrowedLife bounds the tokens of those whom OwnMap does not know itself: nobody tells
// it when a provider or a proxy lets them in no more.
const borrowedLife = 90 * 24 * time.Hour

// NewSecretToken returns a new token, and the SHA-256 that is kept of it.
func NewSecretToken() (token string, sum []byte) {
	text, _ := randomID()
	token = TokenPrefix + text
	return token, sumOf([]byte(token))
}

// CreateToken makes a token that may do as much as who makes it, or less, and returns it:
// it is shown once.
func (g *Guard) CreateToken(ctx context.Context, who state.Identity, name string, role state.Role, expires *time.Time) (string, error) {
	now := g.Now()
	switch {
	case who.Via == state.ViaToken:
		return "", refuse(http.StatusForbidden, "A token cannot make tokens.", "Sign in yourself for that.")
	case who.Origin == state.ByLink:
		return "", refuse(http.StatusForbidden, "First set a user: the token would be nobody's.", "")
	case role == state.Nobody || !who.Role.May(role):
		return "", refuse(http.StatusForbidden, "A token cannot do more than you.", "Your role is "+string(who.Role)+".")
	case expires != nil && !expires.After(now):
		return "", refuse(http.StatusUnprocessableEntity, "The token would have ended already.", "")
	}
	if who.Origin == state.ByOIDC || who.Origin == state.ByProxy {
		if latest := now.Add(borrowedLife); expires == nil || expires.After(latest) {
			expires = &latest
		}
	}
	if err := state.CheckTokenName(name); err != nil {
		return "", unusable(err)
	}
	t := state.APIToken{Name: name, Role: role, By: who.Name, Origin: who.Origin, CreatedAt: now, ExpiresAt: expires}
	if who.Origin == state.ByDatabase {
		maker, err := g.Store.User(ctx, who.Name)
		if err != nil {
			return "", inWords(err)
		}
		t.Maker = &maker
	}
	token, sum := NewSecretToken()
	if _, err := g.Store.AddAPIToken(ctx, sum, t, who.Actor()); err != nil {
		return "", inWords(err)
	}
	return token, nil
}

// Tokens returns the tokens that somebody may see: admins all of them, others their own.
// Those that were revoked are not among them.
func (g *Guard) Tokens(ctx context.Context, who state.Identity) ([]state.APIToken, error) {
	all, err := g.Store.APITokens(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(t state.APIToken) bool { return t.RevokedAt != nil || !mayRevoke(who, t) }), nil
}

// RevokeToken ends a token for good.
func (g *Guard) RevokeToken(ctx context.Context, who state.Identity, id int64) (state.APIToken, error) {
	all, err := g.Tokens(ctx, who)
	if err != nil {
		return state.APIToken{}, err
	}
	if !slices.ContainsFunc(all, func(t state.APIToken) bool { return t.ID == id }) {
		return state.APIToken{}, inWords(state.ErrNoToken)
	}
	t, err := g.Store.RevokeAPIToken(ctx, id, g.Now(), who.Actor())
	return t, inWords(err)
}

func mayRevoke(who state.Identity, t state.APIToken) bool {
	return who.Role.May(state.Admin) || t.By == who.Name && t.Origin == who.Origin
}
