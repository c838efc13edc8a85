package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// streams are the routes of the API that the document does not have: it knows no streams.
func streams() []string { return nil }

// TestDocument holds that the document of the API is a valid one, and has every route of
// the API with its role, and no other.
func TestDocument(t *testing.T) {
	t.Parallel()
	text, err := templates.FS.ReadFile("web/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			said[method+" "+path] = strings.Join(operation.Tags, " ")
		}
	}
	tags := map[state.Role]string{state.Viewer: "read", state.Admin: "write"}
	for _, route := range (&server{}).routes() {
		path, is := strings.CutPrefix(route.path, "/api/v1")
		if !is || slices.Contains(streams(), path) {
			continue
		}
		key := route.method + " " + path
		if said[key] != tags[route.role] {
			t.Errorf("%s is for the role %s, and the document says %q", key, route.role, said[key])
		}
		delete(said, key)
	}
	for key := range said {
		t.Errorf("%s stands in the document, and there is no such route", key)
	}
}

// TestAPI holds what the API says to those who ask wrongly.
func TestAPI(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	json := []string{"Content-Type", "application/json"}
	for _, test := range []struct {
		method, path, body string
		role               state.Role
		header             []string
		status             int
		says               string
	}{
		{"GET", "/api/v1/scans", "", state.Viewer, nil, 200, `"scans": []`},
		{"GET", "/api/v1/hosts", "", state.Viewer, nil, 200, `"address": "10.20.0.11"`},
		{"GET", "/api/v1/hosts?filter=5432/tcp", "", state.Viewer, nil, 200, `"total": 1`},
		{"GET", "/api/v1/hosts?filter=prot:22", "", state.Viewer, nil, 400, "The filter cannot be read"},
		{"GET", "/api/v1/hosts?sort=colour", "", state.Viewer, nil, 400, "cannot be sorted by colour"},
		{"GET", "/api/v1/runs?limit=0", "", state.Viewer, nil, 400, "limit has to be"},
		{"GET", "/api/v1/nothing", "", state.Viewer, nil, 404, `"error": "There is no such page."`},
		{"GET", "/api/v1/status", "", state.Nobody, nil, 401, `"error": "Sign in first."`},
		{"POST", "/api/v1/approvals", "{}", state.Viewer, json, 403, "may only read"},
		{"POST", "/api/v1/approvals", "{}", state.Admin, json, 422, "either host or filter"},
		{"POST", "/api/v1/approvals", `{"hots": "x"}`, state.Admin, json, 400, `unknown field \"hots\"`},
		{"POST", "/api/v1/approvals", "{} {}", state.Admin, json, 400, "more than one value"},
		{"POST", "/api/v1/approvals", "host=x", state.Admin, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "has to be JSON"},
		{"POST", "/api/v1/approvals", `{"host": "10.20.0.11", "until": "2001-01-01"}`, state.Admin, json, 422, "is in the past"},
		{"POST", "/api/v1/approvals", `{"host": "` + strings.Repeat("x", bodyLimit) + `"}`, state.Admin, json, 413, "more than 1024 KiB"},
		{"POST", "/api/v1/approvals/preview", `{"filter": "unapproved"}`, state.Viewer, json, 200, `"ports": 2`},
		{"POST", "/api/v1/scans", `{"targets": []}`, state.Admin, json, 202, `"id": 1`},
		{"GET", "/api/v1/scans", "", state.Viewer, nil, 200, `"by": "alice"`},
		{"DELETE", "/api/v1/scans", "", state.Admin, nil, 405, "takes GET, HEAD, POST only"},
	} {
		response, body := p.send(t, test.role, test.method, test.path, test.body, test.header...)
		if response.StatusCode != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s %s %s as %s: %d %s", test.method, test.path, test.body[:min(40, len(test.body))], test.role, response.StatusCode, body)
		}
		if kind := response.Header.Get("Content-Type"); kind != "application/json" {
			t.Errorf("%s %s: %s", test.method, test.path, kind)
		}
	}
	if r, _ := p.send(t, state.Admin, http.MethodPost, "/api/v1/scans", "{}", append(json, "Sec-Fetch-Site", "cross-site")...); r.StatusCode != http.StatusForbidden {
		t.Errorf("a scan was asked for from another site: %d", r.StatusCode)
	}
}
