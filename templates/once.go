package templates

import (
	"errors"
	htmltemplate "html/template"
	"strings"
	"sync"
)

// onceMade is behind the function `once` of templates: it makes a named template of some
// data, given as a pointer, but once. What thousands of pages have in common takes most
// of their time.
type onceMade struct {
	of *htmltemplate.Template

	mu     sync.Mutex
	made   map[onceCall]htmltemplate.HTML
	within int // calls that are under way
}

type onceCall struct {
	name string
	data any
}

// A user's template may call itself, and hand over other data with every page.
const (
	maxWithin = 100
	maxMade   = 1000
)

func (o *onceMade) html(name string, data any) (htmltemplate.HTML, error) {
	call := onceCall{name, data}
	known, found, err := o.begin(call)
	if found || err != nil {
		return known, err
	}
	defer o.end()
	var out strings.Builder
	if err := o.of.ExecuteTemplate(&out, name, data); err != nil {
		return "", err
	}
	html := htmltemplate.HTML(out.String()) //nolint:gosec // a template made it, with its escaping
	o.keep(call, html)
	return html, nil
}

func (o *onceMade) begin(call onceCall) (known htmltemplate.HTML, found bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if known, found = o.made[call]; found {
		return known, true, nil
	}
	if o.within == maxWithin {
		return "", false, errors.New("once: the template calls itself")
	}
	o.within++
	return "", false, nil
}

func (o *onceMade) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.within--
}

func (o *onceMade) keep(call onceCall, html htmltemplate.HTML) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.made == nil || len(o.made) == maxMade {
		o.made = make(map[onceCall]htmltemplate.HTML)
	}
	o.made[call] = html
}
