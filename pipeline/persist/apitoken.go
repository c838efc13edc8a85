package persist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// AddAPIToken keeps a token under its SHA-256 and returns its number. A name that an
// unrevoked token has is state.ErrTokenTaken.
func (b *Book) AddAPIToken(ctx context.Context, sha256 []byte, t state.APIToken, by state.Actor) (id int64, err error) {
	p := queries.AddTokenParams{
		Name: t.Name, TokenSha256: sha256, Role: string(t.Role), MadeBy: t.By, Origin: string(t.Origin), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
	}
	if t.Maker != nil {
		p.UserID = &t.Maker.ID
	}
	err = b.inTx(ctx, func(q *queries.Queries) error {
		id, err = q.AddToken(ctx, p)
		if isTaken(err) {
			return state.ErrTokenTaken
		}
		if err != nil {
			return err
		}
		detail := map[string]string{"role": string(t.Role)}
		if t.ExpiresAt != nil {
			detail["expires"] = t.ExpiresAt.UTC().Format(time.RFC3339)
		}
		return auditAccess(ctx, q, by, "token-create", t.Name, detail)
	})
	if err != nil {
		return 0, fmt.Errorf("create token %q: %w", state.Clean(t.Name), err)
	}
	return id, nil
}

// APITokens returns all tokens, the newest first.
func (b *Book) APITokens(ctx context.Context) ([]state.APIToken, error) {
	rows, err := b.q.Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	list := make([]state.APIToken, len(rows))
	for i, row := range rows {
		list[i] = apiTokenOf(row)
	}
	return list, nil
}

// APIToken returns a token by its SHA-256, with the user of the database who made it as
// that is now; state.ErrNoToken if there is none.
func (b *Book) APIToken(ctx context.Context, sha256 []byte) (state.APIToken, error) {
	row, err := b.q.TokenOf(ctx, sha256)
	if errors.Is(err, pgx.ErrNoRows) {
		return state.APIToken{}, state.ErrNoToken
	}
	if err != nil {
		return state.APIToken{}, fmt.Errorf("read a token: %w", err)
	}
	t := apiTokenOf(row.ApiToken)
	t.Maker = joinedUser(row.ApiToken.UserID, t.By, row.PasswordHash, row.UserRole, row.UserCreatedAt, row.PasswordAt, row.DisabledAt)
	return t, nil
}

// UseAPIToken notes that a token is used.
func (b *Book) UseAPIToken(ctx context.Context, id int64, at time.Time) error {
	if err := b.q.UseToken(ctx, queries.UseTokenParams{ID: id, At: &at}); err != nil {
		return fmt.Errorf("note a token: %w", err)
	}
	return nil
}

// RevokeAPIToken ends a token for good. One that is revoked already, or not there, is
// state.ErrNoToken.
func (b *Book) RevokeAPIToken(ctx context.Context, id int64, at time.Time, by state.Actor) (revoked state.APIToken, err error) {
	err = b.inTx(ctx, func(q *queries.Queries) error {
		row, err := q.RevokeToken(ctx, queries.RevokeTokenParams{ID: id, At: &at, RevokedBy: state.Clean(by.Name)})
		if errors.Is(err, pgx.ErrNoRows) {
			return state.ErrNoToken
		}
		if err != nil {
			return err
		}
		revoked = apiTokenOf(row)
		return auditAccess(ctx, q, by, "token-revoke", row.Name, nil)
	})
	if err != nil {
		return state.APIToken{}, fmt.Errorf("revoke token %d: %w", id, err)
	}
	return revoked, nil
}

func apiTokenOf(row queries.ApiToken) state.APIToken {
	return state.APIToken{
		ID: row.ID, Name: row.Name, Role: state.Role(row.Role), By: row.MadeBy, Origin: state.SignIn(row.Origin), CreatedAt: row.CreatedAt,
		ExpiresAt: row.ExpiresAt, UsedAt: row.UsedAt, RevokedAt: row.RevokedAt, RevokedBy: row.RevokedBy,
	}
}
