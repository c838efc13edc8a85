package site

import (
	"bytes"
	"encoding/binary"
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

// Frame is what stands around all pages of a kind that are in one folder. Templates of
// layout make their parts of it once.
type Frame struct {
	Root       string // of the archive, as seen from the page: "", "../", ...
	Nav        []navLink
	Brand      brandView
	Zone       string // of all times
	Standalone bool
	Style      template.CSS
	StyleHash  string // of the Style, for the content security policy
}

// layout is a page: what it shows, and what stands around that.
type layout struct {
	Frame   *Frame
	Title   string
	Notices []string // about templates that could not be used
	View    view
	Pager   *pager // of a long list
}

type navLink struct {
	Label, Link string
	Here        bool
}

// render makes the bytes of a page, in the place of what a buffer held. It is pure:
// nothing but its arguments and the templates go in.
func (l *look) render(out *bytes.Buffer, file, kind, zone string, v view) error {
	page := layout{Frame: l.frame(strings.Repeat("../", strings.Count(file, "/")), kind, zone), Title: v.title(), View: v}
	if list, is := v.(listView); is {
		page.Pager = list.pager()
	}
	return shown(out, l.pages[kind], func(notices []string) any {
		page.Notices = notices
		return page
	})
}

// frame returns what stands around the pages of a kind: always the same for the same ones.
func (l *look) frame(root, kind, zone string) *Frame {
	key := [...]string{root, kind, zone}
	f := l.frames[key]
	if f == nil {
		f = &Frame{Root: root, Brand: l.brand, Zone: zone, Nav: []navLink{
			{"Overview", root + "index.html", kind == "index"},
			{"Unapproved", root + "unapproved.html", kind == "unapproved"},
			{"Hosts", root + "hosts.html", kind == "hosts"},
			{"Runs", root + "runs.html", kind == "runs"},
		}}
		l.frames[key] = f
	}
	return f
}

// standalone makes the bytes of a run's page that needs no other file.
func (l *look) standalone(out *bytes.Buffer, report state.Report) error {
	v := runView(report, "", nil, standalonePorts)
	return shown(out, l.pages["run"], func(notices []string) any {
		return layout{Title: v.title(), Notices: notices, View: v, Frame: &Frame{
			Brand: l.brand, Zone: report.Run.StartedAt.Location().String(), Standalone: true,
			Style:     template.CSS(l.style), //nolint:gosec // our own stylesheet, or the user's
			StyleHash: l.styleHash(),
		}}
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
		if len(page)-i >= 8 && plainWord(binary.LittleEndian.Uint64(page[i:])) {
			i += 8
			continue
		}
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

// plainWord says whether eight bytes are all printable ASCII, 0x20 to 0x7e: of the lowest
// one that is not, either it has its high bit, or it gets it when 0x20 is taken off or 1 added.
func plainWord(bytes uint64) bool {
	const each = 0x0101010101010101
	return (bytes|(bytes-0x20*each)|(bytes+each))&(0x80*each) == 0
}
