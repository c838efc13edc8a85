package load

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/state"
)

// night is when the run of a routing case was kept: a Saturday.
var night = time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)

// TestRouting holds who is told what. Each case is a file: a config, what a run found, and
// the messages that come of it.
func TestRouting(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/routing/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases, want at least 20 (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil || len(archive.Files) != 3 {
				t.Fatalf("%d files, want ownmap.yaml, run, told (%v)", len(archive.Files), err)
			}
			config, err := Parse("ownmap.yaml", archive.Files[0].Data, noEnv)
			if err != nil {
				t.Fatal(err)
			}
			report, memory := foundBy(t, string(archive.Files[1].Data))
			got := shown(report, config.Alerts().Plan(report, memory))
			if os.Getenv("UPDATE_GOLDEN") != "" {
				archive.Files[2].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[2].Data), got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

// foundBy reads what a run found, a line each:
//
//	run baseline | run partial | run at 2026-11-28T22:30:00Z | last run 2026-11-21T03:00:00Z | last changes 2
//	host 10.20.0.5 web-1 owner=web-team@example.org tags=dmz,prod vantage=internet
//	change 10.20.0.5 port-opened 8080/tcp
//	finding 10.20.0.5 open-without-listener 22/tcp new
//	void 10.20.0.5 443/tcp
//	unapproved 10.20.0.5 22/tcp 47d
//	snooze 10.20.0.5 22/tcp
func foundBy(t *testing.T, text string) (state.Report, alert.Memory) {
	t.Helper()
	f := finds{t: t, at: map[string]int{}}
	f.report.Run = state.Run{ID: 12, StartedAt: night.Add(-time.Hour)}
	previous := state.Run{ID: 11, StartedAt: night.Add(-25 * time.Hour)}
	last := night.Add(-24 * time.Hour)
	previous.FinishedAt, f.report.Previous, f.memory.Book = &last, &previous, "book"
	end := night
	f.report.Run.FinishedAt = &end
	for line := range strings.Lines(text) {
		f.line(strings.Fields(line))
	}
	if f.report.Previous != nil {
		f.report.Trend = []state.RunSummary{{Run: *f.report.Previous, Changes: f.before}}
	}
	f.report.Coverage = state.Totals{Hosts: len(f.report.Hosts), Answered: len(f.report.Hosts)}
	return f.report, f.memory
}

type finds struct {
	t      *testing.T
	report state.Report
	memory alert.Memory
	at     map[string]int // hosts by address
	before int            // changes of the run before
}

func (f *finds) line(words []string) {
	f.t.Helper()
	r := &f.report
	switch what := words[0]; what {
	case "run", "last":
		f.run(words)
	case "host":
		f.host(words)
	case "change", "finding", "void", "unapproved", "snooze":
		h := &r.Hosts[f.at[words[1]]]
		switch what {
		case "change":
			r.Changes = append(r.Changes, state.Change{Kind: state.Kind(words[2]), HostID: h.ID, Address: h.Address, Vantage: h.Vantage, Port: f.port(words, 3)})
		case "finding":
			kind := state.FindingKind(words[2])
			r.Findings = append(r.Findings, state.Finding{
				Kind: kind, Severity: kind.Severity(), HostID: h.ID, Address: h.Address, Port: f.port(words, 3), New: slices.Contains(words, "new"), First: night.AddDate(0, 0, -9),
			})
		case "void":
			r.Voided = append(r.Voided, state.Approval{HostID: h.ID, Address: h.Address, Port: f.port(words, 2), EndReason: state.EndedDrifted})
		case "unapproved":
			age, err := parseAge(words[3])
			if err != nil {
				f.t.Fatal(err)
			}
			h.Ports = append(h.Ports, state.PortReport{PortStatus: state.PortStatus{Port: f.port(words, 2), State: state.Open}, FirstSeen: night.Add(-age)})
		case "snooze":
			s := state.Snooze{HostID: h.ID, Address: h.Address, Port: f.port(words, 2), Reason: "waits for the vendor", Until: night.AddDate(0, 0, 7)}
			f.memory.Snoozes = append(f.memory.Snoozes, s)
		}
	default:
		f.t.Fatalf("unknown line %q", words)
	}
}

func (f *finds) run(words []string) {
	r := &f.report
	at := func(text string) *time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			f.t.Fatal(err)
		}
		return &moment
	}
	switch {
	case words[0] == "last" && words[1] == "changes":
		n, err := strconv.Atoi(words[2])
		if err != nil {
			f.t.Fatal(err)
		}
		f.before = n
	case words[0] == "last":
		r.Previous.FinishedAt = at(words[2])
	case words[1] == "baseline":
		r.Run.Baseline, r.Previous = true, nil
	case words[1] == "partial":
		r.Run.Partial = true
	case words[1] == "at":
		r.Run.FinishedAt = at(words[2])
		r.Run.StartedAt = r.Run.FinishedAt.Add(-time.Hour)
	}
}

func (f *finds) host(words []string) {
	id := int64(len(f.report.Hosts) + 1)
	h := state.HostReport{Host: state.Host{ID: id, Address: netip.MustParseAddr(words[1]), Vantage: state.DefaultVantage}}
	seen := night
	h.LastSeen = &seen
	for _, word := range words[2:] {
		key, value, isKey := strings.Cut(word, "=")
		switch {
		case !isKey:
			h.Names = append(h.Names, word)
		case key == "owner":
			h.Owner = value
		case key == "tags":
			h.Tags = strings.Split(value, ",")
		case key == "vantage":
			h.Vantage = value
		}
	}
	f.at[words[1]] = len(f.report.Hosts)
	f.report.Hosts = append(f.report.Hosts, h)
}

func (f *finds) port(words []string, i int) state.Port {
	f.t.Helper()
	if i >= len(words) || words[i] == "new" {
		return state.Port{}
	}
	port, err := state.ParsePort(words[i])
	if err != nil {
		f.t.Fatal(err)
	}
	return port
}

// shown writes the messages of a plan, each with what it tells.
func shown(r state.Report, plan alert.Plan) string {
	var b strings.Builder
	for _, d := range plan.Deliveries {
		fmt.Fprintf(&b, "%s: %s", d.To(), d.Kind)
		if d.Group != "" {
			fmt.Fprintf(&b, ", %s", d.Group)
		}
		if !d.DueAt.Equal(d.CreatedAt) {
			fmt.Fprintf(&b, ", held until %s", d.DueAt.Format(time.RFC3339))
		}
		b.WriteString("\n")
		if d.Title != "" {
			fmt.Fprintf(&b, "  %s\n", d.Title)
			continue
		}
		told := r.Only(d.Share)
		fmt.Fprintf(&b, "  %s\n", told.Verdict())
		for _, c := range told.Changes {
			fmt.Fprintf(&b, "  %s %s%s\n", c.Address, c.Kind, portOf(c.Port))
		}
		for _, f := range told.Findings {
			fmt.Fprintf(&b, "  %s %s%s\n", f.Address, f.Kind, portOf(f.Port))
		}
		for _, a := range told.Voided {
			fmt.Fprintf(&b, "  %s approval-void%s\n", a.Address, portOf(a.Port))
		}
		for _, h := range told.Hosts {
			for _, p := range h.Ports {
				fmt.Fprintf(&b, "  %s unapproved%s\n", h.Address, portOf(p.Port))
			}
		}
	}
	for _, note := range plan.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return b.String()
}

func portOf(p state.Port) string {
	if p == (state.Port{}) {
		return ""
	}
	return " " + p.String()
}
