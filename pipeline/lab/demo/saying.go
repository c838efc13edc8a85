package demo

import (
	"fmt"
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

// Saying is a network of one host for each text, over three nights, in which the text
// stands wherever a text can: what the host sends is cleaned, as it is when it is
// scanned; what people type is not.
func Saying(texts []string) Network {
	d := Network{nights: 3}
	address := netip.MustParseAddr("10.9.0.0")
	for i, text := range texts {
		address = address.Next()
		sent := state.Clean(text)
		until := Night(90)
		approval := state.Approval{By: "by " + text, Via: "cli", GrantedAt: Night(1).Add(7 * time.Hour), Reason: text, Until: &until}
		drifted := Night(3)
		was := approval
		was.EndedAt, was.EndReason, was.EndedBy, was.Service = &drifted, state.EndedDrifted, text, sent
		service := func(version string) state.Service {
			return state.Service{Name: sent, Product: sent, Version: sent + version, ExtraInfo: sent, Tunnel: "ssl", CPE: []string{"cpe:/a:" + sent}, Probed: true}
		}
		h := host{
			id: int64(1000 + i), address: address.String(), names: []string{sent, sent + " again"}, tags: []string{text, "x" + text}, owner: text, from: 1, talks: true,
			ports: []port{
				tcp(22, []state.Approval{approval}, since(1, service(""))),
				tcp(80, []state.Approval{was}, span{1, 3, service("1")}, since(3, service("2"))),
				tcp(443, nil, since(3, service(""))),
				tcp(8080, nil, span{1, 3, service("")}),
				udp(53, state.OpenFiltered, since(3, service(""))),
			},
		}
		for j := range h.ports {
			for k := range h.ports[j].approvals {
				a := &h.ports[j].approvals[k]
				a.HostID, a.Address, a.Port = h.id, address, h.ports[j].Port
			}
		}
		d.hosts = append(d.hosts, h)
	}
	return d
}

// say gives a host an inside that says its text.
func (h host) say(r *state.HostReport, last time.Time) {
	sent := state.Clean(h.owner)
	process := state.Process{Exe: "/" + sent, User: sent, Unit: sent, Container: "docker:" + sent, Package: sent}
	r.Inside = state.InsideReport{Status: state.Answered, LookedAt: &last}
	for _, n := range []uint16{22, 31337} {
		at := state.Port{Protocol: state.TCP, Number: n}
		r.Inside.Listeners = append(r.Inside.Listeners, state.Listener{Port: at, Bind: netip.MustParseAddr("0.0.0.0"), Process: process, Name: sent})
		r.Findings = append(r.Findings, state.Finding{
			Kind: state.OddBinary, HostID: r.ID, Vantage: r.Vantage, Address: r.Address, Name: r.Name(), Port: at, Detail: process.Described(), First: Night(2), New: n == 22,
		})
	}
	for i := range r.Ports {
		r.Ports[i].Process = &process
		r.Ports[i].Scripts = []state.ScriptOutput{{Script: "ssl-cert", Lines: []string{"Subject: commonName=" + sent}}}
	}
}

// speak lets what a run tells of itself say the texts.
func (d Network) speak(r *state.Report) {
	r.Run.Only = []string{"10.9.0.0/16"}
	for _, h := range r.Hosts {
		says := h.Owner // the text as it was typed
		r.Run.Notes = append(r.Run.Notes, "Note: "+says)
		r.Run.Alerts = append(r.Run.Alerts, state.Alert{Kind: state.AlertStale, Text: fmt.Sprintf("Host %d: %s", h.ID, says)})
		r.Gaps = append(r.Gaps, state.Gap{HostID: h.ID, Label: h.Label(), Protocol: state.UDP, Status: state.NotScanned, Reason: says, Since: h.LastSeen, Open: 1})
		r.InsideGaps = append(r.InsideGaps, state.InsideGap{HostID: h.ID, Label: h.Label(), Address: h.Address, Reason: says, Since: h.LastSeen})
		r.Flaps = append(r.Flaps, state.Flap{HostID: h.ID, Address: h.Address, Name: h.Name(), Port: h.Ports[0].Port, Saw: state.Filtered, Count: 2, First: Night(1)})
		r.Elsewhere = append(r.Elsewhere, state.Elsewhere{Address: h.Address, Name: h.Name(), Port: h.Ports[0].Port, Views: []state.View{{Vantage: "office", State: state.Open}, {Vantage: "internet", State: state.Filtered}}})
		r.Changes = append(r.Changes, state.Change{
			Kind: state.ProcessChanged, HostID: h.ID, Vantage: h.Vantage, Address: h.Address, Name: h.Name(), Port: h.Ports[0].Port,
			Was: state.Seen{Bind: h.Address, Process: h.Inside.Listeners[0].Process}, Now: state.Seen{Bind: h.Address, Process: h.Inside.Listeners[0].Process},
		}, state.Change{
			Kind: state.HostRenamed, HostID: h.ID, Vantage: h.Vantage, Address: h.Address, Name: h.Name(), Was: state.Seen{Name: h.Name()}, Now: state.Seen{Name: h.Name()},
		})
		r.Findings = append(r.Findings, h.Findings...)
	}
	r.Inside = state.Totals{Hosts: len(r.Hosts), Answered: len(r.Hosts)}
}
