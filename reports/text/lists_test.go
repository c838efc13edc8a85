package text

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

func TestLists(t *testing.T) {
	t.Parallel()
	report := sample()
	approval := report.Hosts[0].Ports[0].Approval
	ended := *approval
	ended.EndReason, ended.EndedBy = state.EndedRevoked, "bob"
	to := at(19)
	history := state.HostHistory{
		HostReport: report.Hosts[0],
		Intervals:  []state.Interval{{PortStatus: report.Hosts[0].Ports[0].PortStatus, From: at(1), To: &to}, {PortStatus: report.Hosts[0].Ports[1].PortStatus, From: at(20)}},
		Events: []state.Event{
			{Kind: state.EventChange, At: at(20), RunID: 42, Change: &report.Changes[1]},
			{Kind: state.EventEnded, At: at(19), Approval: &ended},
			{Kind: state.EventApproved, At: at(2), Approval: approval},
		},
	}
	last := state.RunSummary{Run: state.Run{ID: 42, State: state.RunDone, StartedAt: at(20), Partial: true}, Coverage: report.Coverage, Open: 3, Unapproved: 2, Changes: 3}
	target := state.Target{Tags: []string{"dmz", "prod"}, Owner: "web-team@example.org", Origin: state.OriginConfig, Where: "ownmap.yaml:14"}

	for _, c := range []struct {
		name  string
		write func(io.Writer) error
		want  []string
	}{
		{"ports", func(w io.Writer) error { return Ports(w, report.Hosts, Options{}) }, []string{"  PORT  ", "22/tcp", "3 open ports on 2 hosts, 2 unapproved"}},
		{"no ports", func(w io.Writer) error { return Ports(w, nil, Options{}) }, []string{"no ports"}},
		{"runs", func(w io.Writer) error { return Runs(w, []state.RunSummary{last}, Options{}) }, []string{" 42  2026-11-20 02:00 UTC  done", "2/3", "partial"}},
		{"no runs", func(w io.Writer) error { return Runs(w, nil, Options{}) }, []string{"no runs yet"}},
		{"host", func(w io.Writer) error { return Host(w, history, Options{}) }, []string{
			"web-1.example.org (192.0.2.11)", "Owner", "2026-11-01 02:00 UTC  2026-11-19 02:00 UTC", "still", "approval revoked", "by bob", "by alice (until 2026-11-30)", "+  8080/tcp",
		}},
		{"targets", func(w io.Writer) error { return Targets(w, []state.Target{target}, Options{}) }, []string{"  standard  dmz prod  web-team@example.org  ", "  ownmap.yaml:14\n"}},
		{"approvals", func(w io.Writer) error {
			return Approvals(w, "approved", []state.Approval{report.Voided[0]}, Options{})
		}, []string{"approved 1 port", "192.0.2.11  80/tcp"}},
		{"status", func(w io.Writer) error {
			return Status(w, state.Status{Last: &last, Open: 3, Unapproved: 2}, at(20).Add(3*time.Hour), Options{})
		}, []string{"2 ports unapproved of 3 open, 3 changes in the last run", "42 of 2026-11-20 02:00 UTC, 3 hours ago", "3 hosts: 2 answered"}},
		{"status before any run", func(w io.Writer) error { return Status(w, state.Status{}, at(20), Options{}) }, []string{"ownmap run"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := c.write(&out); err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + out.String())
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("does not say %q:\n%s", want, out.String())
				}
			}
		})
	}
}
