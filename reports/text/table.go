package text

import "ownmap/pipeline/state"

// gap is the space between two columns.
const gap = 2

// column is one column of a table. Where the terminal is too narrow, columns
// with a floor are cut down to it, the widest first; others never are.
type column struct {
	title string
	floor int
	right bool // numbers
}

// table is aligned by display width. A row may have a heading instead of cells:
// it stands alone on its line and takes no part in the alignment.
type table struct {
	columns []column
	rows    []row
	indent  string
}

type row struct {
	heading []span
	cells   []span
}

func (t *table) add(cells ...span)     { t.rows = append(t.rows, row{cells: clean(cells)}) }
func (t *table) heading(spans ...span) { t.rows = append(t.rows, row{heading: spans}) }

func clean(cells []span) []span {
	for i := range cells {
		cells[i].text = state.Clean(cells[i].text)
	}
	return cells
}

// write adds the table to a page, with its head if the columns have titles.
func (t *table) write(p *page) {
	widths := t.widths(p.options.Width)
	head := make([]span, len(t.columns))
	titled := false
	for i, c := range t.columns {
		head[i] = span{c.title, dim}
		titled = titled || c.title != ""
	}
	if titled {
		t.writeRow(p, head, widths)
	}
	for _, r := range t.rows {
		if r.heading != nil {
			p.line(r.heading...)
			continue
		}
		t.writeRow(p, r.cells, widths)
	}
}

func (t *table) writeRow(p *page, cells []span, widths []int) {
	last := len(cells) - 1
	for last > 0 && cells[last].text == "" {
		last--
	}
	spans := make([]span, 0, 2*len(cells))
	spans = append(spans, span{t.indent, plain})
	for i, c := range cells[:last+1] {
		text := cut(c.text, widths[i])
		fill := pad("", widths[i]-width(text))
		if t.columns[i].right {
			spans = append(spans, span{fill, plain}, span{text, c.style})
		} else {
			spans = append(spans, span{text, c.style}, span{fill, plain})
		}
		if i < last {
			spans = append(spans, span{pad("", gap), plain})
		}
	}
	p.line(spans...)
}

// widths returns the widths of the columns that fit into limit; 0 is no limit.
func (t *table) widths(limit int) []int {
	widths := make([]int, len(t.columns))
	total := width(t.indent) + gap*(len(t.columns)-1)
	for i, c := range t.columns {
		widths[i] = width(c.title)
		for _, r := range t.rows {
			if r.cells != nil {
				widths[i] = max(widths[i], width(r.cells[i].text))
			}
		}
		total += widths[i]
	}
	for limit > 0 && total > limit {
		widest := -1
		for i, c := range t.columns {
			if c.floor > 0 && widths[i] > c.floor && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		total--
	}
	return widths
}
