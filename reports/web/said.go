package web

import (
	"encoding/base64"
	"net/http"

	"ownmap/pipeline/state"
)

// saidCookie carries to the next page what a form has done. It is shown as text, to who
// sent the form alone, and decides nothing.
const saidCookie = "ownmap_said"

// done answers a form that did what it was to do: it says so on a page of ours, to which
// the browser goes by GET, so that loading that page again does not send the form again.
func (s *server) done(w http.ResponseWriter, r *http.Request, target, said string) error {
	http.SetCookie(w, s.saidAs(base64.RawURLEncoding.EncodeToString([]byte(state.OneLine(said, 300))), 60))
	http.Redirect(w, r, s.base+target, http.StatusSeeOther)
	return nil
}

// said returns what the form before this page has done, once.
func (s *server) said(w http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(saidCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, s.saidAs("", -1))
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return ""
	}
	return state.OneLine(string(text), 300)
}

func (s *server) saidAs(value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: saidCookie, Value: value, Path: s.base + "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: s.External != nil && s.External.Scheme == "https",
	}
}
