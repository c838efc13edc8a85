// Package site writes the static archive: pages about the last run, every run
// and every host that work from any web server and from file://, without
// JavaScript too. A page is a pure function of what the database holds: the same
// input gives the same bytes. Only what has changed is made anew, and readers see
// the archive of before or the new one, never a mixture.
package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// Source is where the archive gets everything from. persist.Book is one.
type Source interface {
	// Runs returns the newest runs, newest first, at most limit of them.
	Runs(ctx context.Context, limit int) ([]state.RunSummary, error)
	// Report returns everything about a persisted run: the same at any time.
	Report(ctx context.Context, runID int64) (state.Report, error)
	// Hosts hands over the hosts that are looked at, in the order of lists, with their
	// ports and approvals as of now.
	Hosts(ctx context.Context, yield func(state.HostReport) error) error
	// Histories hands hosts to yield, also those that are looked at no more: past runs
	// lead to their pages. It hands over at least every host whose page may not be as
	// it was at the mark, and every host that was ever known for the empty one, and
	// returns the mark of now. What several vantages know of a host comes one after
	// the other.
	Histories(ctx context.Context, since state.Mark, yield func(state.HostHistory) error) (state.Mark, error)
}

// Format is a kind of file that lies beside each run for programs, or to be sent on.
type Format struct {
	Ext   string // "json": the file's extension, in small letters; its name on the page
	Write func(io.Writer, state.Report) error
}

// Options say where the archive is and what it is made from.
type Options struct {
	Dir       string         // folder of the archive, made if it is missing
	BaseURL   string         // where Dir is served from; empty: it is read from the disk
	Source    Source         // required
	Formats   []Format       // data files beside each run
	Templates *templates.Set // nil: the built-in ones
	Brand     state.Brand    // whose archive it is
	Version   string         // of the program: another one makes every page anew
	Keep      Retention      // of runs; the others' pages are pruned. The zero value keeps all
}

// Site is the archive. It is a pipeline.Writer.
type Site struct {
	options  Options
	look     func() (*look, error)
	exchange func(a, b string) error
}

// New returns the archive; nothing is written yet.
func New(options Options) *Site {
	if options.Templates == nil {
		options.Templates = templates.New("")
	}
	return &Site{
		options: options, exchange: exchangeFolders,
		look: sync.OnceValues(func() (*look, error) { return newLook(options.Templates, options.Brand) }),
	}
}

// Name returns "site".
func (s *Site) Name() string { return "site" }

// IndexPath returns where the archive begins: a URL below BaseURL, else a path.
func (s *Site) IndexPath() string { return s.locate("index.html") }

// RunPath returns where a run's page is: a URL below BaseURL, else a path.
func (s *Site) RunPath(id int64) string { return s.locate(runFile(id)) }

// HostPath returns where a host's page is: a URL below BaseURL, else a path.
func (s *Site) HostPath(id int64) string { return s.locate(hostFile(id)) }

func (s *Site) locate(name string) string {
	if s.options.BaseURL != "" {
		return strings.TrimSuffix(s.options.BaseURL, "/") + "/" + name
	}
	return filepath.Join(s.options.Dir, filepath.FromSlash(name))
}

// wish is what a call wants of the archive.
type wish struct {
	report *state.Report // of a run that is not read from the source; nil: all are
	full   bool          // everything is made anew
	keep   Retention
}

// Write brings the archive up to date, with a run whose report it is handed: the pages
// of runs that it lacks, of hosts to which something happened, and those that tell how
// things stand. A second Write of the same run writes nothing.
func (s *Site) Write(ctx context.Context, report state.Report) error {
	_, err := s.publish(ctx, wish{report: &report, keep: s.options.Keep})
	return err
}

// Build makes every page of the archive anew from the source, also those that were
// pruned, unless Options.Keep prunes them again.
func (s *Site) Build(ctx context.Context) error {
	_, err := s.publish(ctx, wish{full: true, keep: s.options.Keep})
	return err
}

