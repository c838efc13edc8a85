package web

import (
	"net/http"
	"net/url"
	"strings"

	"ownmap/pipeline/state"
)

// handler answers a request; an error becomes a page or, of the API, JSON.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one way into the page.
type route struct {
	method string // GET also takes HEAD
	path   string // of http.ServeMux, without the base
	role   state.Role
	answer handler
}

// routes is the table of all ways in, and of who may go them.
func (s *server) routes() []route {
	return []route{
		{"GET", "/{$}", state.Viewer, s.overview},

		{"GET", "/runs", state.Viewer, s.runs},
		{"GET", "/runs/{id}", state.Viewer, s.run},
		{"GET", "/runs/{id}/{file}", state.Viewer, s.runDocument},
		{"GET", "/compare", state.Viewer, s.compare},
		{"GET", "/compare/{file}", state.Viewer, s.compareDocument},
		{"GET", "/archive", state.Viewer, s.archiveBegin},
		{"GET", "/archive/{path...}", state.Viewer, s.archive},

		{"GET", "/scan", state.Viewer, s.scan},
		{"POST", "/scan", state.Admin, s.requestScan},
		{"GET", "/scan/events", state.Viewer, s.scanEvents},
		{"GET", "/scan/cancel", state.Admin, s.askCancel},
		{"POST", "/scan/cancel", state.Admin, s.cancel},

		{"GET", "/deliveries", state.Viewer, s.deliveries},
		{"POST", "/deliveries/retry", state.Admin, s.retryDeliveries},
		{"GET", "/deliveries/drop", state.Admin, s.askDrop},
		{"POST", "/deliveries/drop", state.Admin, s.dropDeliveries},
		{"POST", "/deliveries/test", state.Admin, s.testChannel},

		{"GET", "/assets/{version}/{file}", state.Nobody, s.asset},
		{"GET", "/healthz", state.Nobody, s.health},
		{"GET", "/metrics", state.Viewer, s.metrics},
	}
}

const apiPrefix = "/api/"

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, apiPrefix) }

// admit lets those in who may.
func (s *server) admit(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, known, err := s.Gate.Identify(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
			return
		case !who.Role.May(route.role) && !known:
			s.unknown(w, r)
			return
		case !who.Role.May(route.role):
			s.fail(w, r, &fault{Status: http.StatusForbidden, Text: "Your role, " + string(who.Role) + ", may only read.", Hint: "An admin can do this, or give you the role."})
			return
		}
		r = withIdentity(r, who)
		if err := route.answer(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// unknown sends who has not signed in to where they can; a program is told.
func (s *server) unknown(w http.ResponseWriter, r *http.Request) {
	if isAPI(r) || r.URL.Path == "/metrics" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("WWW-Authenticate", `Bearer realm="OwnMap", Basic realm="OwnMap", charset="UTF-8"`)
		s.fail(w, r, &fault{Status: http.StatusUnauthorized, Text: "Sign in first.", Hint: "Send a token of yours: Authorization: Bearer ownmap_…"})
		return
	}
	target := s.base + "/login"
	if r.URL.Path != "/" {
		target += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}
