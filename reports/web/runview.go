package web

import (
	"context"
	"fmt"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// briefView makes the page of a run, or finds the one that was made: a run never changes.
func (s *server) briefView(ctx context.Context, run state.Run) (runView, error) {
	return s.briefs.get(ctx, keyOf(run), func(ctx context.Context) (runView, error) {
		brief, err := s.Book.Brief(ctx, run.ID)
		if err != nil {
			return runView{}, err
		}
		return s.viewOf(brief), nil
	})
}

// keyOf tells a run from all others, also from one of the same number in a database that
// was restored.
func keyOf(run state.Run) string {
	return fmt.Sprintf("run %d rev %d %s", run.ID, run.Rev, run.StartedAt.UTC().Format(time.RFC3339Nano))
}

func (s *server) viewOf(b state.Brief) runView {
	v := runView{
		MoodView: piece.MoodOf(b.Mood()), Verdict: b.Verdict(),
		Run: b.Run, Took: b.Run.Took(), Remarks: remarksOf(b.Run), Previous: b.Previous, Open: b.Open, Unapproved: b.Unapproved,
		ChangeCounts: state.CountSeverities(b.Changes), CoverageWords: b.CoverageWords(), Pace: b.Run.PaceWords(), InsideWords: b.InsideWords(),
		Formats: s.Formats, Archived: s.Archive != "", ComparedWithLast: s.Compare != nil,
	}
	v.Changes, v.MoreChanges = s.foldChanges(b.Changes)
	v.Voided, v.MoreVoided = head(b.Voided, "approvals")
	v.Gaps, v.MoreGaps = head(b.Gaps, "gaps")
	v.InsideGaps, v.MoreInsideGaps = head(b.InsideGaps, "hosts")
	flaps, more := head(b.Flaps, "ports")
	for _, f := range flaps {
		v.Flaps = append(v.Flaps, flapRow{s.hostLabel(f.Label(), f.HostID), f.Port, f.Words()})
	}
	v.MoreFlaps = more
	told, record := b.Disagreements()
	for _, f := range b.Findings {
		if !f.Kind.Disagreement() {
			told = append(told, f)
		}
	}
	told, v.MoreFindings = head(told, "findings")
	for _, f := range told {
		row := findingRow{Host: s.hostLabel(f.Label(), f.HostID), Severity: f.Weight(), Words: f.Says(), Since: f.First, New: f.New}
		if f.OfPort() {
			row.Port = f.Port.String()
		}
		v.Findings = append(v.Findings, row)
	}
	for _, line := range record {
		v.ForTheRecord = append(v.ForTheRecord, line+".")
	}
	return v
}

// head returns as much of a list as a page shows, and says how much that is.
func head[T any](list []T, nouns string) ([]T, string) {
	n := min(rowsShown, len(list))
	return list[:n], state.MoreOf(n, len(list), nouns)
}
