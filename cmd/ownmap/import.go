package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline/intake"
	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

type importOptions struct {
	vantage, at string
	skip, quiet bool
}

func (a *app) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Make runs of what other scanners wrote down, each at its own time",
		Long: `Import makes a run of each file, at the time of its scan and from the oldest to
the newest, whatever their names: what changed from one to the next, and since
when a port is known, is then as if OwnMap had run in those nights. Nobody is
told of these runs, and their reports say where they come from.

It reads XML of nmap (-oX), and JSON of masscan (-oJ, -oD) and naabu (-json),
plain or gzipped: the content says which. Of a folder it takes the files in it
that are called *.xml, *.json or *.jsonl, packed or not. A legacy OwnMap database
is named by its config (the YAML with postgresql:) or as postgresql://...

A port closes only where a file proves it. A file that was imported before is
passed over. One whose scan is older than the newest run is refused, for what was
reported since would become another history: such files go into a database of
their own, or into an empty one before the first run. A file with a fault is
refused whole; then nothing is imported, or, with --skip-bad, all the others.`,
		Example: "  ownmap import scans/\n  ownmap import scan-2025-*.xml.gz --vantage office\n  ownmap import masscan.json\n  ownmap import open-ports.jsonl --at 2026-11-22T02:00:00Z\n  ownmap import legacy.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importFiles(cmd.Context(), args, o)
		},
	}
	cmd.Flags().StringVar(&o.vantage, "vantage", state.DefaultVantage, "where the scans were made from")
	cmd.Flags().StringVar(&o.at, "at", "", "when a file was made that tells no time: a `TIME` such as 2026-11-22T02:00:00Z")
	cmd.Flags().BoolVar(&o.skip, "skip-bad", false, "go on without files that have a fault")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print the sum alone, not a line for each file")
	return cmd
}

// importFiles reads the command line; nothing is opened before all of it is right.
func (a *app) importFiles(ctx context.Context, args []string, o importOptions) error {
	if err := load.CheckVantage(o.vantage); err != nil {
		return &usageError{err: err}
	}
	options := intake.Options{Vantage: o.vantage, Now: a.now}
	if o.at != "" {
		var err error
		if options.At, err = importTime(o.at); err != nil {
			return err
		}
	}
	config, err := a.load()
	if err == nil { // before anything is read, for it may begin anew as another user
		_, err = a.home(config)
	}
	if err != nil {
		return err
	}
	for _, arg := range args {
		at, found, err := legacySource(arg)
		switch {
		case err != nil:
			return err
		case found && len(args) > 1:
			return usagef("import a legacy database by itself")
		case found:
			return a.importLegacy(ctx, config, at, options.At, o)
		}
	}
	paths, remove, err := a.importPaths(args)
	defer remove()
	if err != nil {
		return err
	}
	files, faults := intake.Survey(ctx, paths, options)
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(faults) > 0 && !o.skip {
		return &badFilesError{faults}
	}
	i := &importing{app: a, options: o, intake: options, faults: faults}
	if len(files) == 0 {
		return i.end()
	}
	return a.withConfig(ctx, config, func(h *house) error { return i.run(ctx, h, files) })
}

// importTime reads a time that somebody typed.
func importTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, usagef("--at %q is no time: write it as 2026-11-22T02:00:00Z or \"2026-11-22 02:00\"", text)
}

// importing is an import under way.
type importing struct {
	app     *app
	options importOptions
	intake  intake.Options
	faults  []error
	runs    []state.Run // that were made
	before  int         // files that were imported before
	older   []error
}

// run makes runs of files, while no other run can begin.
func (i *importing) run(ctx context.Context, h *house, files []intake.File) error {
	release, err := h.book.Lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	importer := h.book.Importer()
	if files, err = i.unknown(ctx, importer, files); err != nil {
		return err
	}
	err = intake.Series(ctx, importer, files, i.intake, i.told)
	if len(i.runs) > 0 {
		ended := context.WithoutCancel(ctx) // what is kept is to last, also after an interrupt
		err = errors.Join(err, importer.End(ended))
		if ctx.Err() == nil {
			err = errors.Join(err, h.archiveImported(ctx, i.runs[len(i.runs)-1]))
		}
	}
	return errors.Join(err, i.end())
}

// unknown leaves out the files that were imported before.
func (i *importing) unknown(ctx context.Context, importer *persist.Importer, files []intake.File) ([]intake.File, error) {
	sums := make([]string, len(files))
	for n, f := range files {
		sums[n] = f.SHA256
	}
	known, err := importer.Imported(ctx, i.options.vantage, sums)
	if err != nil {
		return nil, err
	}
	var fresh []intake.File
	for _, f := range files {
		if run, found := known[f.SHA256]; found {
			i.again(f, run)
			continue
		}
		fresh = append(fresh, f)
	}
	return fresh, nil
}

// again tells of a file that was imported before.
func (i *importing) again(f intake.File, run state.Run) {
	i.before++
	if !i.options.quiet {
		fmt.Fprintf(i.app.stdout, "%s was imported before, as run %d\n", f.Name, run.ID)
	}
}

// told tells what came of a file, and says whether to go on.
func (i *importing) told(f intake.File, run state.Run, err error) error {
	var again *persist.ImportedError
	var older *persist.OlderError
	var fault *intake.FileError
	switch {
	case errors.As(err, &again): // the same bytes under two names
		i.again(f, again.Run)
	case errors.As(err, &older):
		i.older = append(i.older, fmt.Errorf("%s is not imported: %w", f.Name, err))
	case errors.As(err, &fault):
		i.faults = append(i.faults, err)
		if !i.options.skip { // later ones would make it too old for ever
			return errStopped
		}
	case err != nil:
		return err
	default:
		i.runs = append(i.runs, run)
		if !i.options.quiet {
			fmt.Fprintf(i.app.stdout, "run %d of %s: %s\n", run.ID, run.StartedAt.Format("2006-01-02 15:04"), f.Name)
		}
	}
	return nil
}

// errStopped ends an import at a file with a fault; what was wrong is told by end.
var errStopped = errors.New("the import stopped there; what is older was imported, and what is newer waits")

// end prints the sum.
func (i *importing) end() error {
	var parts []string
	if n := len(i.runs); n > 0 {
		first, last := i.runs[0], i.runs[n-1]
		words := fmt.Sprintf("%s, of %s", state.Count(n, "run imported", "runs imported"), first.StartedAt.Format(time.DateOnly))
		if n > 1 {
			words += " to " + last.StartedAt.Format(time.DateOnly)
		}
		parts = append(parts, words)
	} else {
		parts = append(parts, "nothing imported")
	}
	if i.before > 0 {
		parts = append(parts, state.Count(i.before, "file was", "files were")+" imported before")
	}
	if n := len(i.older); n > 0 {
		parts = append(parts, state.Count(n, "file is", "files are")+" older than the newest run")
	}
	if n := len(i.faults); n > 0 {
		parts = append(parts, state.Count(n, "file has a fault", "files have a fault"))
	}
	fmt.Fprintln(i.app.stdout, strings.Join(parts, "; "))
	switch {
	case len(i.faults) > 0:
		return &badFilesError{append(i.faults, i.older...)}
	case len(i.older) > 0:
		return &olderFilesError{i.older}
	}
	return nil
}
