package templates

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	texttemplate "text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// Page is a template that is ready to run: with the user's files in it, and beside
// that as it is built in.
type Page struct {
	set            *Set
	root           string
	files          []string
	custom, native executor     // custom is nil where no file of the page is the user's
	size           atomic.Int64 // bytes of the last page, which the next one may have too
}

type executor interface {
	ExecuteTemplate(w io.Writer, name string, data any) error
}

// HTML returns the page that begins at the template root of these files, with
// html/template's escaping. It panics when a built-in file does not parse: the first
// test finds that, not a night.
func (s *Set) HTML(root string, files ...string) *Page {
	return s.page(root, files, func(sources []string) (executor, error) {
		t := htmltemplate.New("").Funcs(htmlFuncs()).Option("missingkey=error")
		t.Funcs(htmltemplate.FuncMap{"once": (&onceMade{of: t}).html})
		for i, source := range sources {
			if _, err := t.New(files[i]).Parse(source); err != nil {
				return nil, err
			}
		}
		return t, nil
	})
}

// Text is HTML for plain text, which knows no escaping: what goes in is clean, or
// escaped by the functions of the template.
func (s *Set) Text(root string, files ...string) *Page {
	return s.page(root, files, func(sources []string) (executor, error) {
		t := texttemplate.New("").Funcs(textFuncs()).Option("missingkey=error")
		for i, source := range sources {
			if _, err := t.New(files[i]).Parse(source); err != nil {
				return nil, err
			}
		}
		return t, nil
	})
}

func (s *Set) page(root string, files []string, parse func([]string) (executor, error)) *Page {
	p := &Page{set: s, root: root, files: files}
	own, mixed, changed := make([]string, len(files)), make([]string, len(files)), false
	for i, name := range files {
		builtIn, err := fs.ReadFile(FS, name)
		if err != nil {
			panic(err)
		}
		own[i], mixed[i] = string(builtIn), string(builtIn)
		if text, found := s.files[name]; found {
			mixed[i], changed = text, true
		}
	}
	var err error
	if p.native, err = parse(own); err != nil {
		panic(err)
	}
	if !changed {
		return p
	}
	if p.custom, err = parse(mixed); err != nil { // two files that do not fit together
		p.custom = nil
		s.faults = append(s.faults, fmt.Errorf("%s/%s; the built-in one is used", strings.TrimSuffix(s.dir, "/"), strings.TrimPrefix(err.Error(), "template: ")))
	}
	return p
}

// Render makes the bytes of a page, as RenderTo does.
func (p *Page) Render(data func(notices []string) any) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(int(p.size.Load()) * 9 / 8)
	err := p.RenderTo(&out, data)
	p.size.Store(int64(out.Len()))
	return out.Bytes(), err
}

// RenderTo puts a page into a buffer, in the place of what it held. data is asked for
// what goes in, with notices about templates that could not be used, which the page is
// to show. Where the user's template fails on the data the built-in one is run, and
// told of it.
func (p *Page) RenderTo(out *bytes.Buffer, data func(notices []string) any) error {
	notices := p.set.Notices()
	out.Reset()
	if p.custom != nil {
		err := p.custom.ExecuteTemplate(out, p.root, data(notices))
		if err == nil {
			return nil
		}
		notice := fmt.Sprintf("Template %s/%s; the built-in one is used.", strings.TrimSuffix(p.set.dir, "/"), strings.TrimPrefix(err.Error(), "template: "))
		p.set.fail(notice)
		notices = append(notices, notice)
		out.Reset()
	}
	return p.native.ExecuteTemplate(out, p.root, data(notices))
}

func htmlFuncs() htmltemplate.FuncMap {
	of := functions(sprig.HermeticHtmlFuncMap())
	of["once"] = new(onceMade).html
	return of
}

func textFuncs() texttemplate.FuncMap { return functions(sprig.HermeticTxtFuncMap()) }

// functions makes of sprig's what templates may use: nothing that reads the
// environment, so that no template can print a secret; nothing that asks chance or the
// clock, so that the same run gives the same bytes; and dates as all reports write them
// (ISO 8601), in the zone that the times came in.
func functions[M ~map[string]any](of M) M {
	maps.DeleteFunc(of, func(name string, _ any) bool {
		return strings.HasPrefix(name, "gen") || slices.Contains([]string{"ago", "bcrypt", "htpasswd", "encryptAES", "shuffle"}, name)
	})
	of["day"] = func(t time.Time) string { return t.Format(time.DateOnly) }
	of["minute"] = func(t time.Time) string { return t.Format("2006-01-02 15:04") }
	of["rfc3339"] = func(t time.Time) string { return t.Format(time.RFC3339) }
	return of
}
