package site

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// edition is the archive as it is being made.
type edition struct {
	site     *Site
	wish     wish
	dir      string // of the live archive
	desk     desk
	look     *look
	zone     string             // of all times
	runs     []state.RunSummary // newest first
	old      *manifest
	lies     listing // in the live archive
	now      *manifest
	steady   bool            // what is not handed over anew is as the old manifest says
	written  int             // files
	remnants map[int64]int64 // sizes of the pages of pruned runs
	moved    bool            // something is not as it was when the lists were made
	out      bytes.Buffer    // the page that is being made
	compare  []byte          // what the live archive has, of one file after the other

	newest   state.Run    // that has a report; the zero Run if none has
	latest   state.Report // of that run without hosts, once somebody asked for it
	standing *standing
	read     bool // a report from the source, that was not collected
}

func (s *Site) newEdition(ctx context.Context, w wish, dir string, d desk, old *manifest, lies listing) (*edition, error) {
	l, err := s.look()
	if err != nil {
		return nil, err
	}
	runs, err := s.options.Source.Runs(ctx, allRuns)
	if err != nil {
		return nil, err
	}
	e := &edition{
		site: s, wish: w, dir: dir, desk: d, look: l, zone: "UTC", runs: runs, old: old, lies: lies,
		remnants: make(map[int64]int64), compare: make([]byte, 64<<10),
	}
	if len(runs) > 0 {
		e.zone = runs[0].StartedAt.Location().String()
	}
	exts := make([]string, len(s.options.Formats))
	for i, f := range s.options.Formats {
		exts[i] = f.Ext
	}
	e.now = newManifest(newDigest(append(exts, s.options.Version, l.version, e.zone)...).sum())
	e.now.Files = make(map[string]string, len(old.Files))
	e.steady = !w.full && old.Version == e.now.Version && e.sameSource()
	return e, nil
}

// sameSource says whether the runs of the old manifest are runs of the source. Those of
// a database that was made anew have the same numbers, and began at other times.
func (e *edition) sameSource() bool {
	keys := make(map[int64]string, len(e.runs))
	for _, run := range e.runs {
		keys[run.ID] = runKey(run.Run)
	}
	for id, r := range e.old.Runs {
		if keys[id] != r.Key {
			return false
		}
	}
	return true
}

// allRuns is the limit for a list of all runs: a run a night takes long to it.
const allRuns = 1 << 20

// hasReport says whether a run has kept a state, so that a report of it exists.
func hasReport(r state.Run) bool { return r.Rev != 0 }

