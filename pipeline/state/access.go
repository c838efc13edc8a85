package state

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"time"
)

// Role is what somebody may do on the web page and its API.
type Role string

// The roles. Nobody is who has not signed in.
const (
	Nobody Role = ""
	Viewer Role = "viewer" // reads everything
	Admin  Role = "admin"  // changes things: approves, sets targets, starts scans, lets others in
)

// May says whether the role has the rights of another one.
func (r Role) May(other Role) bool {
	switch other {
	case Nobody:
		return true
	case Viewer:
		return r == Viewer || r == Admin
	case Admin:
		return r == Admin
	}
	return false
}

// ParseRole reads the role of somebody who signs in.
func ParseRole(text string) (Role, error) {
	switch r := Role(text); r {
	case Viewer, Admin:
		return r, nil
	case Nobody:
	}
	return Nobody, fmt.Errorf("unknown role %q: it is viewer or admin", Clean(text))
}

// SignIn is how somebody was let in.
type SignIn string

// The ways to be let in.
const (
	ByConfig   SignIn = "config"   // a password of auth.users in ownmap.yaml
	ByDatabase SignIn = "database" // a password that `ownmap passwd` or the web page set
	ByOIDC     SignIn = "oidc"     // OpenID Connect
	ByProxy    SignIn = "proxy"    // a header of a trusted proxy
	ByLink     SignIn = "link"     // the one-time link on the terminal of `ownmap serve`
)

// User is somebody who signs in with a name and a password.
type User struct {
	ID           int64 // 0: of the config
	Name         string
	PasswordHash Secret // bcrypt
	Role         Role
	Origin       SignIn // ByConfig or ByDatabase
	CreatedAt    time.Time
	PasswordAt   time.Time  // when the password was set last
	DisabledAt   *time.Time // nil: is let in
	SeenAt       *time.Time // the last time that one of the sessions was used; nil: there is none
}

// UserEdit is what becomes of a user; what is nil stays.
type UserEdit struct {
	PasswordHash *Secret
	Role         *Role
	Disabled     *bool
}

// Changes returns what of the edit is a change to a user.
func (e UserEdit) Changes(u User) UserEdit {
	if e.PasswordHash != nil && *e.PasswordHash == u.PasswordHash {
		e.PasswordHash = nil
	}
	if e.Role != nil && *e.Role == u.Role {
		e.Role = nil
	}
	if e.Disabled != nil && *e.Disabled == (u.DisabledAt != nil) {
		e.Disabled = nil
	}
	return e
}

// What can stand against a change of users and tokens.
var (
	ErrNoUser     = errors.New("there is no such user")
	ErrUserTaken  = errors.New("there is a user of that name already")
	ErrNotFirst   = errors.New("the first user is set already")
	ErrNoSession  = errors.New("there is no such session")
	ErrNoToken    = errors.New("there is no such token")
	ErrTokenTaken = errors.New("there is a token of that name already: revoke it first, or take another name")
)

// Session is a browser that somebody signed in with.
type Session struct {
	Name    string
	Role    Role
	Origin  SignIn
	Stamp   []byte // of what the sign-in rested on: another one now means that the session is over
	Address string // where it was begun from
	Agent   string // the browser's own description of itself

	CreatedAt time.Time
	SeenAt    time.Time // written down only now and then
	ExpiresAt time.Time

	User *User // with ByDatabase
}

// APIToken is a password for programs: "Authorization: Bearer ownmap_...".
type APIToken struct {
	ID        int64
	Name      string // what it is for
	Role      Role
	By        string // who made it
	Origin    SignIn // how that one had signed in; empty: on the command line
	CreatedAt time.Time
	ExpiresAt *time.Time // nil: never
	UsedAt    *time.Time // nil: not yet; written down only now and then
	RevokedAt *time.Time
	RevokedBy string

	Maker *User // with ByDatabase
}

// Alive says whether the token still opens anything at a time.
func (t APIToken) Alive(at time.Time) bool {
	return t.RevokedAt == nil && (t.ExpiresAt == nil || at.Before(*t.ExpiresAt))
}

// How the request of an Identity proves whose it is.
const (
	ViaSession = "session" // a cookie, after a password
	ViaOIDC    = "oidc"    // a cookie, after OpenID Connect
	ViaLink    = "link"    // a cookie, after the one-time link
	ViaToken   = "token"
	ViaBasic   = "basic" // HTTP Basic (RFC 7617)
	ViaProxy   = "proxy"
)

// Identity is who makes a request, and how that is known.
type Identity struct {
	Name   string
	Role   Role
	Via    string // session, oidc, link, token, basic, proxy
	Origin SignIn // how they were let in, or who made the token
	Token  string // the name of the token
	From   netip.Addr
}

// Actor is who did something, for the audit.
type Actor struct {
	Name   string
	Via    string            // cli, web, ...
	Detail map[string]string // what else is known of it
}

// Actor returns the identity in the words of the audit.
func (i Identity) Actor() Actor {
	detail := map[string]string{"how": i.Via, "token": i.Token}
	if i.From.IsValid() {
		detail["from"] = i.From.String()
	}
	return Actor{Name: i.Name, Via: "web", Detail: detail}
}

// CheckUserName returns an error if nobody can be called that. Capital letters are out,
// so that Alice and alice are not two.
func CheckUserName(name string) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,63}$`).MatchString(name) {
		return fmt.Errorf("the name %q: it takes up to 64 small letters, digits and any of . _ @ + -, beginning with a letter or digit", Clean(name))
	}
	return nil
}

// CheckTokenName returns an error if no token can be called that.
func CheckTokenName(name string) error {
	const longest = 64
	if name == "" || len([]rune(name)) > longest || name != OneLine(name, longest) {
		return fmt.Errorf("the name of a token says what it is for, in up to %d characters", longest)
	}
	return nil
}

// The bounds of a password: below them it is guessed, above them bcrypt would ignore the
// rest of it.
const (
	MinPassword = 12 // characters
	MaxPassword = 72 // bytes
)

// CheckPassword returns an error if nobody may have that password.
func CheckPassword(password, name string) error {
	switch {
	case len([]rune(password)) < MinPassword:
		return fmt.Errorf("the password is too short: it takes %d characters or more", MinPassword)
	case len(password) > MaxPassword:
		return fmt.Errorf("the password is too long: bcrypt takes %d bytes, this has %d", MaxPassword, len(password))
	case password == name:
		return errors.New("the password is the name: take another one")
	}
	return nil
}
