// Package access says who may do what on the web page: passwords, sessions, tokens,
// OpenID Connect, the header of a trusted proxy, and the one-time link for who sets the
// first user. It draws no page.
package access

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

// Store is what is remembered of who is let in. The identities of sessions and tokens
// in it are SHA-256.
type Store interface {
	Users(ctx context.Context) ([]state.User, error)
	User(ctx context.Context, name string) (state.User, error) // or state.ErrNoUser
	HasUsers(ctx context.Context) (bool, error)                // that are not disabled
	AddUser(ctx context.Context, u state.User, first bool, at time.Time, by state.Actor) (state.User, error)
	EditUser(ctx context.Context, name string, edit state.UserEdit, at time.Time, by state.Actor) (state.User, error)

	AddSession(ctx context.Context, id, instead []byte, s state.Session, idle time.Duration, by state.Actor) error
	Session(ctx context.Context, id []byte) (state.Session, error) // or state.ErrNoSession
	SeeSession(ctx context.Context, id []byte, at time.Time) error
	EndSession(ctx context.Context, id []byte) error

	AddAPIToken(ctx context.Context, sha256 []byte, t state.APIToken, by state.Actor) (int64, error)
	APITokens(ctx context.Context) ([]state.APIToken, error)
	APIToken(ctx context.Context, sha256 []byte) (state.APIToken, error) // or state.ErrNoToken
	UseAPIToken(ctx context.Context, id int64, at time.Time) error
	RevokeAPIToken(ctx context.Context, id int64, at time.Time, by state.Actor) (state.APIToken, error)
}

// Options is how people are let in. Store is required.
type Options struct {
	Store Store
	Users []state.User // of the config: they go before those of the store
	OIDC  *OIDC        // nil: there is none
	Proxy Proxies

	Base   string           // of the paths of the page: "", "/ownmap"
	Secure bool             // people reach the page over https
	Cost   int              // of bcrypt, for new passwords; 0: DefaultCost
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: none
}

// Guard says who makes a request, and lets people in. New makes one; it is safe for
// concurrent use.
type Guard struct {
	Options
	users    map[string]state.User // of the config
	costs    []int                 // of bcrypt, as users have them
	key      [32]byte              // of this process: for what is remembered of passwords, and to seal cookies
	failures *failures
	checks   chan struct{} // holds one for each password that is being checked
	basic    *basicCache
	link     link
	provider provider
}

// New returns a guard.
func New(o Options) *Guard {
	if o.Cost == 0 {
		o.Cost = DefaultCost
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g := &Guard{
		Options: o, users: make(map[string]state.User, len(o.Users)), costs: costsOf(o.Users, o.Cost),
		failures: newFailures(), checks: make(chan struct{}, checksAtOnce), basic: newBasicCache(),
	}
	_, _ = rand.Read(g.key[:]) // which never fails
	for _, u := range o.Users {
		u.Origin = state.ByConfig
		g.users[u.Name] = u
	}
	return g
}

// Open says whether anybody can sign in by now: without the one-time link.
func (g *Guard) Open(ctx context.Context) (bool, error) {
	if len(g.users) > 0 || g.OIDC != nil || g.Proxy.Header != "" {
		return true, nil
	}
	return g.Store.HasUsers(ctx)
}

// RefusedError is why somebody is not let in, or may not do something, in words that
// they may read.
type RefusedError struct {
	Status int           // of HTTP
	Text   string        // a sentence
	Hint   string        // the remedy; may be empty
	After  time.Duration // to wait before the next try; 0: nothing is said
}

// Error returns the sentence.
func (e *RefusedError) Error() string { return e.Text }

// user returns who has a name: of the config before those of the store.
func (g *Guard) user(ctx context.Context, name string) (state.User, error) {
	if u, found := g.users[name]; found {
		return u, nil
	}
	return g.Store.User(ctx, name)
}

// addressText is an address in the audit and the log; empty where there is none.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
