package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/Masterminds/sprig/v3"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// pages holds every kind of page, parsed once. A page that is missing here or
// among the files panics at start, in the first test rather than at night.
var pages = parsePages("index", "run", "host", "hosts", "unapproved", "runs")

func parsePages(names ...string) map[string]*template.Template {
	funcs := sprig.HermeticHtmlFuncMap() // without env: a template must not see secrets
	funcs["day"] = func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	funcs["minute"] = func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
	funcs["rfc3339"] = func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	base := template.Must(template.New("").Funcs(funcs).Option("missingkey=error").
		ParseFS(templates.FS, "shared/changes.html", "shared/ports.html", "shared/runs.html", "shared/charts.html", "site/layout.html"))
	parsed := make(map[string]*template.Template, len(names))
	for _, name := range names {
		parsed[name] = template.Must(template.Must(base.Clone()).ParseFS(templates.FS, "site/"+name+".html"))
	}
	return parsed
}

// view is what a page shows: its title and the data of its template.
type view interface{ title() string }

// layout is what stands around every page.
type layout struct {
	Root       string // of the archive, as seen from the page: "", "../", ...
	Title      string
	Nav        []navLink
	Standalone bool
	Style      template.CSS
	StyleHash  string // of the Style, for the content security policy
	View       view
}

type navLink struct {
	link
	Here bool
}

// render makes the bytes of a page. It is pure: nothing but its arguments and
// the templates go in.
func render(file, name string, v view) ([]byte, error) {
	root := strings.Repeat("../", strings.Count(file, "/"))
	nav := []navLink{
		{link{"Overview", root + "index.html"}, name == "index"},
		{link{"Unapproved", root + "unapproved.html"}, name == "unapproved"},
		{link{"Hosts", root + "hosts.html"}, name == "hosts"},
		{link{"Runs", root + "runs.html"}, name == "runs"},
	}
	var out bytes.Buffer
	err := pages[name].ExecuteTemplate(&out, "layout", layout{Root: root, Title: v.title(), Nav: nav, View: v})
	return out.Bytes(), err
}

// Standalone writes a run's report as one HTML file that needs no other: to be
// mailed, or kept. It has no script and leads nowhere.
func Standalone(w io.Writer, report state.Report) error {
	style, err := fs.ReadFile(templates.FS, "site/ownmap.css")
	if err != nil {
		return err
	}
	v := runView(report, "", nil)
	sum := sha256.Sum256(style)
	err = pages["run"].ExecuteTemplate(w, "layout", layout{
		Title: v.title(), Standalone: true, View: v,
		Style:     template.CSS(style), //nolint:gosec // our own stylesheet
		StyleHash: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
	})
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}
