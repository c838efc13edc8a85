package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// table prints rows in Markdown, aligned to be read as it is.
func table(rows []row) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 1, ' ', 0)
	line := func(cells ...string) { fmt.Fprintln(w, "| "+strings.Join(cells, "\t| ")+"\t|") }
	line("cell", "tool", "x", "seconds", "ratio", "limit", "missed", "invented", "named", "changes untold", "false", "packets", "peak/s", "CPU s", "nmaps MB", "OwnMap MB", "")
	line(strings.Split(strings.Repeat("--- ", 17), " ")[:17]...)
	for _, r := range rows {
		if r.absent != "" {
			line(append([]string{r.cell, r.tool, r.absent}, make([]string, 14)...)...)
			continue
		}
		ratio, limit, own, verdict := "", "", "", ""
		if r.ratio > 0 {
			ratio = fmt.Sprintf("%.3f", r.ratio)
		}
		if r.limit > 0 {
			limit = fmt.Sprintf("%.2f", r.limit)
		}
		if r.own > 0 {
			own = fmt.Sprint(r.own)
		}
		if r.judged {
			verdict = "good"
		}
		if !r.good() {
			verdict = "NOT GOOD"
		}
		if r.overrun > 0 {
			verdict += fmt.Sprintf(" (the lab lost %d packets)", r.overrun)
		}
		line(r.cell, r.tool, fmt.Sprint(r.repeats), fmt.Sprintf("%.1f", r.took.Seconds()), ratio, limit,
			fmt.Sprint(r.missed), fmt.Sprint(r.invented), fmt.Sprint(r.named), fmt.Sprint(r.untold), fmt.Sprint(r.falsely),
			fmt.Sprint(r.packets), fmt.Sprint(r.peak), fmt.Sprintf("%.1f", r.cpu.Seconds()), fmt.Sprint(r.nmaps), own, verdict)
	}
	_ = w.Flush()
	return out.String()
}
