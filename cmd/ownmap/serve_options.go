package main

import (
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"ownmap/pipeline/load"
	"ownmap/pipeline/queue"
	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/site"
	"ownmap/reports/web"
	"ownmap/reports/web/access"
)

// webOptions wires the page.
func (h *house) webOptions(guard *access.Guard, stopping <-chan struct{}) (web.Options, error) {
	counts := newWebMetrics(h)
	formats, err := h.webFormats()
	if err != nil {
		return web.Options{}, err
	}
	return web.Options{
		Book: h.book, Desk: h.desk(), Guard: guard, External: h.config.Web.External(), Links: h.ring, LinkMode: h.config.LinkMode(),
		Templates: h.look.set(), Brand: h.look.brand, Zone: h.config.Reports.Zone(), Version: buildVersion(), Now: h.app.now,
		Explain: h.explain, Ready: h.ready, Metrics: counts.write, Log: h.log,
		JSON: web.Encoders{
			Status: export.StatusJSON, Ports: export.PortsJSON, Host: export.HostJSON, Approvals: export.ApprovalsJSON, Audit: export.AuditJSON,
			Runs: export.RunsJSON, Report: export.JSON, Deliveries: export.DeliveriesJSON, Snoozes: export.SnoozesJSON,
		},
		Tables:  web.Tables{PortsCSV: export.PortsCSV, PortsJSON: export.PortsJSON},
		NextRun: h.desk().NextRun,
		Operations: web.Operations{
			Formats: formats, Archive: h.archive(), Compare: h.compareRuns, Comparisons: h.webComparisons(),
			CheckScan: h.checkScan, Workers: h.webWorkers, Channels: h.webChannels(), Stopping: stopping, Observe: counts.observe,
			Withdraw: func(ctx context.Context, run int64) error { return queue.Withdraw(ctx, h.book.Pool(), run) },
		},
	}, nil
}

// ready says whether the database answers.
func (h *house) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return h.book.Pool().Ping(ctx)
}

// plain is the app as it writes into files: without colour, whatever its terminal can do.
func (h *house) plain() *app {
	plain := *h.app
	plain.stdout = io.Discard
	return &plain
}

// webFormats are the forms of a report as the page names them.
func (h *house) webFormats() ([]web.Format, error) {
	policy, err := site.StandalonePolicy(h.look.templates, h.look.brand)
	if err != nil {
		return nil, err
	}
	known := map[string]web.Format{
		"html":     {Name: "HTML", Type: "text/html; charset=utf-8", Inline: true, Policy: policy},
		"pdf":      {Name: "PDF", Type: "application/pdf", Inline: true, Policy: pdfPolicy},
		"eml":      {Name: "mail", Type: "message/rfc822"},
		"text":     {Name: "text", Type: "text/plain; charset=utf-8", Inline: true},
		"short":    {Name: "chat message", Type: "text/plain; charset=utf-8", Inline: true},
		"markdown": {Name: "Markdown", Type: "text/markdown; charset=utf-8"},
		"json":     {Name: "JSON", Type: "application/json"},
		"csv":      {Name: "CSV", Type: "text/csv; charset=utf-8"},
		"nmap":     {Name: "nmap XML", Type: "application/xml"},
		"ndiff":    {Name: "ndiff XML", Type: "application/xml"},
	}
	order := []string{"html", "pdf"} // what people read first
	var list []web.Format
	for _, f := range h.plain().reportFormats(h.look) {
		format, found := known[f.names[0]]
		if !found {
			format = web.Format{Name: f.names[0], Type: "application/octet-stream"}
		}
		format.Ext, format.Write = f.ext, f.write
		if f.ext == "xml" || f.names[0] == "short" { // there are two of that ending
			format.Ext = f.names[0] + "." + f.ext
		}
		list = append(list, format)
	}
	slices.SortStableFunc(list, func(a, b web.Format) int {
		place := func(f web.Format) int {
			if at := slices.Index(order, f.Ext); at >= 0 {
				return at
			}
			return len(order)
		}
		return place(a) - place(b)
	})
	return list, nil
}

// pdfPolicy lets a browser show a PDF, which it does with a page of its own.
const pdfPolicy = "default-src 'none'; object-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (h *house) webComparisons() []web.ComparisonFormat {
	var list []web.ComparisonFormat
	for _, f := range []web.ComparisonFormat{
		{Name: "text", Ext: "txt", Type: "text/plain; charset=utf-8"},
		{Name: "JSON", Ext: "json", Type: "application/json"},
		{Name: "ndiff XML", Ext: "xml", Type: "application/xml"},
	} {
		name := f.Ext
		if name == "txt" {
			name = "text"
		}
		if write, err := h.plain().diffWriter(name); err == nil {
			f.Write = write
			list = append(list, f)
		}
	}
	return list
}

func (h *house) compareRuns(ctx context.Context, a, b int64) (state.Comparison, error) {
	return h.app.diffRuns(ctx, h, []string{strconv.FormatInt(a, 10), strconv.FormatInt(b, 10)})
}

// planError says why nothing can be scanned by these names.
type planError struct{ err error }

func (e *planError) Error() string { return e.err.Error() }
func (e *planError) Unwrap() error { return e.err }

// checkScan tells what names no host of a target, as `ownmap run` does, with what is set on
// the page by now.
func (h *house) checkScan(ctx context.Context, only []string) error {
	now, err := h.anew(ctx)
	if err != nil {
		return err
	}
	targets, err := now.desk().All(ctx) // which keeps nothing: to look is no write
	if err != nil {
		return err
	}
	known, err := h.book.Known(ctx)
	if err != nil {
		return err
	}
	if _, err := load.NewPlanner(now.config, nil).Plan(ctx, targets, known, only); err != nil {
		return &planError{err}
	}
	return nil
}

func (h *house) webWorkers(ctx context.Context) ([]web.Worker, error) {
	members, err := queue.Roster(ctx, h.book.Pool())
	if err != nil {
		return nil, err
	}
	list := make([]web.Worker, len(members))
	for i, m := range members {
		list[i] = web.Worker{
			Vantage: m.Vantage, Host: m.Host, Version: m.Version, Takes: m.Vantage == state.DefaultVantage && m.Version == buildVersion(),
		}
	}
	return list, nil
}

func (h *house) webChannels() []web.Channel {
	var list []web.Channel
	for _, name := range slices.Sorted(maps.Keys(h.config.Channels)) {
		list = append(list, web.Channel{Name: name, Type: h.config.Channels[name].Type, Recipients: h.policy.Channels[name].Recipients})
	}
	return list
}
