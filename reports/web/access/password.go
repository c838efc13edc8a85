package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"ownmap/pipeline/state"
)

// DefaultCost is that of bcrypt: about 0.4 s for each check.
const DefaultCost = 12

// checksAtOnce is how many passwords are checked at once, so that somebody who tries
// many does not take the machine; checkPatience is how long a check waits for its turn.
const (
	checksAtOnce  = 2
	checkPatience = 10 * time.Second
)

// Hash returns what is kept of a password. One that nobody may have is an error of
// state.CheckPassword.
func Hash(password, name string, cost int) (state.Secret, error) {
	if err := state.CheckPassword(password, name); err != nil {
		return state.Secret{}, err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return state.Secret{}, fmt.Errorf("hash the password: %w", err)
	}
	return state.NewSecret(string(hash)), nil
}

// Check returns the user of a name and a password. Anything else is a RefusedError that
// does not say what was wrong, and takes as long; after too many of them it is one that
// says how long to wait.
func (g *Guard) Check(ctx context.Context, name, password string, from netip.Addr) (state.User, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	who := suspectOf(name, from)
	if wait := g.failures.wait(who, g.Now()); wait > 0 {
		return state.User{}, tooMany(wait)
	}
	done, err := g.turn(ctx)
	if err != nil {
		return state.User{}, err
	}
	defer done()
	at := g.Now()
	if wait := g.failures.begin(who, at); wait > 0 {
		return state.User{}, tooMany(wait)
	}
	u, err := g.user(ctx, name)
	known := err == nil
	if err != nil && !errors.Is(err, state.ErrNoUser) {
		g.failures.forgive(who, at, false)
		return state.User{}, err
	}
	if !known {
		u.PasswordHash = g.nobodysHash(name)
	}
	right := matches(u.PasswordHash, password)
	if !known || !right || u.DisabledAt != nil {
		g.Log.WarnContext(ctx, "sign-in refused", "user", state.Clean(who.name), "from", addressText(from))
		return state.User{}, &RefusedError{Status: http.StatusUnauthorized, Text: "Name or password is wrong.", Hint: "An admin can give you a new password."}
	}
	g.failures.forgive(who, at, true)
	return u, nil
}

func tooMany(wait time.Duration) error {
	wait = wait.Truncate(time.Second) + time.Second
	return &RefusedError{Status: http.StatusTooManyRequests, Text: fmt.Sprintf("Too many wrong passwords: wait %s.", wait), Hint: "Who is signed in already stays so.", After: wait}
}

// turn waits until a password may be checked, or made.
func (g *Guard) turn(ctx context.Context) (done func(), err error) {
	patience, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	select {
	case g.checks <- struct{}{}:
		return func() { <-g.checks }, nil
	case <-patience.Done():
		return nil, &RefusedError{Status: http.StatusServiceUnavailable, Text: "Too many passwords are being checked.", Hint: "Try again.", After: checkPatience}
	}
}

// hash is Hash in its turn.
func (g *Guard) hash(ctx context.Context, password, name string) (state.Secret, error) {
	done, err := g.turn(ctx)
	if err != nil {
		return state.Secret{}, err
	}
	defer done()
	hash, err := Hash(password, name, g.Cost)
	if err != nil {
		return state.Secret{}, unusable(err)
	}
	return hash, nil
}

// unusable says that what was typed cannot be used.
func unusable(err error) error {
	text := err.Error()
	return &RefusedError{Status: http.StatusUnprocessableEntity, Text: strings.ToUpper(text[:1]) + text[1:] + "."}
}

// matches says whether a hash is of a password. One that is too long is of no user: bcrypt
// would look at its beginning alone.
func matches(hash state.Secret, password string) bool {
	short := password[:min(len(password), state.MaxPassword)]
	err := bcrypt.CompareHashAndPassword([]byte(hash.Reveal()), []byte(short))
	return err == nil && len(short) == len(password)
}

// nobodysHash is a hash that no password has. Checking one against it takes as long as
// against that of some user, the same one each time for the same name.
func (g *Guard) nobodysHash(name string) state.Secret {
	sum := g.mac("nobody", []byte(name))
	cost := g.costs[binary.BigEndian.Uint64(sum[:8])%uint64(len(g.costs))]
	return state.NewSecret(fmt.Sprintf("$2a$%02d$%s", cost, strings.Repeat("abcdefghi.", 6)[:53]))
}

// costsOf returns the costs of bcrypt that users have, or will have.
func costsOf(users []state.User, cost int) []int {
	costs := []int{cost}
	for _, u := range users {
		if c, err := bcrypt.Cost([]byte(u.PasswordHash.Reveal())); err == nil {
			costs = append(costs, c)
		}
	}
	slices.Sort(costs)
	return costs
}

// mac returns a keyed digest that no other process can make: of texts for one purpose.
// Each has a fixed length in it, so that none can reach into the next.
func (g *Guard) mac(purpose string, texts ...[]byte) [sha256.Size]byte {
	h := hmac.New(sha256.New, g.key[:])
	for _, text := range append([][]byte{[]byte(purpose)}, texts...) {
		sum := sha256.Sum256(text)
		h.Write(sum[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}