// desk is where files of an edition are put until it is published.
type desk interface {
	// create makes a file that the live archive lacks or has otherwise.
	create(name string) (*newFile, error)
	// publish makes an archive of these files the live one.
	publish(now *manifest) error
}

// outcome is what a publish did.
type outcome struct {
	pruned int   // runs that had their page before
	freed  int64 // bytes of files that are there no more, or are smaller
}

// folder returns the folder of the archive, as it is called without links.
func (s *Site) folder() (string, error) {
	dir, err := filepath.Abs(s.options.Dir)
	if err != nil {
		return "", fmt.Errorf("archive: %w", err)
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	return dir, nil
}

// publish makes an edition of the archive, by exchanging folders where that can be.
func (s *Site) publish(ctx context.Context, w wish) (outcome, error) {
	dir, err := s.folder()
	if err != nil {
		return outcome{}, err
	}
	unlock, err := lockArchive(ctx, dir)
	if err != nil {
		return outcome{}, fmt.Errorf("archive: %w", err)
	}
	defer unlock()
	done, err := s.edit(ctx, dir, w, canExchange(dir, s.exchange))
	if errors.Is(err, errNoExchange) {
		done, err = s.edit(ctx, dir, w, false)
	}
	if err != nil {
		return outcome{}, fmt.Errorf("archive: %w", err)
	}
	return done, nil
}

// edit makes an edition at a desk and publishes it, unless nothing has changed.
func (s *Site) edit(ctx context.Context, dir string, w wish, exchange bool) (outcome, error) {
	old, whole, err := readManifest(dir)
	if err != nil {
		return outcome{}, err
	}
	lies, err := list(dir, len(old.Files))
	if err != nil {
		return outcome{}, err
	}
	own := owner(old, whole, lies)
	for name := range old.Files {
		if _, there := lies.files[name]; !there { // somebody removed it
			delete(old.Files, name)
			old.Mark = ""
		}
	}
	var d desk = &place{dir: dir, old: old, own: own, lies: lies}
	if exchange {
		d = &pair{live: dir, next: sibling(dir, "previous"), old: old, own: own, lies: lies, exchange: s.exchange}
	}
	e, err := s.newEdition(ctx, w, dir, d, old, lies)
	if err != nil {
		return outcome{}, err
	}
	if err := e.make(ctx); err != nil {
		return outcome{}, err
	}
	gone := 0
	for name := range lies.files {
		if _, stays := e.now.Files[name]; !stays && own(name) {
			gone++
		}
	}
	if e.written == 0 && gone == 0 && e.now.sameFiles(old) {
		return outcome{}, e.note()
	}
	done := e.prunedOf()
	return done, d.publish(e.now)
}

// prunedOf says which runs lose their pages, and how many bytes that is.
func (e *edition) prunedOf() (done outcome) {
	size := func(name string) int64 {
		info, err := os.Stat(e.live(name))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	for id, r := range e.now.Runs {
		if was, had := e.old.Runs[id]; !r.Pruned || !had || was.Pruned {
			continue
		}
		done.pruned++
		done.freed += size(runFile(id)) - e.remnants[id]
		for _, f := range e.site.options.Formats {
			done.freed += size(dataFile(id, f.Ext))
		}
	}
	return done
}

// File names come from ids alone: what a scanned host is called never reaches
// the file system, and a renamed host keeps its page.

func runFile(id int64) string { return "run/" + strconv.FormatInt(id, 10) + ".html" }

func dataFile(id int64, ext string) string { return "data/" + strconv.FormatInt(id, 10) + "." + ext }

// hostFile spreads hosts over 256 folders.
func hostFile(id int64) string {
	const digits = "0123456789abcdef"
	folder := [2]byte{digits[id>>4&0xf], digits[id&0xf]}
	return "host/" + string(folder[:]) + "/" + strconv.FormatInt(id, 10) + ".html"
}

// pageFile names the pages of a long list: hosts.html, hosts-2.html.
func pageFile(list string, page int) string {
	if page == 1 {
		return list + ".html"
	}
	return list + "-" + strconv.Itoa(page) + ".html"
}
