package site

import (
	"bytes"
	"html/template"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// view is what a page shows: its title and the data of its template. Nothing else goes
// into the page, so that the same view is always the same page.
type view interface{ title() string }

// listView is a view that is one page of a long list.
type listView interface{ pager() *pager }

// layout is what stands around every page.
type layout struct {
	Root       string // of the archive, as seen from the page: "", "../", ...
	Title      string
	Nav        []navLink
	Brand      brandView
	Notices    []string // about templates that could not be used
	Zone       string   // of all times
	Standalone bool
	Style      template.CSS
	StyleHash  string // of the Style, for the content security policy
	View       view
	Pager      *pager // of a long list
}

type navLink struct {
	Label, Link string
	Here        bool
}

// render makes the bytes of a page, in the place of what a buffer held. It is pure:
// nothing but its arguments and the templates go in.
func (l *look) render(out *bytes.Buffer, file, kind, zone string, v view) error {
	root := strings.Repeat("../", strings.Count(file, "/"))
	nav := []navLink{
		{"Overview", root + "index.html", kind == "index"},
		{"Unapproved", root + "unapproved.html", kind == "unapproved"},
		{"Hosts", root + "hosts.html", kind == "hosts"},
		{"Runs", root + "runs.html", kind == "runs"},
	}
	page := layout{Root: root, Title: v.title(), Nav: nav, Brand: l.brand, Zone: zone, View: v}
	if list, is := v.(listView); is {
		page.Pager = list.pager()
	}
	return shown(out, l.pages[kind], func(notices []string) any {
		page.Notices = notices
		return page
	})
}

// standalone makes the bytes of a run's page that needs no other file.
func (l *look) standalone(out *bytes.Buffer, report state.Report) error {
	v := runView(report, "", nil, standalonePorts)
	return shown(out, l.pages["run"], func(notices []string) any {
		return layout{
			Title: v.title(), Brand: l.brand, Notices: notices, Zone: report.Run.StartedAt.Location().String(), Standalone: true, View: v,
			Style:     template.CSS(l.style), //nolint:gosec // our own stylesheet, or the user's
			StyleHash: l.styleHash(),
		}
	})
}

// shown renders a page in which no character hides: what people type, owners and reasons,
// was cleaned by nobody.
func shown(out *bytes.Buffer, page *templates.Page, data func(notices []string) any) error {
	err := page.RenderTo(out, data)
	if hides(out.Bytes()) {
		visible := state.Visible(out.String())
		out.Reset()
		out.WriteString(visible)
	}
	return err
}

// hides says whether a character hides in a page. It asks only about what is not plain,
// for few pages hold much of that, and a copy of each would be the most that is made.
func hides(page []byte) bool {
	for i := 0; i < len(page); {
		if c := page[i]; ' ' <= c && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		end := i + 1
		for end < len(page) && page[end] >= 0x80 {
			end++
		}
		if text := string(page[i:end]); len(state.Visible(text)) != len(text) { // an escape is longer than what it stands for
			return true
		}
		i = end
	}
	return false
}
