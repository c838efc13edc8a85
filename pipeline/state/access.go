package state

// Role is what somebody may do on the web page and its API.
type Role string

// The roles. Nobody is who has not signed in.
const (
	Nobody Role = ""
	Viewer Role = "viewer" // reads everything
	Admin  Role = "admin"  // changes things: approves, sets targets, starts scans
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

// Identity is who makes a request, and how that is known.
type Identity struct {
	Name string
	Role Role
	Via  string // session, token, basic, proxy, oidc
}
