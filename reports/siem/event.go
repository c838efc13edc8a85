// Package siem tells systems that watch logs (SIEM) of a message, as events: by syslog
// (RFC 5424) over UDP, TCP, TLS and the local socket, and as lines of JSON in a file.
package siem

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// MaxEvents is how many events a message becomes at most; its summary says how many more
// there would be.
const MaxEvents = 10_000

// Event is one thing that a message tells, and a line of JSON. Its keys are stable;
// one without a value is left out. Texts are at most 512 bytes long, and have escapes for
// what cannot be seen.
type Event struct {
	// ID is the message's and the number of the event in it: the same at every try, so
	// that what comes twice can be told.
	ID       string `json:"id"`
	Message  string `json:"message"`  // its ID
	Time     string `json:"time"`     // RFC 3339, UTC: when it was decided that there is something to say
	Event    string `json:"event"`    // "summary", which comes first, "finding", "change" or "voided"
	Kind     string `json:"kind"`     // of the message, the finding, the change; why the approval ended
	Severity string `json:"severity"` // critical, high, medium, low, info
	Run      int64  `json:"run,omitempty"`
	Group    string `json:"group,omitempty"`
	Host     string `json:"host,omitempty"` // its name
	Address  string `json:"address,omitempty"`
	Vantage  string `json:"vantage,omitempty"`
	Protocol string `json:"protocol,omitempty"`
	Port     uint16 `json:"port,omitempty"`
	Service  string `json:"service,omitempty"`
	Detail   string `json:"detail,omitempty"`
	By       string `json:"by,omitempty"`  // who gave the approval
	New      *bool  `json:"new,omitempty"` // of a finding: for the first time in this run
	Counts   *Count `json:"counts,omitempty"`
	Link     string `json:"link,omitempty"` // to the run's page
	Text     string `json:"text"`           // all of it for a reader
}

// Count is how much there is, in a summary with a run.
type Count struct {
	Changes    int `json:"changes"`
	Findings   int `json:"findings"`
	Voided     int `json:"voided"`
	Open       int `json:"open"`
	Unapproved int `json:"unapproved"`
	Hosts      int `json:"hosts"`
	Answered   int `json:"answered"`
	Silent     int `json:"silent"`
	NotScanned int `json:"not_scanned"`
	LeftOut    int `json:"left_out"` // events beyond MaxEvents
}

// Events returns what a message tells: its summary, findings and changes, the most
// severe first, and the approvals that are void.
func Events(m state.Message) []Event {
	list := []Event{summary(m)}
	add := func(e Event) {
		e.ID, e.Message, e.Time, e.Group = m.ID+"-"+strconv.Itoa(len(list)), m.ID, list[0].Time, list[0].Group
		e.Run = m.Report.Run.ID
		list = append(list, e)
	}
	r := m.Report
	if r == nil {
		return list
	}
	left := MaxEvents - 1
	findings := slices.SortedStableFunc(slices.Values(r.Findings), func(a, b state.Finding) int {
		return cmp.Or(cmp.Compare(a.Weight().Rank(), b.Weight().Rank()), state.CompareFindings(a, b))
	})
	for _, f := range findings[:min(len(findings), left)] {
		add(findingEvent(f))
	}
	left = MaxEvents - len(list)
	for _, h := range state.FoldFirst(r.Changes, left) {
		for _, c := range h.Changes {
			add(changeEvent(c))
		}
	}
	left = MaxEvents - len(list)
	for _, a := range r.Voided[:min(len(r.Voided), left)] {
		add(voidedEvent(a))
	}
	if all := 1 + len(r.Findings) + len(r.Changes) + len(r.Voided); all > len(list) {
		list[0].Counts.LeftOut = all - len(list)
	}
	return list
}

func summary(m state.Message) Event {
	e := Event{
		ID: m.ID + "-0", Message: m.ID, Time: m.At.UTC().Format(time.RFC3339), Event: "summary", Kind: state.Clean(string(m.Kind)),
		Severity: string(severityOf(m.Kind)), Group: state.Clean(m.Group), Link: state.WebLink(m.Links.Run),
	}
	var said []string
	for _, text := range append([]string{m.Subject()}, append(m.Notes[:len(m.Notes):len(m.Notes)], m.Lines...)...) {
		const most = 20
		if text != "" && len(said) < most {
			said = append(said, state.Clean(text))
		}
	}
	e.Text = state.Clean(strings.Join(said, "; "))
	if r := m.Report; r != nil {
		open, unapproved := r.OpenPorts()
		e.Run = r.Run.ID
		e.Counts = &Count{
			Changes: len(r.Changes), Findings: len(r.Findings), Voided: len(r.Voided), Open: open, Unapproved: unapproved,
			Hosts: r.Coverage.Hosts, Answered: r.Coverage.Answered, Silent: r.Coverage.Silent, NotScanned: r.Coverage.NotScanned,
		}
	}
	return e
}

// severityOf ranks a summary; what is in it has an event of its own.
func severityOf(kind state.MessageKind) state.Severity {
	switch kind {
	case state.MessageTrouble:
		return state.High
	case state.MessageBaseline, state.MessageChanges, state.MessageReminder:
		return state.Low
	case state.MessageWell, state.MessageTest:
		return state.Info
	}
	return state.Info
}

func changeEvent(c state.Change) Event {
	service := c.Now.Service
	if service.String() == "" {
		service = c.Was.Service
	}
	e := at("change", c.Address, c.Name, c.Vantage, c.Port)
	e.Kind, e.Severity, e.Service, e.Detail = string(c.Kind), string(c.Kind.Severity()), state.Clean(service.String()), state.Clean(c.Detail())
	return e.says(c.Kind.Words(), e.Detail)
}

func findingEvent(f state.Finding) Event {
	e := at("finding", f.Address, f.Name, f.Vantage, f.Port)
	e.Kind, e.Severity, e.Detail, e.New = string(f.Kind), string(f.Weight()), state.Clean(f.Says()), &f.New
	return e.says(f.Kind.Words(), e.Detail)
}

func voidedEvent(a state.Approval) Event {
	e := at("voided", a.Address, "", a.Vantage, a.Port)
	e.Kind, e.Severity, e.Service, e.By, e.Detail = cmp.Or(state.Clean(string(a.EndReason)), "ended"), string(state.High), state.Clean(a.Service), state.Clean(a.Author()), state.Clean(a.Reason)
	return e.says("approval is void: "+e.Kind, e.Detail)
}

func at(event string, address netip.Addr, name, vantage string, port state.Port) Event {
	e := Event{Event: event, Address: address.String(), Host: state.Clean(name), Vantage: state.Clean(vantage)}
	if port.Number != 0 {
		e.Protocol, e.Port = string(port.Protocol), port.Number
	}
	return e
}

// says makes the text of an event: "web-1 (192.0.2.11): 8080/tcp port opened, http nginx".
func (e Event) says(what, detail string) Event {
	where := e.Address
	if e.Host != "" {
		where = e.Host + " (" + e.Address + ")"
	}
	if e.Port != 0 {
		what = strconv.Itoa(int(e.Port)) + "/" + e.Protocol + " " + what
	}
	e.Text = where + ": " + what
	if detail != "" {
		e.Text += ", " + detail
	}
	e.Text = state.Clean(e.Text)
	return e
}
