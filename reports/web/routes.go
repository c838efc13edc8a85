package web

import (
	"net/http"
	"net/url"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
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
	table := []route{
		{"GET", "/{$}", state.Viewer, s.overview},

		{"GET", "/ports", state.Viewer, s.ports},
		{"GET", "/ports.csv", state.Viewer, s.portsCSV},
		{"GET", "/ports.json", state.Viewer, s.portsJSON},
		{"GET", "/approve", state.Admin, s.askApprove},
		{"POST", "/approve", state.Admin, s.approve},
		{"POST", "/approve/one", state.Admin, s.approveOne},
		{"GET", "/revoke", state.Admin, s.askRevoke},
		{"POST", "/revoke", state.Admin, s.revoke},
		{"GET", "/approvals", state.Viewer, s.approvals},
		{"GET", "/audit", state.Viewer, s.audit},
		{"GET", "/hosts", state.Viewer, s.hosts},
		{"GET", "/hosts/{address}", state.Viewer, s.host},
		{"POST", "/hosts/{address}/notes", state.Admin, s.addNote},
		{"POST", "/hosts/{address}/snooze", state.Admin, s.snoozeHost},
		{"POST", "/hosts/{address}/snooze/end", state.Admin, s.endSnooze},

		{"GET", "/api/v1/openapi.yaml", state.Viewer, s.apiDocument},
		{"GET", "/api/v1/status", state.Viewer, s.apiStatus},
		{"GET", "/api/v1/ports", state.Viewer, s.apiPorts},
		{"GET", "/api/v1/hosts", state.Viewer, s.apiHosts},
		{"GET", "/api/v1/hosts/{address}", state.Viewer, s.apiHost},
		{"GET", "/api/v1/approvals", state.Viewer, s.apiApprovals},
		{"POST", "/api/v1/approvals", state.Admin, s.apiApprove},
		{"POST", "/api/v1/approvals/preview", state.Viewer, s.apiPreview},
		{"POST", "/api/v1/approvals/revoke", state.Admin, s.apiRevoke},
		{"GET", "/api/v1/audit", state.Viewer, s.apiAudit},
		{"GET", "/api/v1/targets", state.Viewer, s.apiTargets},
		{"POST", "/api/v1/targets", state.Admin, s.apiAddTargets},
		{"PUT", "/api/v1/targets/{id}", state.Admin, s.apiChangeTarget},
		{"DELETE", "/api/v1/targets/{id}", state.Admin, s.apiRemoveTarget},
		{"POST", "/api/v1/tests", state.Admin, s.apiAskTest},
		{"GET", "/api/v1/tests/{id}", state.Viewer, s.apiTest},
		{"GET", "/api/v1/settings", state.Viewer, s.apiSettings},
		{"PUT", "/api/v1/settings", state.Admin, s.apiSet},
		{"GET", "/api/v1/runs", state.Viewer, s.apiRuns},
		{"GET", "/api/v1/runs/{id}", state.Viewer, s.apiRun},
		{"GET", "/api/v1/scans", state.Viewer, s.apiScans},
		{"POST", "/api/v1/scans", state.Admin, s.apiScan},
		{"GET", "/api/v1/deliveries", state.Viewer, s.apiDeliveries},
		{"POST", "/api/v1/deliveries/{id}/retry", state.Admin, s.apiRetry},
		{"POST", "/api/v1/deliveries/{id}/drop", state.Admin, s.apiDrop},
		{"GET", "/api/v1/snoozes", state.Viewer, s.apiSnoozes},
		{"POST", "/api/v1/snoozes", state.Admin, s.apiSnooze},
		{"POST", "/api/v1/snoozes/end", state.Admin, s.apiEndSnooze},

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

		{"GET", "/targets", state.Viewer, s.targets},
		{"POST", "/targets", state.Admin, s.addTargets},
		{"GET", "/targets/import", state.Admin, s.importForm},
		{"POST", "/targets/import", state.Admin, s.importTargets},
		{"POST", "/tests", state.Admin, s.askTest},
		{"GET", "/tests/{id}", state.Viewer, s.test},
		{"GET", "/targets/{id}", state.Viewer, s.target},
		{"POST", "/targets/{id}", state.Admin, s.changeTarget},
		{"GET", "/targets/{id}/remove", state.Admin, s.askRemoveTarget},
		{"POST", "/targets/{id}/remove", state.Admin, s.removeTarget},
		{"POST", "/exclusions", state.Admin, s.exclude},
		{"GET", "/exclusions/remove", state.Admin, s.askInclude},
		{"POST", "/exclusions/remove", state.Admin, s.include},

		{"GET", "/settings", state.Viewer, s.settings},
		{"POST", "/settings/schedule", state.Admin, s.setSchedule},
		{"POST", "/settings/remind", state.Admin, s.setRemind},
		{"GET", "/settings/profile", state.Viewer, s.profile},
		{"POST", "/settings/profile", state.Admin, s.setProfile},
		{"GET", "/settings/profile/remove", state.Admin, s.askRemoveProfile},
		{"POST", "/settings/profile/remove", state.Admin, s.removeProfile},
		{"GET", "/settings/window", state.Admin, s.window},
		{"POST", "/settings/window", state.Admin, s.setWindow},
		{"GET", "/settings/window/remove", state.Admin, s.askRemoveWindow},
		{"POST", "/settings/window/remove", state.Admin, s.removeWindow},

		{"GET", "/a/{token}", state.Nobody, s.linkPage},
		{"POST", "/a/{token}", state.Nobody, s.approveByLink},

		{"GET", "/assets/{version}/{file}", state.Nobody, s.asset},
		{"GET", "/favicon.ico", state.Nobody, s.icon},
		{"GET", "/healthz", state.Nobody, s.health},
		{"GET", "/metrics", state.Viewer, s.metrics},
	}
	if s.Guard == nil {
		return table
	}
	return append(table, []route{
		{"GET", "/login", state.Nobody, s.login},
		{"POST", "/login", state.Nobody, s.signIn},
		{"POST", "/logout", state.Nobody, s.signOut},
		{"GET", "/signin/{token}", state.Nobody, s.link},
		{"POST", "/signin/{token}", state.Nobody, s.useLink},
		{"GET", access.StartPath, state.Nobody, s.startOIDC},
		{"GET", access.CallbackPath, state.Nobody, s.finishOIDC},

		{"GET", "/account", state.Viewer, s.account},
		{"POST", "/account/first", state.Admin, s.firstUser},
		{"POST", "/account/password", state.Viewer, s.changePassword},
		{"POST", "/account/tokens", state.Viewer, s.createToken},
		{"POST", "/account/tokens/revoke", state.Viewer, s.revokeToken},

		{"GET", "/users", state.Admin, s.users},
		{"POST", "/users", state.Admin, s.addUser},
		{"POST", "/users/role", state.Admin, s.setRole},
		{"POST", "/users/disable", state.Admin, s.disableUser},
		{"POST", "/users/enable", state.Admin, s.enableUser},
		{"POST", "/users/password", state.Admin, s.resetPassword},
	}...)
}

const apiPrefix = "/api/"

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, apiPrefix) }

// admit lets those in who may.
func (s *server) admit(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, known, err := s.Gate.Identify(r)
		switch {
		case err != nil && route.role != state.Nobody:
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
	switch {
	case isAPI(r) || r.URL.Path == "/metrics":
		w.Header().Set("WWW-Authenticate", `Bearer realm="OwnMap", Basic realm="OwnMap", charset="UTF-8"`)
		s.fail(w, r, &fault{Status: http.StatusUnauthorized, Text: "Sign in first.", Hint: "Send a token of yours: Authorization: Bearer ownmap_…"})
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		// Not Basic: a browser would ask for a password by itself, and send it with every form from then on.
		w.Header().Set("WWW-Authenticate", `Bearer realm="OwnMap"`)
		s.fail(w, r, &fault{Status: http.StatusUnauthorized, Text: "Sign in first. Nothing was done.", Hint: "Your session is over: sign in on another tab and send the form again, or begin anew from the overview."})
		return
	}
	target := s.base + "/login"
	if r.URL.Path != "/" {
		target += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}
