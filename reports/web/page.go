package web

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// look is what pages are made of.
type look struct {
	brand brand
	pages map[string]*templates.Page // by name of the template
	files map[string]asset
	tag   string // of all assets: part of their addresses
}

// newLook parses the template of every page: a broken one fails the start, not a click.
func newLook(set *templates.Set, b state.Brand) (look, error) {
	l := look{pages: make(map[string]*templates.Page), brand: brandOf(b)}
	names, err := fs.Glob(templates.FS, "web/*.html")
	if err != nil {
		return l, err
	}
	parts, err := fs.Glob(templates.FS, "web/parts/*.html")
	if err != nil {
		return l, err
	}
	for _, file := range names {
		if name := strings.TrimSuffix(path.Base(file), ".html"); name != "layout" {
			l.pages[name] = set.HTML("layout", append([]string{"web/layout.html", "shared/changes.html", "shared/charts.html", "shared/host.html", file}, parts...)...)
		}
	}
	l.files, l.tag, err = assetsOf(set, b)
	return l, err
}

// brand is whose page it is.
type brand struct {
	Organisation string
	Logo         *logo
	Colours      bool
}

type logo struct {
	File          string
	Width, Height int
}

// page is what the templates get: `$` in all of them.
type page struct {
	Base    string // what addresses begin with
	Assets  string // of stylesheets and scripts
	Title   string
	Section string // of the navigation that the page is in
	Nav     []navLink
	Brand   brand
	Who     state.Identity
	Said    string // what the request before this page did
	Notices []string
	Zone    string
	Version string
	View    any
}

// Admin says whether who looks may change things.
func (p page) Admin() bool { return p.Who.Role.May(state.Admin) }

type navLink struct {
	Label, Link string
	Here        bool
}

// titled is a view that says what its page is called.
type titled interface{ title() string }

// sectioned is a view that says in which part of the navigation it is.
type sectioned interface{ section() string }

// nav is the navigation, as far as somebody may see it.
func (s *server) nav(who state.Identity, section string) []navLink {
	if who.Role == state.Nobody {
		return nil
	}
	links := []navLink{
		{Label: "Overview", Link: "/"},
		{Label: "Ports", Link: "/ports"},
		{Label: "Hosts", Link: "/hosts"},
		{Label: "Approvals", Link: "/approvals"},
		{Label: "Runs", Link: "/runs"},
		{Label: "Scan", Link: "/scan"},
		{Label: "Targets", Link: "/targets"},
		{Label: "Deliveries", Link: "/deliveries"},
		{Label: "Settings", Link: "/settings"},
	}
	if s.Guard != nil && who.Role.May(state.Admin) {
		links = append(links, navLink{Label: "Users", Link: "/users"})
	}
	for i := range links {
		links[i].Here = links[i].Label == section
	}
	return links
}

// show answers with a page. It is made whole before the first byte is sent.
func (s *server) show(w http.ResponseWriter, r *http.Request, status int, name string, view any) error {
	template, found := s.look.pages[name]
	if !found {
		return fmt.Errorf("no page %q", name)
	}
	p := page{
		Base: s.base, Assets: s.base + "/assets/" + s.look.tag + "/", Title: strings.ToUpper(name[:1]) + name[1:], Brand: s.look.brand, Who: identity(r),
		Said: s.said(w, r), Zone: s.Zone.String(), Version: s.Version, View: view,
	}
	if t, is := view.(titled); is {
		p.Title = t.title()
	}
	if t, is := view.(sectioned); is {
		p.Section = t.section()
	}
	p.Nav = s.nav(p.Who, p.Section)
	var out bytes.Buffer
	err := template.RenderTo(&out, func(notices []string) any {
		p.Notices = notices
		return p
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	// Nothing is left to be done about a browser that went away.
	_, _ = w.Write([]byte(state.Visible(out.String())))
	return nil
}

func (f *fault) title() string { return http.StatusText(f.Status) }
