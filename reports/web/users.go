package web

import (
	"net/http"

	"ownmap/pipeline/state"
)

// usersView is the page of who is let in.
type usersView struct {
	Error, Name string // against adding somebody, and the name that was typed
	Users       []userRow
	Roles       []state.Role
	Tokens      []tokenRow
	OIDC        string // the provider; empty: there is none
	Proxy       string // the header; empty: there is none
	MinPassword int
}

func (usersView) title() string   { return "Users" }
func (usersView) section() string { return "Users" }

// userRow is somebody in the list.
type userRow struct {
	state.User
	Config bool // is set in ownmap.yaml, and changed there
	You    bool
}

// users answers with who is let in.
func (s *server) users(w http.ResponseWriter, r *http.Request) error {
	return s.showUsers(w, r, http.StatusOK, usersView{})
}

func (s *server) showUsers(w http.ResponseWriter, r *http.Request, status int, view usersView) error {
	who := identity(r)
	list, err := s.Guard.AllUsers(r.Context())
	if err != nil {
		return err
	}
	for _, u := range list {
		view.Users = append(view.Users, userRow{u, u.Origin == state.ByConfig, u.Name == who.Name && u.Origin == who.Origin})
	}
	if view.Tokens, err = s.tokens(r.Context(), who, func(state.APIToken) bool { return true }); err != nil {
		return err
	}
	if s.Guard.OIDC != nil {
		view.OIDC = s.Guard.OIDC.Issuer
	}
	view.Proxy, view.MinPassword = s.Guard.Proxy.Header, state.MinPassword
	view.Roles = []state.Role{state.Viewer, state.Admin}
	return s.show(w, r, status, "users", view)
}

// addUser lets somebody in.
func (s *server) addUser(w http.ResponseWriter, r *http.Request) error {
	name := r.PostFormValue("name")
	role, err := typedRole(r)
	if err != nil {
		return err
	}
	password, err := twice(r)
	if err == nil {
		err = s.Guard.AddUser(r.Context(), identity(r), name, password, role)
	}
	if refused, text := refusal(w, err); refused != nil {
		return s.showUsers(w, r, refused.Status, usersView{Error: text, Name: state.OneLine(name, 64)})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, "/users", name+" is let in as "+string(role)+".")
}

func typedRole(r *http.Request) (state.Role, error) {
	role, err := state.ParseRole(r.PostFormValue("role"))
	if err != nil {
		return state.Nobody, bad("A role is viewer or admin.", "")
	}
	return role, nil
}

// setRole gives somebody another role.
func (s *server) setRole(w http.ResponseWriter, r *http.Request) error {
	role, err := typedRole(r)
	if err != nil {
		return err
	}
	return s.editUser(w, r, state.UserEdit{Role: &role}, "is "+string(role)+" now, and has to sign in again.")
}

// disableUser lets somebody in no more.
func (s *server) disableUser(w http.ResponseWriter, r *http.Request) error {
	yes := true
	return s.editUser(w, r, state.UserEdit{Disabled: &yes}, "is let in no more.")
}

// enableUser lets somebody in again.
func (s *server) enableUser(w http.ResponseWriter, r *http.Request) error {
	no := false
	return s.editUser(w, r, state.UserEdit{Disabled: &no}, "is let in again.")
}

func (s *server) editUser(w http.ResponseWriter, r *http.Request, edit state.UserEdit, said string) error {
	name := r.PostFormValue("name")
	if err := s.Guard.EditUser(r.Context(), identity(r), name, edit); err != nil {
		return err
	}
	return s.done(w, r, "/users", name+" "+said)
}

// resetPassword gives somebody else another password.
func (s *server) resetPassword(w http.ResponseWriter, r *http.Request) error {
	name := r.PostFormValue("name")
	if err := s.Guard.ResetPassword(r.Context(), identity(r), name, r.PostFormValue("password")); err != nil {
		return err
	}
	return s.done(w, r, "/users", name+" has another password, and has to sign in again.")
}
