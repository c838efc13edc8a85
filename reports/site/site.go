// Package site writes the static archive: pages about the last run, every run
// and every host that work from any web server and from file://, without
// JavaScript too. A page is a pure function of what the database holds: the same
// input gives the same bytes.
package site

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// Source is where the archive gets everything from. persist.Book is one.
type Source interface {
	// Runs returns the newest runs, newest first, at most limit of them.
	Runs(ctx context.Context, limit int) ([]state.RunSummary, error)
	// Report returns everything about a persisted run.
	Report(ctx context.Context, runID int64) (state.Report, error)
	// Inventory returns the hosts that are looked at, in the order of lists, with
	// their ports and approvals as of now.
	Inventory(ctx context.Context) ([]state.HostReport, error)
	// Histories hands every host that was ever known to yield, also those that
	// are looked at no more: past runs lead to their pages. What several vantages
	// know of a host comes one after the other.
	Histories(ctx context.Context, yield func(state.HostHistory) error) error
}

// Format is a kind of file that lies beside each run for programs.
type Format struct {
	Ext   string // "json": the file's extension, its name on the page
	Write func(io.Writer, state.Report) error
}

// Options say where the archive is and what it is made from.
type Options struct {
	Dir     string   // folder of the archive, made if it is missing
	BaseURL string   // where Dir is served from; empty: it is read from the disk
	Source  Source   // required
	Formats []Format // data files beside each run
}

// Site is the archive. It is a pipeline.Writer.
type Site struct {
	options Options
}

// New returns the archive; nothing is written yet.
func New(options Options) *Site { return &Site{options} }

// Name returns "site".
func (s *Site) Name() string { return "site" }

// IndexPath returns where the archive begins: a URL below BaseURL, else a path.
func (s *Site) IndexPath() string { return s.locate("index.html") }

// RunPath returns where a run's page is: a URL below BaseURL, else a path.
func (s *Site) RunPath(id int64) string { return s.locate(runFile(id)) }

func (s *Site) locate(name string) string {
	if s.options.BaseURL != "" {
		return strings.TrimSuffix(s.options.BaseURL, "/") + "/" + name
	}
	return filepath.Join(s.options.Dir, filepath.FromSlash(name))
}

// Write writes a run's page and data, and makes every page anew that tells how
// things stand: of the hosts, the lists and the index. Files whose bytes would
// not differ are left alone, so a second Write of the same run writes nothing.
func (s *Site) Write(ctx context.Context, report state.Report) error {
	return s.publish(ctx, func(p *publisher, _ []state.RunSummary) error {
		return s.writeRun(p, report)
	})
}

// Build makes every page of the archive anew from the source.
func (s *Site) Build(ctx context.Context) error {
	return s.publish(ctx, func(p *publisher, runs []state.RunSummary) error {
		for _, run := range runs {
			if !hasReport(run.Run) {
				continue
			}
			report, err := s.options.Source.Report(ctx, run.ID)
			if err != nil {
				return err
			}
			if err := s.writeRun(p, report); err != nil {
				return err
			}
		}
		return nil
	})
}

// publish holds the lock while it writes: the stylesheet first, so that no page
// ever lacks it, then the pages of runs that writeRuns writes, hosts and lists,
// and the index last, so that it never leads to a page that is not there.
func (s *Site) publish(ctx context.Context, writeRuns func(*publisher, []state.RunSummary) error) error {
	if err := s.publishLocked(ctx, writeRuns); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

func (s *Site) publishLocked(ctx context.Context, writeRuns func(*publisher, []state.RunSummary) error) error {
	p, err := newPublisher(ctx, s.options.Dir)
	if err != nil {
		return err
	}
	defer p.close()
	runs, err := s.options.Source.Runs(ctx, allRuns)
	if err != nil {
		return err
	}
	if err := p.assets(); err != nil {
		return err
	}
	if err := writeRuns(p, runs); err != nil {
		return err
	}
	return s.writeState(ctx, p, runs)
}

// writeState writes the pages that tell how things stand.
func (s *Site) writeState(ctx context.Context, p *publisher, runs []state.RunSummary) error {
	if err := s.writeHosts(ctx, p); err != nil {
		return err
	}
	now, err := s.latest(ctx, runs)
	if err != nil {
		return err
	}
	if now.report.Hosts, err = s.options.Source.Inventory(ctx); err != nil {
		return err
	}
	for _, page := range []struct {
		name string
		view view
	}{
		{"hosts", hostsView(now.report)},
		{"unapproved", unapprovedView(now.report)},
		{"runs", runsView(runs)},
		{"index", indexView(now, runs)},
	} {
		if err := p.page(page.name+".html", page.name, page.view); err != nil {
			return err
		}
	}
	return nil
}

// writeHosts writes a page for each host, as all vantages see it.
func (s *Site) writeHosts(ctx context.Context, p *publisher) error {
	var host []state.HostHistory
	write := func() error {
		if len(host) == 0 {
			return nil
		}
		return p.page(hostFile(host[0].ID), "host", hostView(host))
	}
	err := s.options.Source.Histories(ctx, func(h state.HostHistory) error {
		if len(host) > 0 && host[0].ID == h.ID {
			host = append(host, h)
			return nil
		}
		err := write()
		host = append(host[:0:0], h)
		return err
	})
	if err != nil {
		return err
	}
	return write()
}

// standing is what the index tells: the last run, and the last one with changes.
type standing struct {
	report  state.Report
	changed state.Report
}

func (s *Site) latest(ctx context.Context, runs []state.RunSummary) (standing, error) {
	var now standing
	for _, run := range runs {
		if !hasReport(run.Run) {
			continue
		}
		newest := now.report.Run.ID == 0
		if !newest && run.Changes == 0 {
			continue
		}
		report, err := s.options.Source.Report(ctx, run.ID)
		if err != nil {
			return standing{}, err
		}
		if newest {
			now.report = report
		}
		if len(report.Changes) > 0 {
			now.changed = report
			break
		}
	}
	return now, nil
}

func (s *Site) writeRun(p *publisher, report state.Report) error {
	for _, f := range s.options.Formats {
		if err := p.data(dataFile(report.Run.ID, f.Ext), func(w io.Writer) error { return f.Write(w, report) }); err != nil {
			return err
		}
	}
	return p.page(runFile(report.Run.ID), "run", runView(report, "../", s.options.Formats))
}

// allRuns is the limit for a list of all runs: a run a night takes long to it.
const allRuns = 1 << 20

// hasReport says whether a run has kept a state, so that a report of it exists.
func hasReport(r state.Run) bool { return r.Rev != 0 }

// File names come from ids alone: what a scanned host is called never reaches
// the file system, and a renamed host keeps its page.

func runFile(id int64) string { return "run/" + strconv.FormatInt(id, 10) + ".html" }

func dataFile(id int64, ext string) string { return "data/" + strconv.FormatInt(id, 10) + "." + ext }

// hostFile spreads hosts over 256 folders.
func hostFile(id int64) string { return fmt.Sprintf("host/%02x/%d.html", id&0xff, id) }
