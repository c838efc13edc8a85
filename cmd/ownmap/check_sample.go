package main

import (
	"context"
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

// sampleBook is a book that holds one sample run, for the pages of the archive.
type sampleBook struct{ report state.Report }

// Runs is part of site.Source.
func (b sampleBook) Runs(context.Context, int) ([]state.RunSummary, error) {
	return []state.RunSummary{b.report.Trend[1], b.report.Trend[0]}, nil
}

// Report is part of site.Source.
func (b sampleBook) Report(_ context.Context, run int64) (state.Report, error) {
	report := b.report
	if run == b.report.Previous.ID {
		report.Run, report.Previous = *b.report.Previous, nil
	}
	return report, nil
}

// Hosts is part of site.Source.
func (b sampleBook) Hosts(_ context.Context, yield func(state.HostReport) error) error {
	return yield(b.report.Hosts[0])
}

// Histories is part of site.Source.
func (b sampleBook) Histories(_ context.Context, _ state.Mark, yield func(state.HostHistory) error) (state.Mark, error) {
	host := b.report.Hosts[0]
	history := state.HostHistory{HostReport: host}
	for _, p := range host.Ports {
		history.Intervals = append(history.Intervals, state.Interval{PortStatus: p.PortStatus, From: p.FirstSeen})
	}
	history.Events = []state.Event{
		{Kind: state.EventChange, At: b.report.Run.StartedAt, RunID: b.report.Run.ID, Change: &b.report.Changes[0]},
		{Kind: state.EventApproved, At: b.report.Voided[0].GrantedAt, Approval: &b.report.Voided[0]},
	}
	var mark state.Mark
	return mark, yield(history)
}

// sample is a run in which a bit of everything happened.
func sample(zone *time.Location) state.Report {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, zone)
	before := at.AddDate(0, 0, -1)
	port := state.Port{Protocol: state.TCP, Number: 443}
	host := state.Host{ID: 1, Vantage: state.DefaultVantage, Address: netip.MustParseAddr("192.0.2.1"), Names: []string{"www.example.org"}, State: state.Up}
	service := state.Service{Name: "http", Product: "nginx", Version: "1.26.0", Tunnel: "ssl", Probed: true}
	process := state.Process{Exe: "/usr/sbin/nginx", User: "root", Unit: "nginx.service", Package: "nginx"}
	approval := state.Approval{HostID: 1, Address: host.Address, Port: state.Port{Protocol: state.TCP, Number: 22}, By: "alice", Via: "cli", GrantedAt: before, Reason: "administration"}
	finding := state.Finding{Kind: state.OddBinary, HostID: 1, Vantage: host.Vantage, Address: host.Address, Name: host.Name(), Port: port, Detail: "the executable is deleted", First: at, New: true}
	run := state.Run{ID: 2, Rev: 2, State: state.RunDone, StartedAt: at, FinishedAt: &at, Notes: []string{"A note."}, Alerts: []state.Alert{{Kind: state.AlertStale, Text: "An alert."}}}
	previous := state.Run{ID: 1, Rev: 1, State: state.RunDone, StartedAt: before, FinishedAt: &before, Baseline: true}
	return state.Report{
		Run: run, Previous: &previous, Trend: []state.RunSummary{{Run: previous}, {Run: run, Open: 2, Unapproved: 1, Changes: 1}},
		Coverage: state.Totals{Hosts: 2, Answered: 1, Silent: 1}, Gaps: []state.Gap{{Label: "192.0.2.2", Protocol: state.TCP, Status: state.Silent, Reason: state.NoAnswer}},
		Changes: []state.Change{{Kind: state.PortOpened, HostID: 1, Vantage: host.Vantage, Address: host.Address, Name: host.Name(), Port: port, Now: state.Seen{State: state.Open, Service: service}}},
		Voided:  []state.Approval{approval}, Findings: []state.Finding{finding}, Inside: state.Totals{Hosts: 1, Answered: 1},
		InsideGaps: []state.InsideGap{{HostID: 1, Label: host.Label(), Address: host.Address, Reason: state.SSHKeyUnknown}},
		Flaps:      []state.Flap{{HostID: 1, Address: host.Address, Name: host.Name(), Port: port, Saw: state.Closed, Count: 1, First: at}},
		Elsewhere:  []state.Elsewhere{{Address: host.Address, Name: host.Name(), Port: port, Views: []state.View{{Vantage: "office", State: state.Open}, {Vantage: "internet", State: state.Filtered}}}},
		Hosts: []state.HostReport{{
			Host: host, Tags: []string{"dmz"}, Owner: "web-team@example.org", FirstSeen: before, LastSeen: &at, Findings: []state.Finding{finding},
			Inside: state.InsideReport{Status: state.Answered, LookedAt: &at, Listeners: []state.Listener{{Port: port, Bind: host.Address, Process: process}}},
			Ports: []state.PortReport{
				{PortStatus: state.PortStatus{Port: approval.Port, State: state.Open, Service: state.Service{Name: "ssh"}}, FirstSeen: before, LastSeen: at, Approval: &approval},
				{PortStatus: state.PortStatus{Port: port, State: state.Open, Service: service}, FirstSeen: at, LastSeen: at, Process: &process, Findings: []state.Finding{finding}},
			},
		}},
	}
}
