package pdf

// document is a PDF in the making: sheets, and where the next thing goes.
type document struct {
	fonts  *fonts
	accent color
	head   string // stands over every page but the first
	foot   string // stands under every page
	sheets []*sheet
	y      float64
	marks  []mark

	contents contents
}

// mark is an entry of the outline.
type mark struct {
	title string
	page  int     // from 0
	y     float64 // millimetres from the top
}

func (d *document) sheet() *sheet { return d.sheets[len(d.sheets)-1] }

// page begins a new page.
func (d *document) page() {
	words := 0
	if len(d.sheets) > 0 {
		words = len(d.sheet().words) + 4 // and the foot: most pages are like the one before
	}
	d.sheets = append(d.sheets, &sheet{words: make([]word, 0, words)})
	d.y = top
	if len(d.sheets) > 1 {
		d.line(marginX, 11, d.head, small(), inner)
		d.bar(marginX, 14, inner, 0.2, hair())
	}
}

// room begins a new page if the rest of this one is lower than height.
func (d *document) room(height float64) bool {
	if d.y+height <= bottom {
		return false
	}
	d.page()
	return true
}

func (d *document) bar(x, y, width, height float64, c color) {
	d.sheet().bars = append(d.sheet().bars, bar{x, y, width, height, c})
}

// line sets one line with its baseline at y, shortened to width.
func (d *document) line(x, y float64, text string, s style, width float64) {
	lines := d.fonts.wrap(text, s, width, 1)
	if len(lines) == 0 {
		return
	}
	d.draw(x, y, lines[0], s)
}

// right is line, ending at x.
func (d *document) right(x, y float64, text string, s style) {
	text = d.fonts.shown(text, s.bold)
	d.draw(x-d.fonts.measure(text, s), y, text, s)
}

// draw sets what is already shown and fits.
func (d *document) draw(x, y float64, text string, s style) {
	for _, run := range d.fonts.runs(text, s) {
		d.sheet().words = append(d.sheet().words, word{x, y, run, s})
		x += run.width
	}
}

// heading begins a section: it stands in the outline, and never at the foot of a page.
func (d *document) heading(title string) {
	const needs = 42 // with a line of text, the head of a table, and the highest row under a sub-head
	if d.y > top {
		d.y += 7
	}
	d.room(needs)
	d.marks = append(d.marks, mark{title, len(d.sheets) - 1, d.y})
	s := style{size: 13, bold: true, color: d.accent}
	d.y += 5
	d.line(marginX, d.y, title, s, inner)
	d.y += 4
}

// paragraph sets a text over the whole width.
func (d *document) paragraph(text string, s style) {
	const most = 12 // lines
	for _, line := range d.fonts.wrap(text, s, inner, most) {
		d.room(s.lineHeight())
		d.y += s.lineHeight()
		d.draw(marginX, d.y-0.3*s.lineHeight(), line, s)
	}
	d.y += 1.5
}

// bullets sets a list, and says how many of it are left out.
func (d *document) bullets(items []string, most int, more string) {
	for _, item := range items[:min(most, len(items))] {
		lines := d.fonts.wrap(item, plain(), inner-5, 12)
		d.room(float64(len(lines)) * plain().lineHeight())
		for i, line := range lines {
			d.y += plain().lineHeight()
			if i == 0 {
				d.draw(marginX, d.y-1, "•", plain())
			}
			d.draw(marginX+4, d.y-1, line, plain())
		}
	}
	if more != "" {
		d.paragraph(more, small())
	}
	d.y += 1
}

// finish writes the foot of every page, now that their number is known.
func (d *document) finish(number func(page, of int) string) {
	for i, s := range d.sheets {
		d.sheets[i] = s
		here := &document{fonts: d.fonts, sheets: []*sheet{s}}
		here.bar(marginX, 199, inner, 0.2, hair())
		here.line(marginX, 203, d.foot, small(), inner-40)
		here.right(pageWidth-marginX, 203, number(i+1, len(d.sheets)), small())
	}
}
