// Package web is the report one can answer to: the pages of `ownmap serve`, and the JSON
// API beside them. It reads and writes the book alone; it never runs nmap, opens no SSH
// and makes no path, command or URL of what people type.
package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
	"ownmap/templates"
)

// Book is what the pages read and write, by area.
type Book interface {
	overviewBook
	portsBook
	approvalsBook
	hostBook
	readBook
	writeBook
	runsBook
	scanBook
	deliveriesBook
	linkBook
}

// Links knows what the tokens of links to approve say. Package link implements it.
type Links interface {
	// Open returns what a token approves; whatever is wrong with it is state.ErrLinkGone.
	Open(token string) (state.LinkScope, error)
}

// Gate says who makes a request.
type Gate interface {
	// Identify returns who it is; ok is false where nobody has signed in. What is to be
	// told of the sign-in itself, such as that it has to wait, is an error of Options.Explain.
	Identify(r *http.Request) (who state.Identity, ok bool, err error)
}

// Options is what the pages need. Book and Desk are required, and Guard or Gate.
type Options struct {
	Book  Book
	Desk  Desk
	Guard *access.Guard // lets people in; nil: there are no pages to sign in
	Gate  Gate          // nil: Guard
	Operations

	// External is the address that people know the page by, with the path that it
	// lives under; nil: the one that it listens on.
	External *url.URL
	// HostNames are further names that requests may call it by. Addresses and localhost
	// always may: a name is what DNS rebinding needs.
	HostNames []string

	Links    Links          // nil: there are no links to approve
	LinkMode state.LinkMode // empty: LinksOff

	Templates *templates.Set // nil: the built-in ones
	Brand     state.Brand
	Zone      *time.Location // of all times; nil: UTC
	Version   string
	Now       func() time.Time // nil: time.Now

	// Explain turns an error of the book into a status of HTTP, what to say and the
	// remedy; status 0: it does not know the error, which is then ours.
	Explain func(error) (status int, text, hint string)
	// JSON writes what the API answers with.
	JSON Encoders
	// Tables write files that people take along from the pages.
	Tables Tables
	// NextRun says what begins the next run, and when; nil: the pages do not tell.
	NextRun func(context.Context) (state.NextRun, error)
	// Metrics writes what /metrics shows, in Prometheus' text format; nil: there is none.
	Metrics func(ctx context.Context, w io.Writer) error
	// Ready says whether the page can do its work: /healthz asks it; nil: always.
	Ready func(context.Context) error

	Log    *slog.Logger // of faults; nil: none
	Access *slog.Logger // a line for each request, without tokens; nil: none
}

// server makes the pages.
type server struct {
	Options

	shelf       *shelf
	briefs      *memo[runView]
	comparisons *memo[*comparison]
	hub         hub
	base        string // what the path of every page begins with: "", "/ownmap"
	look        look
	figures     *memo[state.Figures]
	router      *http.ServeMux
}

// New returns the pages and the API.
func New(o Options) (http.Handler, error) {
	if o.Gate == nil && o.Guard != nil {
		o.Gate = o.Guard
	}
	if o.Book == nil || o.Desk == nil || o.Gate == nil {
		return nil, errors.New("web: no book, no desk or no gate")
	}
	if o.Templates == nil {
		o.Templates = templates.New("")
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &server{
		Options: o, shelf: newShelf(o.Scratch, o.Stopping),
		briefs: newMemo[runView](64, o.Stopping), comparisons: newMemo[*comparison](32, o.Stopping), figures: newMemo[state.Figures](8, o.Stopping),
	}
	s.hub = hub{look: s.underWay, now: o.Now, stopping: o.Stopping, watchers: make(map[*watcher]bool)}
	if o.External != nil {
		s.base = strings.TrimRight(o.External.Path, "/")
	}
	var err error
	if s.look, err = newLook(o.Templates, o.Brand); err != nil {
		return nil, err
	}
	s.router = http.NewServeMux()
	for _, route := range s.routes() {
		s.router.Handle(route.method+" "+route.path, s.admit(route))
	}
	return s.frame(), nil
}
