package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// linkIs is what a link to approve has come to.
type linkIs string

const (
	linkAsks     linkIs = "asks"     // approves when somebody says so
	linkApproved linkIs = "approved" // has just approved
	linkDone     linkIs = "done"     // what it names was approved otherwise
	linkChanged  linkIs = "changed"  // something else is there
	linkGone     linkIs = "gone"     // is not good
)

// linkView is the page of a link to approve.
type linkView struct {
	Is      linkIs
	What    string // "443/tcp on web-1.example.org (10.20.0.11)"
	Host    state.HostReport
	Run     state.Run
	SentTo  string
	Expires time.Time
	Ports   []linkPort
	Waits   int    // how many of them the button approves
	Button  string // what stands on it
	Record  string // who is recorded
	Granted []state.Approval
	Page    string // of the ports, for who signs in; below the base
	Seen    string

	Fault, Hint   string // what is wrong with what was typed
	Reason, Until string // what was typed
}

// linkPort is one port of the page.
type linkPort struct {
	Name     string
	Vantage  string // where it is not all the same
	State    string // what is to be said of it, in words
	Class    string // came, waits, differs
	Sides    []linkSide
	Findings []state.Finding
}

// linkSide is what was, or is, there.
type linkSide struct {
	Head    string // empty: there is one side only
	At      time.Time
	Closed  bool
	Service string
	Process string
	Since   time.Time
	Stale   *time.Time
}

func (v linkView) title() string {
	switch v.Is {
	case linkAsks:
		return "Approve " + v.What + "?"
	case linkApproved:
		return "Approved: " + v.What
	case linkDone:
		return "Already approved: " + v.What
	case linkChanged:
		return "Not approved: " + v.What
	case linkGone:
	}
	return "This link is not good any more"
}

func (s *server) linkView(r *http.Request, l state.Linked, is linkIs) linkView {
	page := "/ports?" + url.Values{"filter": {"unapproved"}}.Encode()
	v := linkView{Is: is, Page: page}
	if is == linkGone {
		return v // whatever link it was
	}
	v.Host, v.Run, v.SentTo, v.Expires, v.Seen = l.Host, l.Run, l.SentTo, l.Scope.Expires.In(s.Zone), l.Seen()
	names := make([]string, len(l.Scope.Ports))
	for i, p := range l.Scope.Ports {
		names[i] = p.String()
	}
	v.What = strings.Join(names, ", ") + " on " + l.Host.Label()
	v.Page = "/ports?" + url.Values{"filter": {l.Host.Address.WithZone("").String()}}.Encode()
	v.Record = state.Approval{By: l.Author(identity(r)), Via: "mail"}.Author()
	several := slices.ContainsFunc(l.Ports, func(p state.LinkedPort) bool {
		return p.Vantage != l.Ports[0].Vantage || p.Vantage != state.DefaultVantage
	})
	for _, p := range l.Ports {
		port := linkPortOf(p, l.Run)
		if several {
			port.Vantage = p.Vantage
		}
		if p.Waits() {
			v.Waits++
			if is == linkApproved { // as it was found, a moment ago
				port.Class, port.State = "came", "approved"
			}
		}
		v.Ports = append(v.Ports, port)
	}
	v.Button = "Approve " + l.Scope.Ports[0].String()
	if v.Waits > 1 {
		v.Button = "Approve these " + state.Count(v.Waits, "port", "ports")
	}
	return v
}

func linkPortOf(p state.LinkedPort, run state.Run) linkPort {
	port := linkPort{Name: p.Was.String(), Class: "waits", State: "awaits approval"}
	was := sideOf(p.Was)
	if p.Now == nil || p.Now.State != state.Open {
		was.Head, was.At = "When the message was sent", run.StartedAt
		port.Class, port.State, port.Sides = "differs", "is not open any more", []linkSide{was, {Head: "Now", Closed: true}}
		return port
	}
	now := sideOf(*p.Now)
	port.Findings = p.Now.Findings
	if port.Sides = []linkSide{now}; p.Differs() {
		was.Head, was.At, now.Head = "When the message was sent", run.StartedAt, "Now"
		port.Sides = []linkSide{was, now}
	}
	switch {
	case p.Changed():
		port.Class, port.State = "differs", "something else listens now"
	case p.Now.Approved():
		port.Class, port.State = "came", "approved "+p.Now.Approval.ByAuthor()+" on "+p.Now.Approval.GrantedAt.Format(time.DateOnly)
		if p.Now.Approval.Reason != "" {
			port.State += ": " + p.Now.Approval.Reason
		}
	case p.Differs():
		port.State = "awaits approval; it is the same as the message told, though not word for word"
	}
	return port
}

func sideOf(p state.PortReport) linkSide {
	return linkSide{Service: p.Service.Summary(), Process: p.Behind().Described(), Since: p.FirstSeen, Stale: p.StaleSince}
}
