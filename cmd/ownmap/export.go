package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
)

type exportOptions struct{ format, at, vantage, output string }

func (a *app) exportCommand() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what is known, now or then, for other programs",
		Long: `Export writes the hosts and ports that are known, or that were known after a run
or at a time: as nmap writes a scan, which ndiff and ` + "`ownmap import`" + ` read, or as
JSON or CSV with what nmap's format has no place for, such as approvals.`,
		Example: "  ownmap export -o now.xml\n  ownmap export --at 2026-10-01 -o then.xml && ndiff then.xml now.xml\n  ownmap export --format csv --at 12",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.export(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.format, "format", "nmap", "nmap, json or csv")
	cmd.Flags().StringVar(&o.at, "at", "", "as of a `RUN` or time (default: now)")
	cmd.Flags().StringVar(&o.vantage, "vantage", "", "only what is seen from there")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "write to `FILE` instead of stdout")
	return cmd
}

func (a *app) export(ctx context.Context, o exportOptions) error {
	if !slices.Contains([]string{"nmap", "json", "csv"}, o.format) {
		return usagef("unknown format %q: nmap, json or csv", o.format)
	}
	return a.with(ctx, func(h *house) error {
		write, err := a.exportWriter(ctx, h, o)
		if err != nil {
			return err
		}
		if o.output == "" {
			return write(a.stdout)
		}
		return writeFile(o.output, write)
	})
}

// exportWriter returns what writes the export; all of it was read.
func (a *app) exportWriter(ctx context.Context, h *house, o exportOptions) (func(io.Writer) error, error) {
	if o.format == "nmap" {
		run, err := h.book.FindRun(ctx, o.at)
		if err != nil {
			return nil, err
		}
		report, err := h.book.KnownReport(ctx, run.ID, o.vantage)
		if err != nil {
			return nil, err
		}
		from := vantagesIn(report.Hosts)
		if len(from) > 1 {
			return nil, usagef("hosts are seen from %s, and nmap's format knows one place: choose it with --vantage", strings.Join(from, " and "))
		}
		if err := seenFrom(o.vantage, from); err != nil {
			return nil, err
		}
		return func(w io.Writer) error { return export.StateXML(w, report) }, nil
	}
	hosts, err := a.inventory(ctx, h, o.at)
	if err != nil {
		return nil, err
	}
	if o.vantage != "" {
		hosts = slices.DeleteFunc(hosts, func(h state.HostReport) bool { return h.Vantage != o.vantage })
	}
	if err := seenFrom(o.vantage, vantagesIn(hosts)); err != nil {
		return nil, err
	}
	if o.format == "csv" {
		return func(w io.Writer) error { return export.PortsCSV(w, hosts) }, nil
	}
	return func(w io.Writer) error { return export.PortsJSON(w, hosts) }, nil
}

// seenFrom refuses a vantage from which nothing is seen: an empty file would read as good
// news.
func seenFrom(vantage string, from []string) error {
	if vantage != "" && len(from) == 0 {
		return usagef("no host is seen from %q; `ownmap targets list` shows the vantages", vantage)
	}
	return nil
}

// vantagesIn returns from where hosts are seen, sorted.
func vantagesIn(hosts []state.HostReport) []string {
	var list []string
	for i := range hosts {
		if !slices.Contains(list, hosts[i].Vantage) {
			list = append(list, hosts[i].Vantage)
		}
	}
	slices.Sort(list)
	return list
}
