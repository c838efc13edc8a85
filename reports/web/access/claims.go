package access

import (
	"net/http"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// People is a set of a provider's users.
type People struct{ Emails, Domains, Groups []string }

// claims is what a provider says of a user (OpenID Connect Core 1.0, section 5.1).
type claims map[string]any

// email returns the user's address in small letters, if the provider has verified it.
func (c claims) email() (address string, verified bool) {
	address, _ = c["email"].(string)
	switch v := c["email_verified"].(type) {
	case bool:
		verified = v
	case string: // as some providers write it
		verified = v == "true"
	}
	return strings.ToLower(strings.TrimSpace(address)), verified
}

// groups returns the groups of a claim: a list of texts, or one text.
func (c claims) groups(claim string) []string {
	switch v := c[claim].(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, one := range v {
			if text, ok := one.(string); ok {
				list = append(list, text)
			}
		}
		return list
	}
	return nil
}

// decide says who somebody is and what they may do. It returns an address also of those
// who may not sign in.
func (o *OIDC) decide(c claims) (name string, role state.Role, err error) {
	refused := func(text, hint string) error {
		return &RefusedError{Status: http.StatusForbidden, Text: text, Hint: hint}
	}
	name, verified := c.email()
	switch {
	case name == "" || len(name) > 254 || name != state.OneLine(name, 254):
		return "", state.Nobody, refused("The provider does not tell your mail address.", "OwnMap asks it for the scope email.")
	case !verified:
		return name, state.Nobody, refused("The provider has not verified your mail address "+name+".", "Verify it there, and sign in again.")
	}
	var groups []string
	if o.GroupsClaim != "" {
		groups = c.groups(o.GroupsClaim)
	}
	switch {
	case !o.Allow.has(name, groups):
		return name, state.Nobody, refused(name+" may not sign in here.", "Who may stands in auth.oidc.allow in ownmap.yaml.")
	case o.Admins.has(name, groups):
		return name, state.Admin, nil
	}
	return name, state.Viewer, nil
}

// has says whether somebody is one of the people.
func (p People) has(email string, groups []string) bool {
	_, domain, _ := strings.Cut(email, "@")
	same := func(text string) func(string) bool {
		return func(other string) bool { return strings.EqualFold(text, other) }
	}
	return slices.ContainsFunc(p.Emails, same(email)) || slices.ContainsFunc(p.Domains, same(domain)) ||
		slices.ContainsFunc(p.Groups, func(group string) bool { return slices.Contains(groups, group) })
}