// make makes all files: what pages need first, the index last.
func (e *edition) make(ctx context.Context) error {
	steps := []func(context.Context) error{e.assets, e.runPages, e.hostPages, e.standings}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// standings makes what tells how things stand. All of it comes from the runs and from
// what the pages of the hosts tell too: where none of these has changed, it is kept.
func (e *edition) standings(ctx context.Context) error {
	var err error
	if e.now.Listed, err = hashOf(e.now.Version, e.site.options.BaseURL, e.runs); err != nil {
		return err
	}
	if e.steady && e.old.Mark != "" && !e.moved && e.now.Listed == e.old.Listed {
		for name, hash := range e.old.Files {
			if !strings.Contains(name, "/") || strings.HasPrefix(name, "assets/index") {
				e.now.Files[name] = hash
			}
		}
		return nil
	}
	if e.latest.Run.ID != e.newest.ID { // its page is there
		if _, err := e.report(ctx, e.newest.ID); err != nil {
			return err
		}
		e.collect()
	}
	for _, step := range []func(context.Context) error{e.lists, e.feed, e.index} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// page makes a page, and writes it unless the archive has just that.
func (e *edition) page(file, kind string, v view) error {
	if err := e.look.render(&e.out, file, kind, e.zone, v); err != nil {
		return fmt.Errorf("page %s: %w", file, err)
	}
	return e.bytes(file, e.out.Bytes())
}

// bytes makes a file of these bytes.
func (e *edition) bytes(name string, content []byte) error {
	hash := hashOfBytes(content)
	e.now.Files[name] = hash
	old, known := e.old.Files[name]
	if !e.wish.full && old == hash {
		return nil
	}
	return e.put(name, e.steady && known, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// file makes a file of a run, unless the archive has it of the same input.
func (e *edition) file(name, hash string, content func(io.Writer) error) error {
	e.now.Files[name] = hash
	if !e.wish.full && e.old.Files[name] == hash {
		return nil
	}
	return e.put(name, false, content)
}

// render writes a page.
func (e *edition) render(w io.Writer, file, kind string, v view) error {
	if err := e.look.render(&e.out, file, kind, e.zone, v); err != nil {
		return err
	}
	_, err := w.Write(e.out.Bytes())
	return err
}

// put puts a file on the desk, unless the archive has just that; differs says that it is
// known not to.
func (e *edition) put(name string, differs bool, content func(io.Writer) error) error {
	e.moved = true
	var live *os.File
	if kind, there := e.lies.files[name]; there && !differs {
		live = openRegular(e.live(name), kind)
	}
	d := newDraft(live, e.compare, func() (*newFile, error) { return e.desk.create(name) })
	written, err := d.end(content(d))
	if written {
		e.written++
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// live returns where a file is in the live archive.
func (e *edition) live(name string) string { return filepath.Join(e.dir, filepath.FromSlash(name)) }

// keep takes over a file that the archive has.
func (e *edition) keep(names ...string) {
	for _, name := range names {
		e.now.Files[name] = e.old.Files[name]
	}
}

// note keeps a manifest of which nothing but the mark has changed.
func (e *edition) note() error {
	e.now.Foreign = e.old.Foreign
	if same, err := e.now.same(e.old); same || err != nil {
		return err
	}
	content, err := e.now.encode()
	if err != nil {
		return err
	}
	return writeFile(createBeside, e.live(manifestFile), content)
}

// assets makes what every page loads.
func (e *edition) assets(context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(e.look.assets)) {
		if err := e.bytes("assets/"+name, e.look.assets[name]); err != nil {
			return err
		}
	}
	return nil
}

// report returns the report of a run.
func (e *edition) report(ctx context.Context, id int64) (report state.Report, err error) {
	if e.wish.report != nil && e.wish.report.Run.ID == id {
		report = *e.wish.report
	} else {
		e.read = true
		if report, err = e.site.options.Source.Report(ctx, id); err != nil {
			return report, err
		}
	}
	if id == e.newest.ID {
		e.latest, e.latest.Hosts = report, nil // the index tells of those of now
	}
	return report, nil
}

// hostPages makes a page for each host, as all vantages see it: of those to which
// something may have happened.
func (e *edition) hostPages(ctx context.Context) error {
	var since state.Mark
	if e.steady {
		since = e.old.Mark
	}
	if since != "" {
		for name, hash := range e.old.Files {
			if strings.HasPrefix(name, "host/") {
				e.now.Files[name] = hash
			}
		}
	}
	var host []state.HostHistory
	write := func() error {
		if len(host) == 0 {
			return nil
		}
		return e.page(hostFile(host[0].ID), "host", hostView(host))
	}
	var err error
	e.now.Mark, err = e.site.options.Source.Histories(ctx, since, func(h state.HostHistory) error {
		if len(host) > 0 && host[0].ID == h.ID {
			host = append(host, h)
			return nil
		}
		err := write()
		host = append(host[:0], h)
		return err
	})
	if err != nil {
		return err
	}
	return write()
}

// data makes the files that lie beside a run's page.
func (e *edition) data(report state.Report, hash string) error {
	for _, f := range e.site.options.Formats {
		err := e.file(dataFile(report.Run.ID, f.Ext), hash, func(w io.Writer) error {
			out := bufio.NewWriterSize(w, len(e.compare))
			return errors.Join(f.Write(out, report), out.Flush())
		})
		if err != nil {
			return err
		}
	}
	return nil
}
