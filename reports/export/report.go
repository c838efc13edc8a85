package export

import (
	"errors"
	"io"

	"ownmap/pipeline/state"
)

// A run's report as scripts see it: the members of aboveJSON, "hosts", which are
// scannedJSON, "ports", which are portJSON, and the members of belowJSON.
type aboveJSON struct {
	Run        runJSON        `json:"run"`
	Previous   *runJSON       `json:"previous"`
	Hash       *string        `json:"hash"`          // SHA-256 of what the run kept and of all before it
	Before     *string        `json:"previous_hash"` // that of the run before
	Trend      []pointJSON    `json:"trend"`         // oldest first, this run last
	Verdict    string         `json:"verdict"`
	Mood       string         `json:"mood"`
	Coverage   state.Totals   `json:"coverage"`
	Gaps       []gapJSON      `json:"gaps"`
	Changes    []changeJSON   `json:"changes"`
	Voided     []approvalJSON `json:"voided"`
	Open       int            `json:"open"`
	Unapproved int            `json:"unapproved"` // how many of the open ports
}

type belowJSON struct {
	Findings  []findingJSON   `json:"findings"`
	Inside    insideJSON      `json:"inside"`
	Flaps     []flapJSON      `json:"flaps"`
	Elsewhere []elsewhereJSON `json:"elsewhere"` // ports that are not the same from every vantage
	Notes     []string        `json:"notes"`
}

// pointJSON is a run of the trend.
type pointJSON struct {
	Run        int64   `json:"run"`
	StartedAt  *string `json:"started_at"`
	Open       int     `json:"open"`
	Unapproved int     `json:"unapproved"`
	Changes    int     `json:"changes"`
}

type gapJSON struct {
	Host     string  `json:"host"`
	Protocol *string `json:"protocol"`
	Status   string  `json:"status"`
	Reason   *string `json:"reason"`
	Since    *string `json:"since"`
	Open     int     `json:"open"`
	Runs     int     `json:"runs"` // in which it did not answer
}

// JSON writes a run's report, indented for who looks at it.
func JSON(w io.Writer, report state.Report) error { return writeReport(w, report, "  ") }

// CompactJSON is JSON in one line: of a large network a third of the bytes less, in half
// the time.
func CompactJSON(w io.Writer, report state.Report) error { return writeReport(w, report, "") }

func writeReport(w io.Writer, report state.Report, indent string) error {
	o := newObject(w, indent)
	err := errors.Join(
		o.members(aboveOf(report)),
		writeList(o, "hosts", scannedOf(report.Hosts)),
		writeList(o, "ports", portsOf(report.Hosts)),
		o.members(belowJSON{
			Findings:  findingsOf(report.Findings),
			Inside:    insideOf(report),
			Flaps:     flapsOf(report.Flaps),
			Elsewhere: elsewhereOf(report.Elsewhere),
			Notes:     list(report.Run.Notes),
		}),
	)
	if err != nil {
		return err
	}
	return o.end()
}

func aboveOf(report state.Report) aboveJSON {
	open, unapproved := report.OpenPorts()
	j := aboveJSON{
		Run:        runOf(report.Run),
		Hash:       some(report.Hash),
		Before:     some(report.PreviousHash),
		Trend:      []pointJSON{},
		Verdict:    report.Verdict(),
		Mood:       string(report.Mood()),
		Coverage:   report.Coverage,
		Gaps:       []gapJSON{},
		Changes:    changesOf(report.Changes),
		Voided:     approvalsOf(report.Voided),
		Open:       open,
		Unapproved: unapproved,
	}
	if report.Previous != nil {
		previous := runOf(*report.Previous)
		j.Previous = &previous
	}
	for _, p := range report.Trend {
		j.Trend = append(j.Trend, pointJSON{p.ID, utc(&p.StartedAt), p.Open, p.Unapproved, p.Changes})
	}
	for _, g := range report.Gaps {
		j.Gaps = append(j.Gaps, gapJSON{
			Host: g.Label, Protocol: some(string(g.Protocol)), Status: string(g.Status),
			Reason: some(g.Reason), Since: utc(g.Since), Open: g.Open, Runs: g.Runs,
		})
	}
	return j
}
