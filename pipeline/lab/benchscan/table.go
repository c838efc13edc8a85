package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// table prints rows in Markdown, aligned to be read as it is.
func table(rows []row) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 1, ' ', 0)
	line := func(cells ...string) { fmt.Fprintln(w, "| "+strings.Join(cells, "\t| ")+"\t|") }
	line("cell", "tool", "x", "seconds", "ratio", "limit", "missed", "invented", "named", "changes untold", "false", "packets", "peak/s", "CPU s", "nmaps MB", "OwnMap MB", "verdict")
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
			own = strconv.Itoa(r.own)
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
		if r.peakLimit > 0 {
			verdict += fmt.Sprintf("; without resets %d/s in any ten seconds and %d in any one, with them %d/s over the run, of %d", r.steady, r.peakSent, r.fastest, r.peakLimit)
		}
		if r.crowded > 0 {
			verdict += fmt.Sprintf("; the link dropped %d packets", r.crowded)
		}
		if r.told > 0 && r.carried > 0 {
			verdict += fmt.Sprintf("; the report names %d/s", r.told)
		}
		if r.remark != "" {
			verdict += "; " + r.remark
		}
		if r.doubt != "" {
			verdict += "; " + r.doubt
		}
		verdict = strings.TrimPrefix(verdict, "; ")
		figures := fmt.Sprintf("%d,%.1f,%s,%s,%d,%d,%d,%d,%d,%d,%d,%.1f,%d", r.repeats, r.took.Seconds(), ratio, limit,
			r.missed, r.invented, r.named, r.untold, r.falsely, r.packets, r.peak, r.cpu.Seconds(), r.nmaps)
		line(slices.Concat([]string{r.cell, r.tool}, strings.Split(figures, ","), []string{own, verdict})...)
	}
	_ = w.Flush()
	return out.String()
}
