package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
)

// MaxBody is how many bytes a body has at most.
const MaxBody = 256 << 10

// How many bytes each list has at most; what is left of MaxBody holds all else.
const (
	noteBytes       = 12 << 10
	lineBytes       = 16 << 10
	findingBytes    = 40 << 10
	changeBytes     = 72 << 10
	voidedBytes     = 32 << 10
	unapprovedBytes = 40 << 10
)

// How many items each list has at most.
const (
	mostTexts   = 50
	mostChanges = 300
	mostOthers  = 200
)

// Render makes the body of a message; Payload describes it.
func Render(m state.Message, organisation, network string) ([]byte, error) {
	d := Data{
		Schema: Schema, ID: m.ID, Kind: string(m.Kind), Subject: state.Clean(m.Subject()),
		Organisation: some(organisation), Network: some(network), Group: some(m.Group), Title: some(m.Title),
		Links: links{linkOf(m.Links.Run), linkOf(m.Links.Review)},
	}
	l := lists{}
	d.Totals.Lines, d.Totals.Notes = len(m.Lines), len(m.Notes)
	d.Notes = take(&l, m.Notes, mostTexts, noteBytes, textOf)
	d.Lines = take(&l, m.Lines, mostTexts, lineBytes, textOf)
	if m.Report != nil {
		l.report(&d, m)
	} else {
		d.Findings, d.Changes, d.Voided, d.Unapproved = []json.RawMessage{}, []json.RawMessage{}, []json.RawMessage{}, []json.RawMessage{}
	}
	if l.err != nil {
		return nil, l.err
	}
	d.Truncated = l.cut
	return encode(Payload{Type: "ownmap." + string(m.Kind), Timestamp: utc(&m.At), Data: d})
}

// lists remembers whether something was cut, or failed.
type lists struct {
	cut bool
	err error
}

func (l *lists) report(d *Data, m state.Message) {
	r := m.Report
	d.Run = &run{
		ID: r.Run.ID, State: string(r.Run.State), StartedAt: utc(&r.Run.StartedAt), FinishedAt: utc(r.Run.FinishedAt), Baseline: r.Run.Baseline, Partial: r.Run.Partial,
		Alerts: take(l, r.Run.Alerts, mostTexts, noteBytes, alertOf), Notes: take(l, r.Run.Notes, mostTexts, noteBytes, textOf),
	}
	d.Verdict, d.Mood, d.Coverage = some(r.Verdict()), some(string(r.Mood())), &r.Coverage
	d.Severities = count(r.Changes)
	d.Totals.Changes, d.Totals.Findings, d.Totals.Voided = len(r.Changes), len(r.Findings), len(r.Voided)
	d.Totals.Open, d.Totals.Unapproved = r.OpenPorts()
	d.Findings = take(l, slices.SortedStableFunc(slices.Values(r.Findings), func(a, b state.Finding) int {
		return cmp.Or(cmp.Compare(a.Weight().Rank(), b.Weight().Rank()), state.CompareFindings(a, b))
	}), mostOthers, findingBytes, findingOf)
	var changes []state.Change
	for _, h := range state.FoldFirst(r.Changes, mostChanges) {
		changes = append(changes, h.Changes...)
	}
	d.Changes = take(l, changes, mostChanges, changeBytes, changeOf)
	d.Voided = take(l, r.Voided, mostOthers, voidedBytes, approvalOf)
	type waiting struct {
		host state.HostReport
		port state.PortReport
	}
	var ports []waiting
	for _, h := range r.LongestWaiting(mostOthers) {
		for _, p := range h.Ports {
			ports = append(ports, waiting{h, p})
		}
	}
	d.Unapproved = take(l, ports, mostOthers, unapprovedBytes, func(w waiting) any { return portOf(w.host, w.port, m.Links) })
	l.cut = l.cut || len(changes) < len(r.Changes) || len(ports) < d.Totals.Unapproved
}

// take writes the first items of a list, as many and as many bytes as it may have.
func take[T any](l *lists, items []T, most, size int, write func(T) any) []json.RawMessage {
	taken := []json.RawMessage{}
	for _, item := range items {
		text, err := encode(write(item))
		if err != nil {
			l.err = err
			break
		}
		if size -= len(text) + 1; size < 0 || len(taken) == most {
			l.cut = true
			break
		}
		taken = append(taken, text)
	}
	return taken
}

// linkOf returns a link whole, which may be longer than a text, or null for none.
func linkOf(link string) *string {
	if link = state.WebLink(link); link == "" {
		return nil
	}
	return &link
}

func count(changes []state.Change) (s severities) {
	for i := range changes {
		switch changes[i].Kind.Severity() {
		case state.Critical:
			s.Critical++
		case state.High:
			s.High++
		case state.Medium:
			s.Medium++
		case state.Low:
			s.Low++
		case state.Info:
			s.Info++
		}
	}
	return s
}

// encode writes JSON in one line. "<" and "&" stay as they are: it is no HTML.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}
