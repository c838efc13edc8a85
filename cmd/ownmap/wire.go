package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/user"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"ownmap/pipeline"
	"ownmap/pipeline/alert"
	"ownmap/pipeline/enrich"
	"ownmap/pipeline/enrich/login"
	"ownmap/pipeline/link"
	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/persist/private"
	"ownmap/pipeline/queue"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
	"ownmap/reports/metrics"
	"ownmap/reports/site"
)

// house is the opened product: the only place that knows every adapter.
type house struct {
	app    *app
	log    *slog.Logger
	file   load.Config // of the file alone
	config load.Config // with what is set on the web page
	dir    string      // state directory
	server *private.Server
	url    string // of the database
	book   *persist.Book
	look   appearance
	site   *site.Site
	policy alert.Policy
	ring   *link.Ring // the keys of links to approve
}

// load reads the config without opening anything.
func (a *app) load() (load.Config, error) { return a.loadBy(load.Read) }

func (a *app) loadBy(read func(path string, env func(string) string) (load.Config, error)) (load.Config, error) {
	path, err := load.Find(a.configFile, a.env)
	if err != nil {
		return load.Config{}, err
	}
	config, err := read(path, a.env)
	for _, warning := range config.Warnings() {
		fmt.Fprintln(a.stderr, "ownmap: warning: "+warning)
	}
	return config, err
}

// open reads the config and opens the database, starting the private one if the
// config names none. The caller closes the house.
func (a *app) open(ctx context.Context) (*house, error) {
	config, err := a.load()
	if err != nil {
		return nil, err
	}
	return a.openWith(ctx, config)
}

// openWith opens the database of a config that was read.
func (a *app) openWith(ctx context.Context, config load.Config) (_ *house, err error) {
	h := &house{app: a, log: a.log(), file: config, config: config}
	if h.dir, err = a.home(config); err != nil {
		return nil, err
	}
	url, err := h.database(ctx)
	if err != nil {
		return nil, err
	}
	h.url = url
	if h.book, err = persist.Open(ctx, url, config.Reports.Zone(), h.log); err != nil {
		return nil, errors.Join(err, h.stop(ctx))
	}
	h.book.StaleAfter(config.Scan.StaleAfter)
	h.book.Rules(config.StateRules())
	h.look = appearanceOf(config)
	for _, notice := range h.look.templates.Notices() {
		fmt.Fprintln(a.stderr, "ownmap: warning: "+notice)
	}
	if err := h.settings(ctx); err != nil {
		h.book.Close()
		return nil, errors.Join(h.blame(err), h.stop(ctx))
	}
	h.ring = link.New(h.dir, a.now)
	if config.LinkMode() != state.LinksOff {
		h.book.Links(h.ring.Current)
	}
	h.announce()
	h.site = h.siteOf(h.book)
	return h, nil
}

func (h *house) database(ctx context.Context) (string, error) {
	if url := h.config.Database.URL.Reveal(); url != "" {
		return url, nil
	}
	server, err := h.app.startPrivate(ctx, h.dir)
	if err != nil {
		return "", err
	}
	h.server = server
	return server.URL(), nil
}

// startPrivate starts the private database of a state directory, or joins those who use it.
func (a *app) startPrivate(ctx context.Context, dir string) (*private.Server, error) {
	server, err := private.Start(ctx, dir, a.log())
	if err != nil {
		return nil, fmt.Errorf("private database in %s: %w", dir, err)
	}
	return server, nil
}

// siteOf returns the archive, made from a source.
func (h *house) siteOf(source site.Source) *site.Site {
	return h.look.site(h.archive(), source, site.Retention{Runs: h.config.Archive.KeepRuns, Days: h.config.Archive.KeepDays})
}

func (h *house) archive() string {
	if h.config.Archive.Dir != "" {
		return h.config.Archive.Dir
	}
	return filepath.Join(h.dir, "archive")
}

// pipeline wires the run; the crew does its shards.
func (h *house) pipeline(planner pipeline.Planner, crew *queue.Crew, scanner *scan.Scanner, shown queue.Progress) pipeline.Pipeline {
	return pipeline.Pipeline{
		Config:  h.config.StateTargets(),
		Planner: planner,
		Scanner: scanner,
		Insider: h.insider(shown),
		Crew:    crew,
		Book:    h.book,
		Writers: h.writers(),
	}
}

// writers are the reports that every run makes.
func (h *house) writers() []pipeline.Writer {
	writers := []pipeline.Writer{h.site}
	if file := h.config.Metrics.Textfile; file != "" {
		m := metrics.New(file, h.book)
		if h.config.Backup.Dir != "" {
			m.LastBackup = h.lastBackup
		}
		writers = append(writers, m)
	}
	return writers
}

