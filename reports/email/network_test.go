package email

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// many is a report of so many changes: ports that opened, five on a host, all of them
// unapproved; a name that text makes from a number stands in every text.
func many(changes int, text func(int) string) state.Report {
	r := demo.Nights(3).At(3)
	r.Changes, r.Hosts, r.Findings, r.InsideGaps, r.Gaps = nil, nil, nil, nil, nil
	r.Run.Baseline = false
	address := netip.MustParseAddr("10.0.0.0")
	for i := range changes {
		if i%5 == 0 {
			address = address.Next()
			r.Hosts = append(r.Hosts, state.HostReport{
				Host:  state.Host{ID: int64(i/5 + 1), Vantage: state.DefaultVantage, Address: address, Names: []string{text(i)}},
				Owner: text(i % 20), FirstSeen: demo.Night(1),
			})
		}
		h := &r.Hosts[len(r.Hosts)-1]
		port := state.Port{Protocol: state.TCP, Number: uint16(8000 + i%5)}
		service := state.Service{Name: "http", Product: text(i), Version: "1.26.0", Probed: true}
		h.Ports = append(h.Ports, state.PortReport{
			PortStatus: state.PortStatus{Port: port, State: state.Open, Service: service}, FirstSeen: demo.Night(1 + i%3), LastSeen: demo.Night(3),
		})
		kind := state.PortOpened
		if i%7 == 0 {
			kind = state.VersionChanged
		}
		r.Changes = append(r.Changes, state.Change{
			Kind: kind, HostID: h.ID, Vantage: h.Vantage, Address: address, Name: h.Name(), Port: port,
			Was: state.Seen{Service: service}, Now: state.Seen{State: state.Open, Service: service},
		})
	}
	r.Coverage = state.Totals{Hosts: len(r.Hosts), Answered: len(r.Hosts)}
	return r
}

// full adds so many lines to every other list of a report, with a text in all of them.
func full(r *state.Report, n int, text func(int) string) {
	address, port := netip.MustParseAddr("2001:db8::1"), state.Port{Protocol: state.UDP, Number: 161}
	for i := range n {
		t := text(i)
		r.Run.Alerts = append(r.Run.Alerts, state.Alert{Kind: state.AlertStale, Text: t})
		r.Run.Notes = append(r.Run.Notes, t)
		r.Run.Only = append(r.Run.Only, t)
		r.Gaps = append(r.Gaps, state.Gap{Label: t, Protocol: state.TCP, Status: state.Silent, Reason: t})
		r.InsideGaps = append(r.InsideGaps, state.InsideGap{Label: t, Address: address, Reason: t})
		r.Flaps = append(r.Flaps, state.Flap{Address: address, Name: t, Port: port, Count: 2, First: demo.Night(1)})
		r.Elsewhere = append(r.Elsewhere, state.Elsewhere{Address: address, Name: t, Port: port, Views: []state.View{{Vantage: t, State: state.Open}}})
		r.Voided = append(r.Voided, state.Approval{Address: address, Port: port, By: t, Reason: t, EndReason: state.EndedDrifted, GrantedAt: demo.Night(1)})
		for _, kind := range []state.FindingKind{state.HiddenFromTool, state.AllPortsOpen} {
			r.Findings = append(r.Findings, state.Finding{Kind: kind, Severity: kind.Severity(), Address: address, Name: t, Port: port, Detail: t, First: demo.Night(1)})
		}
		r.Hosts = append(r.Hosts, state.HostReport{
			Host: state.Host{ID: int64(1_000_000 + i), Address: address, Names: []string{t}}, Owner: t,
			Ports: []state.PortReport{{PortStatus: state.PortStatus{Port: port, State: state.Open}, FirstSeen: demo.Night(1), Process: &state.Process{Exe: t, User: t}}},
		})
	}
	r.Inside = state.Totals{Hosts: n, NotScanned: n}
	r.Run.Error = text(0)
	r.Run.Scanner.Version = text(1)
}

func hostName(i int) string { return fmt.Sprintf("host-%d.example.org", i) }

// leads is where a mail leads to.
type leads struct {
	state.MessageLinks
	Links
}

// links leads everywhere.
func links() leads {
	const base = "https://ownmap.example.org/"
	return leads{state.MessageLinks{
		Run: base + "archive/run/49.html", Review: base + "approvals?run=49",
		Approve: func(host int64, ports ...state.Port) string {
			if len(ports) > state.MostLinked {
				return fmt.Sprintf("%shosts/%d", base, host)
			}
			return base + "a/" + token(host, ports)
		},
	}, Links{Host: func(host int64) string { return fmt.Sprintf("%sarchive/host/%d.html", base, host) }}}
}

// token is as long as those of package link, and looks like one.
func token(host int64, ports []state.Port) string {
	sum := sha512.Sum512(fmt.Append(nil, host, ports))
	return base64.RawURLEncoding.EncodeToString(append(sum[:], sum[:]...))[:72+4*len(ports)]
}

// about is the message of what changed in a run.
func about(r state.Report, l state.MessageLinks) state.Message {
	at := r.Run.StartedAt
	if r.Run.FinishedAt != nil {
		at = *r.Run.FinishedAt
	}
	return state.Message{ID: fmt.Sprintf("run-%d.ops", r.Run.ID), Kind: state.MessageChanges, Recipient: "Alice <alice@example.org>", At: at, Report: &r, Links: l}
}

func render(tb testing.TB, options Options, r state.Report, l leads) *Message {
	tb.Helper()
	options.Links = l.Links
	return renderAny(tb, options, about(r, l.MessageLinks))
}

func renderAny(tb testing.TB, options Options, message state.Message) *Message {
	tb.Helper()
	if options.From == "" {
		options.From = "ownmap@example.org"
	}
	m, err := New(options)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := m.Render(message)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func bytesOf(tb testing.TB, m *Message) []byte {
	tb.Helper()
	var out bytes.Buffer
	n, err := m.WriteTo(&out)
	if err != nil || int(n) != out.Len() {
		tb.Fatalf("%d bytes of %d, %v", n, out.Len(), err)
	}
	return out.Bytes()
}

// part is a part of a message as a mail program reads it.
type part struct{ kind, encoding, text string }

// read takes a message apart with Go's own readers.
func read(tb testing.TB, raw []byte) (mail.Header, []part) {
	tb.Helper()
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	kind, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		tb.Fatalf("%s, %v", kind, err)
	}
	var parts []part
	for reader := multipart.NewReader(message.Body, parameters["boundary"]); ; {
		p, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return message.Header, parts
		}
		if err != nil {
			tb.Fatal(err)
		}
		encoding := p.Header.Get("Content-Transfer-Encoding")
		var body io.Reader
		switch encoding {
		case "quoted-printable":
			body = quotedprintable.NewReader(p)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, p)
		default:
			tb.Fatalf("encoding %q", encoding)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			tb.Fatal(err)
		}
		parts = append(parts, part{p.Header.Get("Content-Type"), encoding, strings.ReplaceAll(string(text), "\r\n", "\n")})
	}
}

// never holds that a text has none of what must not be in it.
func never(tb testing.TB, text string, forbidden ...string) {
	tb.Helper()
	for _, f := range forbidden {
		if at := strings.Index(text, f); at >= 0 {
			tb.Errorf("%q is in ...%q", f, text[max(0, at-60):min(len(text), at+60)])
		}
	}
}

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }
