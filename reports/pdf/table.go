package pdf

// column is a column of a table.
type column struct {
	title  string
	width  float64 // millimetres; the columns of a table are inner wide together
	most   int     // lines of a cell; 0: cellLines
	number bool    // set to the right
}

// cell is a text with its style.
type cell struct {
	text  string
	style style
}

// put is a cell as most are; quiet one that matters less; loud one that matters more.
func put(text string) cell   { return cell{text, plain()} }
func quiet(text string) cell { return cell{text, style{size: plain().size, color: muted()}} }
func loud(text string, c color) cell {
	return cell{text, style{size: plain().size, bold: true, color: c}}
}
func joint(text string, c color) cell { return cell{text, style{size: plain().size, color: c}} }

// The distances within a table, in millimetres.
const (
	padX, padY = 1.4, 0.55
	cellLines  = 4
)

// table is a table in the making: its head is repeated on every page.
type table struct {
	d       *document
	columns []column
	group   string // the sub-head that is in force; repeated on the next page
	rows    int
}

// table begins a table.
func (d *document) table(columns ...column) *table {
	t := &table{d: d, columns: columns}
	d.room(18)
	t.head()
	return t
}

func (t *table) head() {
	d := t.d
	s := style{size: 7.5, bold: true, color: muted()}
	height := s.lineHeight() + 2*padY
	d.bar(marginX, d.y, inner, height, shade())
	x := marginX
	for _, c := range t.columns {
		if c.number {
			d.right(x+c.width-padX, d.y+height-padY-1.0, c.title, s)
		} else {
			d.line(x+padX, d.y+height-padY-1.0, c.title, s, c.width-2*padX)
		}
		x += c.width
	}
	d.y += height
}

// under sets a sub-head over the rows that follow: the host whose rows they are.
func (t *table) under(title string, c color) {
	s := style{size: plain().size, bold: true, color: c}
	height := s.lineHeight() + 2*padY
	if t.d.room(height + 2*plain().lineHeight() + 4*padY) {
		t.head()
		t.rows = 0
	}
	t.group = title
	t.subhead(title, s, height)
}

func (t *table) subhead(title string, s style, height float64) {
	d := t.d
	if t.rows > 0 {
		d.bar(marginX, d.y, inner, 0.15, hair())
	}
	d.line(marginX+padX, d.y+height-padY-1.0, title, s, inner-2*padX)
	d.y += height
	t.rows++
}

// row sets a row; it is never split between two pages.
func (t *table) row(cells ...cell) {
	d := t.d
	lines, height := make([][]string, len(cells)), 0.0
	for i, c := range cells {
		most := t.columns[i].most
		if most == 0 {
			most = cellLines
		}
		lines[i] = d.fonts.wrap(c.text, c.style, t.columns[i].width-2*padX, most)
		height = max(height, float64(len(lines[i]))*c.style.lineHeight())
	}
	height = max(height, plain().lineHeight()) + 2*padY
	if d.room(height) {
		t.head()
		t.rows = 0
		if t.group != "" {
			s := style{size: plain().size, bold: true, color: muted()}
			t.subhead(t.group+" (continued)", s, s.lineHeight()+2*padY)
		}
	}
	if t.rows > 0 {
		d.bar(marginX, d.y, inner, 0.15, hair())
	}
	x := marginX
	for i, c := range cells {
		y := d.y + padY
		for _, line := range lines[i] {
			y += c.style.lineHeight()
			left := x + padX
			if t.columns[i].number {
				left = x + t.columns[i].width - padX - d.fonts.measure(line, c.style)
			}
			d.draw(left, y-1.0, line, c.style)
		}
		x += t.columns[i].width
	}
	d.y += height
	t.rows++
}

// end closes the table, and says what it leaves out.
func (t *table) end(more string) {
	t.d.bar(marginX, t.d.y, inner, 0.15, hair())
	t.d.y += 2
	if more != "" {
		t.d.paragraph(more, small())
	}
}