// insider returns what looks inside hosts; shown is nil when nobody watches.
func (h *house) insider(shown queue.Progress) *enrich.Insider {
	o := enrich.Options{
		Login: h.sshOptions(), Parallel: h.config.SSH.MaxParallel, Timeout: time.Duration(h.config.SSH.Timeout),
		Pause: time.Duration(h.config.SSH.ConfirmAfter), Log: h.log,
	}
	if shown != nil {
		o.Progress = shown.Show
	}
	return enrich.New(o)
}

func (h *house) sshOptions() login.Options {
	o := login.Options{
		Handshake: time.Duration(h.config.SSH.HandshakeTimeout), Home: h.app.env("HOME"), User: h.app.env("USER"),
		AgentSocket: h.app.env("SSH_AUTH_SOCK"),
	}
	if me, err := user.Current(); err == nil { // services have neither HOME nor USER
		o.Home, o.User = cmp.Or(o.Home, me.HomeDir), cmp.Or(me.Username, o.User)
	}
	return o
}

// scanner returns what scans from a vantage, at the rate that was learned there.
func (h *house) scanner(ctx context.Context, vantage string) (*scan.Scanner, error) {
	start, knee, err := h.book.Rate(ctx, vantage)
	if err != nil {
		return nil, err
	}
	return scan.New(scan.Options{
		Rate:         h.config.Scan.Rate,
		Start:        start,
		Knee:         knee,
		MaxParallel:  h.config.Scan.MaxParallel,
		HostTimeout:  time.Duration(h.config.Scan.HostTimeout),
		ConfirmTries: h.config.Scan.ConfirmTries,
		ReverseDNS:   h.config.Scan.ReverseDNS,
		Dir:          filepath.Join(h.dir, "scan"),
		Log:          h.log,
	}), nil
}

// worker returns what takes the shards of a vantage: two at a time, so that one
// scans while the other waits for late answers.
func (h *house) worker(vantage string, scanner *scan.Scanner) queue.Worker {
	return queue.Worker{
		Vantage: vantage, Version: buildVersion(), Parallel: 2,
		Pool: h.book.Pool(), Store: h.book, Scanner: scanner, Log: h.log,
	}
}

// crew returns what does the shards of a run. The caller closes it. worker is the
// one of this process, nil if there is none or it runs already; shown is nil when
// nobody watches.
func (h *house) crew(ctx context.Context, worker *queue.Worker, shown queue.Progress) (*queue.Crew, error) {
	if err := queue.Migrate(ctx, h.book.Pool()); err != nil {
		return nil, err
	}
	jobs, err := queue.NewJobs(buildVersion())
	if err != nil {
		return nil, err
	}
	h.book.UseJobs(jobs)
	return &queue.Crew{
		Pool: h.book.Pool(), Store: h.book, Jobs: jobs, Worker: worker, Progress: shown,
		Deadline: time.Duration(h.config.Scan.Deadline), Log: h.log,
	}, nil
}

// close ends what open began, also after the call was interrupted.
func (h *house) close(ctx context.Context) {
	h.book.Close()
	if err := h.stop(ctx); err != nil {
		h.log.WarnContext(ctx, "private database did not stop in order", "error", err)
	}
}

func (h *house) stop(ctx context.Context) error {
	if h.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return h.server.Stop(ctx)
}

// with opens the house, runs do and closes it.
func (a *app) with(ctx context.Context, do func(*house) error) error {
	config, err := a.load()
	if err != nil {
		return err
	}
	return a.withConfig(ctx, config, do)
}

// withConfig is with, where the config was read before.
func (a *app) withConfig(ctx context.Context, config load.Config, do func(*house) error) error {
	h, err := a.openWith(ctx, config)
	if err != nil {
		return err
	}
	defer h.close(ctx)
	return h.blame(do(h))
}

// blame tells the loss of the private database from that of a database of the
// user's own: their remedies differ.
func (h *house) blame(err error) error {
	var connect *pgconn.ConnectError
	if h.server != nil && errors.As(err, &connect) {
		return &lostServerError{err: err, dir: h.dir}
	}
	return err
}

// describeDatabase says which database is used, without secrets.
func (h *house) describeDatabase() string {
	switch {
	case h == nil:
		return ""
	case h.server != nil:
		return "private PostgreSQL in " + h.dir
	}
	return "PostgreSQL of database.url"
}
