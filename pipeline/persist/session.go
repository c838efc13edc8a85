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

// AddSession begins a session, kept under the SHA-256 of its secret number, in place of
// an earlier one of the same browser (nil: there is none), and writes the sign-in into
// the audit. Sessions that are over by then, or idle since, are forgotten.
func (b *Book) AddSession(ctx context.Context, id, instead []byte, s state.Session, idle time.Duration, by state.Actor) error {
	p := queries.AddSessionParams{
		IDSha256: id, Name: state.Clean(s.Name), Role: string(s.Role), Origin: string(s.Origin), Stamp: s.Stamp,
		Address: state.Clean(s.Address), Agent: state.Clean(s.Agent), CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt,
	}
	if s.User != nil {
		p.UserID = &s.User.ID
	}
	err := b.inTx(ctx, func(q *queries.Queries) error {
		if err := q.PruneSessions(ctx, queries.PruneSessionsParams{At: s.CreatedAt, IdleSince: s.CreatedAt.Add(-idle)}); err != nil {
			return err
		}
		if _, err := q.EndSession(ctx, instead); err != nil {
			return err
		}
		if err := q.AddSession(ctx, p); err != nil {
			return err
		}
		return auditAccess(ctx, q, by, "sign-in", s.Name, map[string]string{"role": string(s.Role)})
	})
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	return nil
}

// Session returns a session by the SHA-256 of its secret number, with its user of the
// database as that is now; state.ErrNoSession if there is none.
func (b *Book) Session(ctx context.Context, id []byte) (state.Session, error) {
	row, err := b.q.SessionOf(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return state.Session{}, state.ErrNoSession
	}
	if err != nil {
		return state.Session{}, fmt.Errorf("read a session: %w", err)
	}
	s := sessionOf(row.Session)
	s.User = joinedUser(row.Session.UserID, s.Name, row.PasswordHash, row.UserRole, row.UserCreatedAt, row.PasswordAt, row.DisabledAt)
	return s, nil
}

// SeeSession notes that a session is used.
func (b *Book) SeeSession(ctx context.Context, id []byte, at time.Time) error {
	if err := b.q.SeeSession(ctx, queries.SeeSessionParams{IDSha256: id, At: at}); err != nil {
		return fmt.Errorf("note a session: %w", err)
	}
	return nil
}

// EndSession ends a session. One that is not there has ended.
func (b *Book) EndSession(ctx context.Context, id []byte) error {
	if _, err := b.q.EndSession(ctx, id); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

func sessionOf(row queries.Session) state.Session {
	return state.Session{
		Name: row.Name, Role: state.Role(row.Role), Origin: state.SignIn(row.Origin), Stamp: row.Stamp, Address: row.Address, Agent: row.Agent,
		CreatedAt: row.CreatedAt, SeenAt: row.SeenAt, ExpiresAt: row.ExpiresAt,
	}
}
