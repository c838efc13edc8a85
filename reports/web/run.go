package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// How much of a long list the page of a run shows; the reports have it whole.
const (
	changesShown = 500
	rowsShown    = 200
)

// runView is the page of a run, as of that run.
type runView struct {
	piece.MoodView

	Verdict  string
	Run      state.Run
	Took     string
	Remarks  []remark
	Previous *state.Run

	Open, Unapproved int

	Changes          []hostChanges
	ChangeCounts     string
	MoreChanges      string
	Voided           []state.Approval
	MoreVoided       string
	Findings         []findingRow
	MoreFindings     string
	ForTheRecord     []string
	Flaps            []flapRow
	MoreFlaps        string
	CoverageWords    string
	Pace             []string
	Gaps             []state.Gap
	MoreGaps         string
	InsideWords      string
	InsideGaps       []state.InsideGap
	MoreInsideGaps   string
	Formats          []Format
	Archived         bool
	ComparedWithLast bool
}

func (v runView) title() string { return fmt.Sprintf("Run %d: %s", v.Run.ID, v.Verdict) }
func (runView) section() string { return "Runs" }

// label is a name that leads to a host, if that is known.
type label struct {
	Label string
	Link  string
}

func (s *server) hostLabel(name string, id int64) label {
	if id == 0 {
		return label{Label: name}
	}
	return label{name, s.base + "/hosts/" + strconv.FormatInt(id, 10)}
}

// hostChanges is what changed on one host, as the template "changes" takes it.
type hostChanges struct {
	Host    label
	Changes []changeRow
}

type changeRow struct {
	Sign, Class, Port, Words, Detail string
	Severity                         state.Severity
}

func (s *server) foldChanges(changes []state.Change) (hosts []hostChanges, more string) {
	shown := 0
	for _, folded := range state.FoldFirst(changes, changesShown) {
		host := hostChanges{Host: s.hostLabel(folded.Label, folded.HostID)}
		for _, c := range folded.Changes {
			row := changeRow{Sign: c.Kind.Sign(), Class: "differs", Words: c.Kind.Words(), Detail: c.Detail(), Severity: c.Kind.Severity()}
			switch row.Sign {
			case "+":
				row.Class = "came"
			case "-":
				row.Sign, row.Class = "−", "went" // as wide as the plus
			}
			if c.OfPort() {
				row.Port = c.Port.String()
			}
			host.Changes = append(host.Changes, row)
		}
		shown += len(host.Changes)
		hosts = append(hosts, host)
	}
	return hosts, state.MoreOf(shown, len(changes), "changes")
}

type findingRow struct {
	Host     label
	Port     string
	Severity state.Severity
	Words    string
	Since    time.Time
	New      bool
}

type flapRow struct {
	Host  label
	Port  state.Port
	Words string
}

// run answers with the page of a run. One that kept no state says why.
func (s *server) run(w http.ResponseWriter, r *http.Request) error {
	id, err := runNumber(r.PathValue("id"))
	if err != nil {
		return err
	}
	run, err := s.findRun(r.Context(), id)
	if err != nil {
		return s.stateless(w, r, id, err)
	}
	view, err := s.briefView(r.Context(), run)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "run", view)
}

// stateless answers with the page of a run that kept no state, if that is the reason of an
// error.
func (s *server) stateless(w http.ResponseWriter, r *http.Request, id int64, fault error) error {
	if id == 1<<63-1 {
		return fault
	}
	list, err := s.Book.RunsBefore(r.Context(), id+1, 1)
	if err != nil || len(list) == 0 || list[0].ID != id || list[0].Rev != 0 {
		return fault
	}
	run := list[0].Run
	return s.show(w, r, http.StatusOK, "run", runView{
		MoodView: piece.MoodView{Mood: "partial", Glyph: "◐", MoodWords: "No state was kept"}, Verdict: "No report", Run: run, Took: run.Took(), Remarks: remarksOf(run),
	})
}
