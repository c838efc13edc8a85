package persist

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Users returns who signs in with a password of the database, by name. Those of the
// config are not among them.
func (b *Book) Users(ctx context.Context) ([]state.User, error) {
	rows, err := b.q.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	list := make([]state.User, len(rows))
	for i, r := range rows {
		list[i] = userOf(queries.WebUser{
			ID: r.ID, Name: r.Name, PasswordHash: r.PasswordHash, Role: r.Role, CreatedAt: r.CreatedAt, DisabledAt: r.DisabledAt, PasswordAt: r.PasswordAt,
		})
		list[i].SeenAt = r.SeenAt
	}
	return list, nil
}

// User returns a user of the database; state.ErrNoUser if there is none.
func (b *Book) User(ctx context.Context, name string) (state.User, error) {
	row, err := userNamed(ctx, b.q, name)
	if err != nil {
		return state.User{}, fmt.Errorf("read user %q: %w", state.Clean(name), err)
	}
	return userOf(row), nil
}

// HasUsers says whether anybody of the database is let in.
func (b *Book) HasUsers(ctx context.Context) (bool, error) {
	n, err := b.q.CountUsers(ctx)
	if err != nil {
		return false, fmt.Errorf("count users: %w", err)
	}
	return n > 0, nil
}

// AddUser adds a user with name, password and role. first demands that nobody is let in
// yet, else it is state.ErrNotFirst, and ends the sessions of the one-time link. A name
// that is there is state.ErrUserTaken.
func (b *Book) AddUser(ctx context.Context, u state.User, first bool, at time.Time, by state.Actor) (added state.User, err error) {
	err = b.inTx(ctx, func(q *queries.Queries) error {
		if err := q.LockUsers(ctx); err != nil {
			return err
		}
		if first {
			if n, err := q.CountUsers(ctx); err != nil || n > 0 {
				return errors.Join(err, state.ErrNotFirst)
			}
			if _, err := q.EndSessionsOfOrigin(ctx, string(state.ByLink)); err != nil {
				return err
			}
		}
		row, err := q.AddUser(ctx, queries.AddUserParams{Name: u.Name, PasswordHash: u.PasswordHash.Reveal(), Role: string(u.Role), At: at})
		if isTaken(err) {
			return state.ErrUserTaken
		}
		if err != nil {
			return err
		}
		added = userOf(row)
		return auditAccess(ctx, q, by, "user-add", u.Name, map[string]string{"role": string(u.Role)})
	})
	if err != nil {
		return state.User{}, fmt.Errorf("add user %q: %w", state.Clean(u.Name), err)
	}
	return added, nil
}

// EditUser changes a user of the database, who is signed out everywhere by that;
// state.ErrNoUser if there is none. What is as it should be already changes nothing.
func (b *Book) EditUser(ctx context.Context, name string, edit state.UserEdit, at time.Time, by state.Actor) (changed state.User, err error) {
	err = b.inTx(ctx, func(q *queries.Queries) error {
		if err := q.LockUsers(ctx); err != nil {
			return err
		}
		was, err := userNamed(ctx, q, name)
		if err != nil {
			return err
		}
		changed = userOf(was)
		edit := edit.Changes(changed)
		if edit == (state.UserEdit{}) {
			return nil
		}
		p := queries.SetUserParams{ID: was.ID, At: at, Disabled: edit.Disabled}
		if edit.PasswordHash != nil {
			hash := edit.PasswordHash.Reveal()
			p.PasswordHash = &hash
		}
		if edit.Role != nil {
			role := string(*edit.Role)
			p.Role = &role
		}
		row, err := q.SetUser(ctx, p)
		if err != nil {
			return err
		}
		changed = userOf(row)
		if _, err := q.EndSessionsOfUser(ctx, was.ID); err != nil {
			return err
		}
		return auditEdit(ctx, q, by, name, edit)
	})
	if err != nil {
		return state.User{}, fmt.Errorf("change user %q: %w", state.Clean(name), err)
	}
	return changed, nil
}

// auditEdit writes a line for each thing that changed.
func auditEdit(ctx context.Context, q *queries.Queries, by state.Actor, name string, edit state.UserEdit) error {
	if edit.PasswordHash != nil {
		if err := auditAccess(ctx, q, by, "user-password", name, nil); err != nil {
			return err
		}
	}
	if edit.Role != nil {
		if err := auditAccess(ctx, q, by, "user-role", name, map[string]string{"role": string(*edit.Role)}); err != nil {
			return err
		}
	}
	if edit.Disabled == nil {
		return nil
	}
	action := "user-enable"
	if *edit.Disabled {
		action = "user-disable"
	}
	return auditAccess(ctx, q, by, action, name, nil)
}

// auditAccess writes a line of who is let in.
func auditAccess(ctx context.Context, q *queries.Queries, by state.Actor, action, subject string, detail map[string]string) error {
	line := auditOf(by, action)
	if err := line.add(state.Clean(subject), detail); err != nil {
		return err
	}
	return line.write(ctx, q)
}

func userNamed(ctx context.Context, q *queries.Queries, name string) (queries.WebUser, error) {
	if !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return queries.WebUser{}, state.ErrNoUser // PostgreSQL takes no such text, and nobody is called that
	}
	row, err := q.UserNamed(ctx, name)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, state.ErrNoUser
	}
	return row, err
}

func userOf(row queries.WebUser) state.User {
	return state.User{
		ID: row.ID, Name: row.Name, PasswordHash: state.NewSecret(row.PasswordHash), Role: state.Role(row.Role), Origin: state.ByDatabase,
		CreatedAt: row.CreatedAt, PasswordAt: row.PasswordAt, DisabledAt: row.DisabledAt,
	}
}

// joinedUser is the user of the database whom a row is joined with; nil if there is none.
func joinedUser(id *int64, name string, hash, role *string, createdAt, passwordAt, disabledAt *time.Time) *state.User {
	if id == nil || hash == nil || role == nil || createdAt == nil || passwordAt == nil {
		return nil
	}
	u := userOf(queries.WebUser{ID: *id, Name: name, PasswordHash: *hash, Role: *role, CreatedAt: *createdAt, PasswordAt: *passwordAt, DisabledAt: disabledAt})
	return &u
}

// isTaken says whether a row was refused because one like it is there (PostgreSQL,
// "Error Codes": unique_violation).
func isTaken(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "23505"
}
