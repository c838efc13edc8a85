package web

import (
	"errors"
	"net/http"

	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
)

// loginView is the page where people sign in.
type loginView struct {
	Error, Name, Next string
	OIDC              bool
	Passwords         bool // somebody can sign in with one
	Nobody            bool // can sign in at all yet
}

func (loginView) title() string { return "Sign in" }

// login answers with the form to sign in.
func (s *server) login(w http.ResponseWriter, r *http.Request) error {
	next := access.SafeNext(r.URL.Query().Get("next"))
	if identity(r).Role != state.Nobody {
		http.Redirect(w, r, s.base+next, http.StatusSeeOther)
		return nil
	}
	return s.showLogin(w, r, http.StatusOK, loginView{Next: next})
}

func (s *server) showLogin(w http.ResponseWriter, r *http.Request, status int, view loginView) error {
	open, err := s.Guard.Open(r.Context())
	if err != nil {
		return err
	}
	view.OIDC, view.Nobody = s.Guard.OIDC != nil, !open
	users, err := s.Guard.AllUsers(r.Context())
	view.Passwords = len(users) > 0
	if err != nil {
		return err
	}
	return s.show(w, r, status, "login", view)
}

// signIn takes a name and a password.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) error {
	name, password := r.PostFormValue("name"), r.PostFormValue("password")
	next := access.SafeNext(r.PostFormValue("next"))
	err := s.Guard.SignIn(w, r, name, password)
	if refused, text := refusal(w, err); refused != nil {
		return s.showLogin(w, r, refused.Status, loginView{Error: text, Name: state.OneLine(name, 64), Next: next})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, s.base+next, http.StatusSeeOther)
	return nil
}

// refusal returns what the guard has against what was typed, and its words for the form
// that is shown again; nil if it has nothing against it, or against the one who sent it.
func refusal(w http.ResponseWriter, err error) (*access.RefusedError, string) {
	var refused *access.RefusedError
	if !errors.As(err, &refused) || refused.Status == http.StatusForbidden {
		return nil, ""
	}
	f := faultOf(refused)
	f.retryAfter(w)
	text := f.Text
	if f.Hint != "" {
		text += " " + f.Hint
	}
	return refused, text
}

// signOut ends the session.
func (s *server) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.Guard.SignOut(w, r); err != nil {
		return err
	}
	return s.done(w, r, "/login", "You are signed out.")
}

// signinView is the page of the one-time link.
type signinView struct{}

func (signinView) title() string { return "First sign-in" }

// link answers with a button that uses the one-time link: looking at it uses nothing.
func (s *server) link(w http.ResponseWriter, r *http.Request) error {
	if err := s.Guard.TryLink(r.Context(), r.PathValue("token")); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "signin", signinView{})
}

// useLink signs in by the one-time link.
func (s *server) useLink(w http.ResponseWriter, r *http.Request) error {
	if err := s.Guard.UseLink(w, r, r.PathValue("token")); err != nil {
		return err
	}
	return s.done(w, r, "/account", "You are signed in for an hour. Set the first user now.")
}

// startOIDC sends people to the provider.
func (s *server) startOIDC(w http.ResponseWriter, r *http.Request) error {
	return s.Guard.StartOIDC(w, r, r.URL.Query().Get("next"))
}

// finishOIDC takes them back.
func (s *server) finishOIDC(w http.ResponseWriter, r *http.Request) error {
	next, err := s.Guard.FinishOIDC(w, r)
	if err != nil {
		return err
	}
	http.Redirect(w, r, s.base+next, http.StatusSeeOther)
	return nil
}
