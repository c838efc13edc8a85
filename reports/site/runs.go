package site

import (
	"context"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// Retention says which runs keep their pages and data. A run is kept that either rule
// keeps, and the newest always; without any rule all are.
type Retention struct {
	Runs int // the newest so many runs; 0: no such rule
	Days int // the runs of so many days before the newest one; 0: no such rule
}

// keeps says whether a run keeps its page: the nth newest one with a report, from 0.
func (k Retention) keeps(nth int, run, newest state.Run) bool {
	switch {
	case nth == 0 || k == Retention{}:
		return true
	case k.Runs > 0 && nth < k.Runs:
		return true
	}
	return k.Days > 0 && !run.StartedAt.Before(newest.StartedAt.AddDate(0, 0, -k.Days))
}

// runKey tells a run from one of the same number in another database.
func runKey(run state.Run) string {
	finished := int64(0)
	if run.FinishedAt != nil {
		finished = run.FinishedAt.UnixMicro()
	}
	return newDigest(strconv.FormatInt(run.ID, 10), strconv.FormatInt(run.Rev, 10),
		strconv.FormatInt(run.StartedAt.UnixMicro(), 10), strconv.FormatInt(finished, 10)).sum()
}

// runPages makes the pages and data of runs. A run whose page is there is not read from
// the source: its report never changes.
func (e *edition) runPages(ctx context.Context) error {
	nth := 0
	for _, run := range e.runs {
		if !hasReport(run.Run) {
			continue
		}
		if nth == 0 {
			e.newest = run.Run
		}
		if err := e.runPage(ctx, run, e.wish.keep.keeps(nth, run.Run, e.newest)); err != nil {
			return err
		}
		e.collect()
		nth++
	}
	return e.lastChanges(ctx)
}

// collect frees the report of a run that was read from the source. It is more than all
// else that an edition holds, and the collector would let as much garbage pile up again.
func (e *edition) collect() {
	if e.read {
		e.read = false
		runtime.GC()
	}
}

func (e *edition) runPage(ctx context.Context, run state.RunSummary, keep bool) error {
	key := runKey(run.Run)
	known, found := e.old.Runs[run.ID]
	found = found && known.Key == key
	if run.Pruned != nil && keep && found && !known.Pruned && e.has(run.ID) {
		e.keep(e.names(run.ID)...) // it cannot be made again, and says what it said
		e.now.Runs[run.ID] = known
		return nil
	}
	// Years of runs may be imported at once: each has its page when all are asked for.
	keep = keep && (run.Import == nil || e.wish.full || found && !known.Pruned || run.ID == e.newest.ID)
	if run.Pruned != nil || !keep || found && known.Pruned && !e.wish.full {
		return e.remnant(ctx, run, known, found)
	}
	hash := newDigest(e.now.Version, "run", key).sum()
	names := e.names(run.ID)
	if found && !e.wish.full && e.madeOf(hash, names) {
		e.keep(names...)
		e.now.Runs[run.ID] = known
		return nil
	}
	report, err := e.report(ctx, run.ID)
	if err != nil {
		return err
	}
	e.now.Runs[run.ID] = recordOf(key, report)
	if e.now.Changed == nil {
		e.noteChanges(key, report)
	}
	if err := e.data(report, hash); err != nil {
		return err
	}
	return e.file(runFile(run.ID), hash, func(w io.Writer) error {
		return e.render(w, runFile(run.ID), "run", runView(report, "../", e.site.options.Formats, archivePorts))
	})
}

// names are the files of a run.
func (e *edition) names(id int64) []string {
	names := []string{runFile(id)}
	for _, f := range e.site.options.Formats {
		names = append(names, dataFile(id, f.Ext))
	}
	return names
}

// has says whether the archive has all files of a run.
func (e *edition) has(id int64) bool {
	return !slices.ContainsFunc(e.names(id), func(name string) bool { return e.old.Files[name] == "" })
}

func (e *edition) madeOf(hash string, names []string) bool {
	for _, name := range names {
		if e.old.Files[name] != hash {
			return false
		}
	}
	return true
}

func recordOf(key string, report state.Report) record {
	return record{Key: key, Verdict: report.Verdict(), Mood: report.Mood().Words(), Counts: state.CountSeverities(report.Changes)}
}

// shortRecordOf is recordOf without the report: an import brings hundreds of runs.
func shortRecordOf(run state.RunSummary) record {
	f := state.Figures{Run: run.Run, Coverage: run.Coverage, Changes: run.Changes}
	r := record{Key: runKey(run.Run), Verdict: f.Verdict(run.Unapproved), Mood: f.Mood(run.Unapproved).Words()}
	if run.Changes > 0 {
		r.Counts = state.Count(run.Changes, "change", "changes")
	}
	return r
}

// remnant makes the small page that stays where the page of a run was.
func (e *edition) remnant(ctx context.Context, run state.RunSummary, known record, found bool) error {
	switch {
	case found:
	case run.Pruned != nil: // nobody can make its report
		known = shortRecordOf(run)
		known.Mood = "pruned"
	case run.Import != nil:
		known = shortRecordOf(run)
	default:
		report, err := e.report(ctx, run.ID)
		if err != nil {
			return err
		}
		known = recordOf(runKey(run.Run), report)
	}
	known.Pruned = true
	e.now.Runs[run.ID] = known
	v := prunedPage{ID: run.ID, Started: run.StartedAt, Verdict: known.Verdict, Words: known.Mood}
	if run.Import != nil {
		v.Imported = run.Import.File
	}
	if run.Pruned != nil {
		v.Policy = run.Pruned.Policy
	}
	hash, err := hashOf(e.now.Version, "pruned", v)
	if err != nil {
		return err
	}
	return e.file(runFile(run.ID), hash, func(w io.Writer) error {
		err := e.render(w, runFile(run.ID), "pruned", v)
		e.remnants[run.ID] = int64(e.out.Len())
		return err
	})
}

// prunedPage is what is left of the page of a run.
type prunedPage struct {
	ID      int64
	Started time.Time
	Verdict string
	Words   string

	Policy   string // by which the database has pruned it, too; empty: its report can be made again
	Imported string // from which file; empty: it was not
}

func (p prunedPage) title() string { return "Run " + strconv.FormatInt(p.ID, 10) + ": " + p.Verdict }

// noteChanges keeps what the index tells of the changes of a run, if there are any.
func (e *edition) noteChanges(key string, report state.Report) {
	if len(report.Changes) == 0 {
		return
	}
	c := &changedRun{Key: key, Run: report.Run}
	c.Changes, c.More = piece.ChangesOf(report.Changes, links{}.hostPage, indexChanges)
	e.now.Changed = c
}

// lastChanges finds the last run in which something changed.
func (e *edition) lastChanges(ctx context.Context) error {
	for _, run := range e.runs {
		if !hasReport(run.Run) || run.Changes == 0 {
			continue
		}
		if run.Pruned != nil {
			return nil
		}
		key := runKey(run.Run)
		switch {
		case e.now.Changed != nil && e.now.Changed.Key == key:
			return nil
		case e.steady && e.old.Changed != nil && e.old.Changed.Key == key:
			e.now.Changed = e.old.Changed
			return nil
		}
		report, err := e.report(ctx, run.ID)
		if err != nil {
			return err
		}
		e.noteChanges(key, report)
		return nil
	}
	return nil
}
