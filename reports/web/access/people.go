package access

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"ownmap/pipeline/state"
)

// AllUsers returns who signs in with a password, by name: of the config, and of the store
// those whose name the config does not take.
func (g *Guard) AllUsers(ctx context.Context) ([]state.User, error) {
	stored, err := g.Store.Users(ctx)
	if err != nil {
		return nil, err
	}
	var all []state.User
	for _, u := range g.users {
		all = append(all, u)
	}
	for _, u := range stored {
		if _, configured := g.users[u.Name]; !configured {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b state.User) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// AddUser lets somebody in with a name, a password and a role.
func (g *Guard) AddUser(ctx context.Context, who state.Identity, name, password string, role state.Role) error {
	if err := g.mayLetIn(who); err != nil {
		return err
	}
	hash, err := g.newUser(ctx, name, password)
	if err != nil {
		return err
	}
	_, err = g.Store.AddUser(ctx, state.User{Name: name, PasswordHash: hash, Role: role}, false, g.Now(), who.Actor())
	return inWords(err)
}

// FirstUser sets the first user, an admin, and signs them in: for who came by the
// one-time link.
func (g *Guard) FirstUser(w http.ResponseWriter, r *http.Request, who state.Identity, name, password string) error {
	if who.Origin != state.ByLink {
		return refuse(http.StatusForbidden, "The first user is set after signing in by the one-time link.", "")
	}
	hash, err := g.newUser(r.Context(), name, password)
	if err != nil {
		return err
	}
	u, err := g.Store.AddUser(r.Context(), state.User{Name: name, PasswordHash: hash, Role: state.Admin}, true, g.Now(), who.Actor())
	if err != nil {
		return inWords(err)
	}
	return g.begin(w, r, userSession(u))
}

func (g *Guard) newUser(ctx context.Context, name, password string) (state.Secret, error) {
	if err := state.CheckUserName(name); err != nil {
		return state.Secret{}, unusable(err)
	}
	if _, configured := g.users[name]; configured {
		return state.Secret{}, inWords(state.ErrUserTaken)
	}
	return g.hash(ctx, password, name)
}

// EditUser gives somebody else another role, or lets them in no more or again.
func (g *Guard) EditUser(ctx context.Context, who state.Identity, name string, edit state.UserEdit) error {
	if err := g.mayEdit(who, name); err != nil {
		return err
	}
	_, err := g.Store.EditUser(ctx, name, edit, g.Now(), who.Actor())
	return inWords(err)
}

// ResetPassword gives somebody else another password.
func (g *Guard) ResetPassword(ctx context.Context, who state.Identity, name, password string) error {
	if err := g.mayEdit(who, name); err != nil {
		return err
	}
	if _, err := g.Store.User(ctx, name); err != nil {
		return inWords(err)
	}
	hash, err := g.hash(ctx, password, name)
	if err != nil {
		return err
	}
	_, err = g.Store.EditUser(ctx, name, state.UserEdit{PasswordHash: &hash}, g.Now(), who.Actor())
	return inWords(err)
}

// ChangePassword gives who asks another password, against the present one. All of their
// sessions end; this browser gets a new one.
func (g *Guard) ChangePassword(w http.ResponseWriter, r *http.Request, who state.Identity, present, password string) error {
	switch {
	case who.Origin == state.ByConfig:
		return refuse(http.StatusForbidden, "Your password is set in ownmap.yaml, under auth.users.", "Change it there.")
	case who.Origin != state.ByDatabase || who.Via != state.ViaSession:
		return refuse(http.StatusForbidden, "You have not signed in with a password of OwnMap's.", "")
	}
	if _, err := g.Check(r.Context(), who.Name, present, g.From(r)); err != nil {
		var refused *RefusedError
		if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized {
			return refuse(http.StatusUnprocessableEntity, "Your present password is another one.", "")
		}
		return err
	}
	hash, err := g.hash(r.Context(), password, who.Name)
	if err != nil {
		return err
	}
	u, err := g.Store.EditUser(r.Context(), who.Name, state.UserEdit{PasswordHash: &hash}, g.Now(), who.Actor())
	if err != nil {
		return inWords(err)
	}
	return g.begin(w, r, userSession(u))
}

// mayLetIn refuses programs: who has found a token must not make themselves a way in that
// outlives it.
func (g *Guard) mayLetIn(who state.Identity) error {
	switch {
	case who.Via == state.ViaToken:
		return refuse(http.StatusForbidden, "A token cannot let others in.", "Sign in yourself for that.")
	case who.Origin == state.ByLink:
		return refuse(http.StatusForbidden, "First set the first user.", "")
	case !who.Role.May(state.Admin):
		return refuse(http.StatusForbidden, "Only an admin can do this.", "")
	}
	return nil
}

// mayEdit also keeps admins from locking themselves out.
func (g *Guard) mayEdit(who state.Identity, name string) error {
	if err := g.mayLetIn(who); err != nil {
		return err
	}
	if _, configured := g.users[name]; configured {
		return refuse(http.StatusConflict, name+" is set in ownmap.yaml, under auth.users.", "Change it there, and start ownmap serve again.")
	}
	if who.Origin == state.ByDatabase && who.Name == name {
		return refuse(http.StatusConflict, "That is you: another admin can do this.", "Your own password you can change under your name.")
	}
	return nil
}

func refuse(status int, text, hint string) error {
	return &RefusedError{Status: status, Text: text, Hint: hint}
}

// inWords makes a RefusedError of what the store has against a change.
func inWords(err error) error {
	for known, status := range map[error]int{
		state.ErrNoUser: http.StatusNotFound, state.ErrUserTaken: http.StatusConflict, state.ErrNotFirst: http.StatusConflict,
		state.ErrNoToken: http.StatusNotFound, state.ErrTokenTaken: http.StatusConflict,
	} {
		if errors.Is(err, known) {
			refused := unusable(known)
			var words *RefusedError
			if errors.As(refused, &words) {
				words.Status = status
			}
			return refused
		}
	}
	return err
}
