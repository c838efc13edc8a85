package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// noteEvery is how old what is noted of the last use may get, of sessions and tokens:
// to look at pages should not write all the time.
const noteEvery = 5 * time.Minute

// Identify returns who makes a request; ok is false where nobody has signed in. It
// believes, in this order: a token, a session, a trusted proxy, a name and password
// (HTTP Basic). A RefusedError says that wrong passwords came too often.
func (g *Guard) Identify(r *http.Request) (who state.Identity, ok bool, err error) {
	ctx, from := r.Context(), g.From(r)
	if token, has := bearer(r); has {
		return g.byToken(ctx, token, from)
	}
	if who, ok, err = g.bySession(r, from); ok || err != nil {
		return who, ok, err
	}
	if name, role, has := g.Proxy.user(r); has {
		return state.Identity{Name: name, Role: role, Via: state.ViaProxy, Origin: state.ByProxy, From: from}, true, nil
	}
	if name, password, has := r.BasicAuth(); has {
		return g.byBasic(ctx, name, password, from)
	}
	return state.Identity{From: from}, false, nil // who follows a link to approve need not sign in
}

// TokenPrefix is how every token begins, for who looks for leaked ones.
const TokenPrefix = "ownmap_"

// bearer returns the token of a request (RFC 6750, section 2.1).
func bearer(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

func (g *Guard) byToken(ctx context.Context, token string, from netip.Addr) (state.Identity, bool, error) {
	if !strings.HasPrefix(token, TokenPrefix) {
		return state.Identity{}, false, nil
	}
	sum := sha256.Sum256([]byte(token))
	t, err := g.Store.APIToken(ctx, sum[:])
	if errors.Is(err, state.ErrNoToken) {
		return state.Identity{}, false, nil
	}
	if err != nil {
		return state.Identity{}, false, err
	}
	now, role := g.Now(), g.tokenRole(t)
	if !t.Alive(now) || role == state.Nobody {
		return state.Identity{}, false, nil
	}
	if t.UsedAt == nil || now.Sub(*t.UsedAt) >= noteEvery {
		if err := g.Store.UseAPIToken(ctx, t.ID, now); err != nil {
			g.Log.WarnContext(ctx, "note the use of a token", "error", err)
		}
	}
	return state.Identity{Name: t.By, Role: role, Via: state.ViaToken, Origin: t.Origin, Token: t.Name, From: from}, true, nil
}

// tokenRole is what a token may do: never more than who made it may do now. Whoever is
// let in no more has no tokens.
func (g *Guard) tokenRole(t state.APIToken) state.Role {
	switch t.Origin {
	case state.ByConfig:
		return lesser(t.Role, g.users[t.By].Role)
	case state.ByDatabase:
		if _, configured := g.users[t.By]; configured || t.Maker == nil || t.Maker.DisabledAt != nil {
			return state.Nobody
		}
		return lesser(t.Role, t.Maker.Role)
	case state.ByOIDC:
		if g.OIDC == nil {
			return state.Nobody
		}
	case state.ByProxy:
		if g.Proxy.Header == "" {
			return state.Nobody
		}
	case state.ByLink:
		return state.Nobody
	}
	return t.Role
}

func lesser(a, b state.Role) state.Role {
	if a.May(b) {
		return b
	}
	return a
}

// byBasic checks a name and a password, and remembers for a while what came of it.
func (g *Guard) byBasic(ctx context.Context, name, password string, from netip.Addr) (state.Identity, bool, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	u, err := g.user(ctx, name)
	if err != nil && !errors.Is(err, state.ErrNoUser) {
		return state.Identity{}, false, err
	}
	who := state.Identity{Name: u.Name, Role: u.Role, Via: state.ViaBasic, Origin: u.Origin, From: from}
	key := g.mac("basic", []byte(name), []byte(u.PasswordHash.Reveal()), []byte(password))
	right, known := g.basic.get(key, g.Now())
	if !known {
		if right, err = g.basic.once(key, func() (bool, error) { return g.right(ctx, name, password, from) }, g.Now); err != nil {
			return state.Identity{}, false, err
		}
	}
	if !right || u.DisabledAt != nil {
		return state.Identity{}, false, nil
	}
	return who, true, nil
}

// right says whether a password is right; an error says that it was not checked.
func (g *Guard) right(ctx context.Context, name, password string, from netip.Addr) (bool, error) {
	// Others may wait for the same answer.
	_, err := g.Check(context.WithoutCancel(ctx), name, password, from)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized {
		return false, nil
	}
	return err == nil, err
}
