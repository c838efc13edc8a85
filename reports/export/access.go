package export

import (
	"io"
	"time"

	"ownmap/pipeline/state"
)

// userJSON is somebody who may sign in with a password.
type userJSON struct {
	Name       string       `json:"name"`
	Role       state.Role   `json:"role"`
	Origin     state.SignIn `json:"origin"`      // config or database
	CreatedAt  *time.Time   `json:"created_at"`  // null: of the config
	DisabledAt *time.Time   `json:"disabled_at"` // null: is let in
	SeenAt     *time.Time   `json:"seen_at"`     // null: no session of theirs is known
}

// UsersJSON writes users as one array, in the order given.
func UsersJSON(w io.Writer, users []state.User) error {
	all := make([]userJSON, 0, len(users))
	for _, u := range users {
		v := userJSON{Name: u.Name, Role: u.Role, Origin: u.Origin, DisabledAt: inUTC(u.DisabledAt), SeenAt: inUTC(u.SeenAt)}
		if u.Origin == state.ByDatabase {
			v.CreatedAt = inUTC(&u.CreatedAt)
		}
		all = append(all, v)
	}
	return write(w, all)
}

// tokenJSON is a token of the API, without its secret.
type tokenJSON struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Role      state.Role `json:"role"`
	By        string     `json:"by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"` // null: never
	UsedAt    *time.Time `json:"used_at"`    // null: not yet
	RevokedAt *time.Time `json:"revoked_at"` // null: is good
	RevokedBy string     `json:"revoked_by"`
}

// TokensJSON writes tokens as one array, in the order given.
func TokensJSON(w io.Writer, tokens []state.APIToken) error {
	all := make([]tokenJSON, 0, len(tokens))
	for _, t := range tokens {
		all = append(all, tokenJSON{
			ID: t.ID, Name: t.Name, Role: t.Role, By: t.By, CreatedAt: t.CreatedAt.UTC(), ExpiresAt: inUTC(t.ExpiresAt), UsedAt: inUTC(t.UsedAt),
			RevokedAt: inUTC(t.RevokedAt), RevokedBy: t.RevokedBy,
		})
	}
	return write(w, all)
}
