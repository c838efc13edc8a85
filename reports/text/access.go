package text

import (
	"io"
	"strconv"
	"time"

	"ownmap/pipeline/state"
)

// Users writes who may sign in to the web page with a password.
func Users(w io.Writer, users []state.User, options Options) error {
	p := &page{options: options}
	if len(users) == 0 {
		p.line(span{"no users", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{{title: "NAME", floor: 8}, {title: "ROLE"}, {title: "SET IN"}, {title: "LAST SEEN"}, {title: "LET IN"}}}
	for _, u := range users {
		in, seen := span{"yes", plain}, ""
		if u.DisabledAt != nil {
			in = span{"not since " + minute(*u.DisabledAt), dim}
		}
		if u.SeenAt != nil {
			seen = minute(*u.SeenAt)
		}
		t.add(span{u.Name, bold}, span{string(u.Role), plain}, span{string(u.Origin), plain}, span{seen, plain}, in)
	}
	t.write(p)
	return p.writeTo(w)
}

// Tokens writes the tokens of the API; now says which have ended.
func Tokens(w io.Writer, tokens []state.APIToken, now time.Time, options Options) error {
	p := &page{options: options}
	if len(tokens) == 0 {
		p.line(span{"no tokens", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{{title: "ID", right: true}, {title: "NAME", floor: 8}, {title: "ROLE"}, {title: "MADE BY", floor: 8}, {title: "MADE"}, {title: "LAST USED"}, {title: "GOOD"}}}
	for _, token := range tokens {
		used, good := "", span{"for ever", plain}
		if token.UsedAt != nil {
			used = minute(*token.UsedAt)
		}
		switch {
		case token.RevokedAt != nil:
			good = span{"revoked " + minute(*token.RevokedAt) + " by " + token.RevokedBy, dim}
		case !token.Alive(now):
			good = span{"ended " + minute(*token.ExpiresAt), dim}
		case token.ExpiresAt != nil:
			good = span{"until " + minute(*token.ExpiresAt), plain}
		}
		t.add(span{strconv.FormatInt(token.ID, 10), plain}, span{token.Name, bold}, span{string(token.Role), plain}, span{token.By, plain},
			span{minute(token.CreatedAt), plain}, span{used, plain}, good)
	}
	t.write(p)
	return p.writeTo(w)
}
