package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
)

// accountView is the page of who has signed in.
type accountView struct {
	Error string // against the form that was sent
	Form  string // which one that was: first, password, token
	Name  string // that was typed

	First       bool   // came by the one-time link: sets the first user
	Password    bool   // can change a password here
	How         string // how they signed in, a sentence
	CanToken    bool
	Roles       []state.Role // that tokens of theirs can have
	Tokens      []tokenRow   // their own
	NewToken    string       // shown this once
	MinPassword int
}

func (accountView) title() string { return "Your account" }

// tokenRow is a token in a list.
type tokenRow struct {
	state.APIToken
	Ended bool
}

// account answers with what somebody can do about their own sign-in.
func (s *server) account(w http.ResponseWriter, r *http.Request) error {
	return s.showAccount(w, r, http.StatusOK, accountView{})
}

func (s *server) showAccount(w http.ResponseWriter, r *http.Request, status int, view accountView) error {
	who := identity(r)
	view.First, view.Password = who.Origin == state.ByLink, who.Origin == state.ByDatabase && who.Via == state.ViaSession
	view.CanToken = !view.First && who.Via != state.ViaToken
	view.How, view.MinPassword = howSignedIn(who), state.MinPassword
	for _, role := range []state.Role{state.Viewer, state.Admin} {
		if who.Role.May(role) {
			view.Roles = append(view.Roles, role)
		}
	}
	rows, err := s.tokens(r.Context(), who, func(t state.APIToken) bool { return t.By == who.Name && t.Origin == who.Origin })
	if err != nil {
		return err
	}
	view.Tokens = rows
	return s.show(w, r, status, "account", view)
}

// tokens returns the tokens that somebody may see, of some kind.
func (s *server) tokens(ctx context.Context, who state.Identity, are func(state.APIToken) bool) ([]tokenRow, error) {
	all, err := s.Guard.Tokens(ctx, who)
	if err != nil {
		return nil, err
	}
	var rows []tokenRow
	for _, t := range all {
		if are(t) {
			rows = append(rows, tokenRow{t, !t.Alive(s.Now())})
		}
	}
	return rows, nil
}

func howSignedIn(who state.Identity) string {
	switch who.Via {
	case state.ViaToken:
		return "This request came with the token " + who.Token + "."
	case state.ViaProxy:
		return "The proxy in front of OwnMap says who you are."
	}
	switch who.Origin {
	case state.ByConfig:
		return "You signed in with a password that is set in ownmap.yaml: it is changed there."
	case state.ByOIDC:
		return "You signed in through your provider."
	case state.ByLink:
		return "You came by the one-time link."
	case state.ByDatabase, state.ByProxy:
	}
	return "You signed in with your password."
}

// firstUser sets the first user, for who came by the one-time link.
func (s *server) firstUser(w http.ResponseWriter, r *http.Request) error {
	name := r.PostFormValue("name")
	password, err := twice(r)
	if err == nil {
		err = s.Guard.FirstUser(w, r, identity(r), name, password)
	}
	if refused, text := refusal(w, err); refused != nil {
		return s.showAccount(w, r, refused.Status, accountView{Form: "first", Error: text, Name: state.OneLine(name, 64)})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, "/", "You are signed in as "+name+", an admin.")
}

// changePassword sets one's own password.
func (s *server) changePassword(w http.ResponseWriter, r *http.Request) error {
	password, err := twice(r)
	if err == nil {
		err = s.Guard.ChangePassword(w, r, identity(r), r.PostFormValue("present"), password)
	}
	if refused, text := refusal(w, err); refused != nil {
		return s.showAccount(w, r, refused.Status, accountView{Form: "password", Error: text})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, "/account", "Your password is changed. You are signed out everywhere else.")
}

// twice returns a password that was typed twice.
func twice(r *http.Request) (string, error) {
	password := r.PostFormValue("password")
	if password != r.PostFormValue("again") {
		return "", &access.RefusedError{Status: http.StatusUnprocessableEntity, Text: "The two passwords differ."}
	}
	return password, nil
}

// createToken makes a token and shows it, this once: it is on no other page, and nowhere
// in the history of the browser.
func (s *server) createToken(w http.ResponseWriter, r *http.Request) error {
	name, err := field(r, "name", longest)
	if err != nil {
		return err
	}
	var expires *time.Time
	if expires, err = s.until(r.PostFormValue("expires")); err != nil {
		return err
	}
	token, err := s.Guard.CreateToken(r.Context(), identity(r), name, state.Role(r.PostFormValue("role")), expires)
	if refused, text := refusal(w, err); refused != nil {
		return s.showAccount(w, r, refused.Status, accountView{Form: "token", Error: text, Name: state.OneLine(name, 64)})
	}
	if err != nil {
		return err
	}
	return s.showAccount(w, r, http.StatusCreated, accountView{NewToken: token, Name: name})
}

// longest is how much of a line that people type is looked at, in characters.
const longest = 1000

// revokeToken ends a token, on the page that it is on.
func (s *server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	if err != nil {
		return bad("There is no such token.", "")
	}
	t, err := s.Guard.RevokeToken(r.Context(), identity(r), id)
	if err != nil {
		return err
	}
	back := "/account"
	if r.PostFormValue("back") == "users" {
		back = "/users"
	}
	return s.done(w, r, back, "The token "+t.Name+" opens nothing any more.")
}
