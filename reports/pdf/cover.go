package pdf

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// compose lays out the whole document.
func (o Options) compose(report state.Report) (*document, error) {
	fonts, err := newFonts(o.FontDir)
	if err != nil {
		return nil, err
	}
	when := report.Run.StartedAt.Format("2006-01-02 15:04 MST")
	d := &document{
		fonts: fonts, accent: accent(o.Brand),
		head: strings.Join(nonempty(o.Brand.Organisation, fmt.Sprintf("Report of run %d of %s", report.Run.ID, when)), " · "),
		foot: "Made by OwnMap. All times are " + report.Run.StartedAt.Location().String() + ".",
	}
	d.page()
	if err := d.cover(report, o); err != nil {
		return nil, err
	}
	d.page()
	d.changes(report)
	d.waiting(report)
	d.disagreements(report)
	d.voided(report)
	d.oddities(report)
	d.coverage(report)
	d.notes(report, o.Notices)
	d.inventory(report, o.Inventory)
	d.list()
	d.finish(func(page, of int) string { return fmt.Sprintf("page %d of %d", page, of) })
	return d, nil
}

func nonempty(texts ...string) []string {
	var list []string
	for _, t := range texts {
		if t != "" {
			list = append(list, t)
		}
	}
	return list
}

// cover is the first page: whose report, the verdict, the counts, the trend.
func (d *document) cover(report state.Report, o Options) error {
	logoWidth := d.logo(o.Brand)
	d.line(marginX, 20, cmp.Or(o.Brand.Organisation, "OwnMap"), style{size: 13, bold: true, color: d.accent}, inner-logoWidth-6)
	d.line(marginX, 25.5, "Report of open ports, what changed and what nobody approved", small(), inner-logoWidth-6)
	d.bar(marginX, 30, inner, 0.6, d.accent)

	mood := report.Mood()
	d.line(marginX, 39, mood.Glyph()+" "+mood.Words(), style{size: 10.5, bold: true, color: moodColor(mood)}, inner)
	verdict := style{size: 17, bold: true, color: ink()}
	d.y = 40.5
	for _, line := range d.fonts.wrap(report.Verdict(), verdict, inner, 3) {
		d.y += verdict.lineHeight()
		d.draw(marginX, d.y-1.5, line, verdict)
	}
	d.y += 2
	d.paragraph(facts(report), style{size: 8.5, color: muted()})
	d.tiles(report)
	for _, a := range report.Run.Alerts[:min(coverAlerts, len(report.Run.Alerts))] {
		d.callout("! "+a.Text, bad())
	}
	d.rest(coverAlerts, len(report.Run.Alerts), "alerts")
	for _, n := range o.Notices[:min(coverNotices, len(o.Notices))] {
		d.callout(n, warn())
	}
	d.rest(coverNotices, len(o.Notices), "notices")
	return d.trend(report)
}

// The cover has room for so many alerts and notices; the others stand in the notes.
const coverAlerts, coverNotices = 6, 3

// rest says how many of a list do not stand on the cover.
func (d *document) rest(shown, all int, nouns string) {
	if more := state.MoreOf(min(shown, all), all, nouns); more != "" {
		d.paragraph(more+" The others stand in the notes.", small())
	}
}

// facts says in a line which run it is.
func facts(report state.Report) string {
	run := report.Run
	parts := []string{fmt.Sprintf("Run %d of %s", run.ID, run.StartedAt.Format("2006-01-02 15:04 MST"))}
	if took := run.Took(); took != "" {
		parts = append(parts, "took "+took)
	}
	parts = append(parts, nonempty(run.Scanner.String())...)
	if p := report.Previous; p != nil {
		parts = append(parts, fmt.Sprintf("compared with run %d of %s", p.ID, p.StartedAt.Format("2006-01-02 15:04")))
	}
	if len(run.Only) > 0 {
		parts = append(parts, "only "+strings.Join(run.Only, " "))
	}
	if hash := report.HashLine(false); hash != "" {
		parts = append(parts, "h"+hash[1:])
	}
	return strings.Join(parts, ", ")
}

// tiles are the four numbers that count.
func (d *document) tiles(report state.Report) {
	open, unapproved := report.OpenPorts()
	const gap, height = 5.0, 20.0
	width := (inner - 3*gap) / 4
	d.room(height + 4)
	for i, tile := range []struct {
		value, label string
		attention    bool
	}{
		{strconv.Itoa(unapproved), "ports unapproved", unapproved > 0},
		{strconv.Itoa(len(report.Changes)), "changes in this run", false},
		{strconv.Itoa(open), "open ports", false},
		{fmt.Sprintf("%d/%d", report.Coverage.Answered, report.Coverage.Hosts), "hosts answered", report.Coverage.Answered < report.Coverage.Hosts},
	} {
		x := marginX + float64(i)*(width+gap)
		d.bar(x, d.y, width, height, shade())
		c := ink()
		if tile.attention {
			c = bad()
		}
		d.line(x+4, d.y+10.5, tile.value, style{size: 20, bold: true, color: c}, width-8)
		d.line(x+4, d.y+16, tile.label, style{size: 8.5, color: muted()}, width-8)
	}
	d.y += height + 4
}

// callout is a line that must not be missed.
func (d *document) callout(text string, c color) {
	s := style{size: 8.5, bold: true, color: c}
	lines := d.fonts.wrap(text, s, inner-8, 3)
	height := float64(len(lines))*s.lineHeight() + 3
	d.room(height + 2)
	d.bar(marginX, d.y, inner, height, shade())
	d.bar(marginX, d.y, 1.2, height, c)
	y := d.y + 1
	for _, line := range lines {
		y += s.lineHeight()
		d.draw(marginX+4, y-0.8, line, s)
	}
	d.y += height + 2
}

// The contents stand to the right of the chart.
const contentsWidth, contentsGap = 62.0, 9.0

// trend puts the chart below, as large as there is room for it, and keeps a place for the
// contents beside it.
func (d *document) trend(report state.Report) error {
	const title, least, largest = 8.0, 52.0, 80.0
	d.room(title + least)
	d.contents = contents{sheet: d.sheet(), x: pageWidth - marginX - contentsWidth, y: d.y, width: contentsWidth}
	height := min(largest, bottom-d.y-title)
	width := inner - contentsWidth - contentsGap
	png, err := trend(report.Trend, int(chartWidth*height/width))
	if err != nil {
		return err
	}
	if png == nil {
		d.contents.x, d.contents.width = marginX, 2*contentsWidth
		return nil
	}
	d.line(marginX, d.y+5, "Open and unapproved ports over "+state.Count(len(report.Trend), "run", "runs"), style{size: 10, bold: true, color: d.accent}, width)
	d.sheet().images = append(d.sheet().images, picture{marginX, d.y + title, width, height, png})
	return nil
}

// contents is the place of the list of the sections, which is made when all their pages
// are known.
type contents struct {
	sheet       *sheet
	x, y, width float64
}

// list writes the contents.
func (d *document) list() {
	c := d.contents
	here := &document{fonts: d.fonts, sheets: []*sheet{c.sheet}}
	here.line(c.x, c.y+5, "Contents", style{size: 10, bold: true, color: d.accent}, c.width)
	y := c.y + 8
	for _, m := range d.marks {
		y += 5
		here.line(c.x, y, m.title, plain(), c.width-12)
		here.right(c.x+c.width, y, strconv.Itoa(m.page+1), plain())
		here.bar(c.x, y+1.4, c.width, 0.15, hair())
	}
}
