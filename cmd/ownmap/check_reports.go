package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ownmap/reports/site"
)

// checkReports makes every report of a small run, so that a template that does not fit
// is told before the night, and looks for the fonts.
func (a *app) checkReports(ctx context.Context, h *house) (string, error) {
	look, report := h.look, sample(h.config.Reports.Zone())
	var faults []error
	for _, f := range a.reportFormats(look) {
		if err := f.write(io.Discard, report); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", f.names[0], err))
		}
	}
	dir, err := os.MkdirTemp("", "ownmap-check-*")
	if err != nil {
		return "", err
	}
	faults = append(faults, look.site(filepath.Join(dir, "archive"), sampleBook{report}, site.Retention{Runs: 1}).Build(ctx), os.RemoveAll(dir))
	for _, notice := range append(look.templates.Notices(), look.templates.Failures()...) {
		faults = append(faults, errors.New(notice))
	}
	if look.fonts != "" {
		if files, err := filepath.Glob(filepath.Join(look.fonts, "*.ttf")); err != nil || len(files) == 0 {
			faults = append(faults, fmt.Errorf("reports.fonts: no .ttf file in %s; correct the path, or leave it out", look.fonts))
		}
	}
	found := "built-in templates"
	if dir := h.config.Reports.Templates; dir != "" {
		found = "templates of " + dir
	}
	return found, errors.Join(faults...)
}

// checkMetrics tries to write beside the file for Prometheus.
func checkMetrics(file string) (string, error) {
	if file == "" {
		return "no file", nil
	}
	dir := filepath.Dir(file)
	if _, err := os.Stat(dir); err != nil {
		return file, fmt.Errorf("%w; make the directory, or correct metrics.textfile", err)
	}
	return file, writable(dir)
}
