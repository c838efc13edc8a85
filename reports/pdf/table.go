package pdf

// column is a column of a table.
type column struct {
	title  string
	width  float64 // millimetres; the columns of a table are inner wide together
	most   int     // lines of a cell; 0: cellLines
	number bool    // set to the right
	label  bool    // "name (address)": whatever the name, the address is shown
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

// table is a table in the making: its head is repeated on every page. Head and sub-head
// wait for the first row below them, so that neither ever stands alone at a page's foot.
type table struct {
	d       *document
	columns []column
	group   cell // the sub-head that is in force; repeated on the next page
	fresh   bool // it was not yet set
	begun   bool // the head stands on this page
	rows    int  // on this page, sub-heads among them
}

// table begins a table.
func (d *document) table(columns ...column) *table { return &table{d: d, columns: columns} }

func headStyle() style { return style{size: 7.5, bold: true, color: muted()} }

func (t *table) head() {
	d := t.d
	s := headStyle()
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
func (t *table) under(title string, c color) { t.group, t.fresh = loud(title, c), true }

func (c cell) height(lines int) float64 { return float64(lines)*c.style.lineHeight() + 2*padY }

// subhead sets the sub-head that is in force.
func (t *table) subhead(c cell) {
	d := t.d
	if t.rows > 0 {
		d.bar(marginX, d.y, inner, 0.15, hair())
	}
	d.line(marginX+padX, d.y+c.height(1)-padY-1.0, c.text, c.style, inner-2*padX)
	d.y += c.height(1)
	t.rows++
}

// row sets a row; it is never split between two pages.
func (t *table) row(cells ...cell) {
	d := t.d
	lines, height := make([][]string, len(cells)), put("").height(1)
	for i, c := range cells {
		most, width := t.columns[i].most, t.columns[i].width-2*padX
		if most == 0 {
			most = cellLines
		}
		if t.columns[i].label {
			c.text = d.fonts.label(c.text, c.style, width, most)
		}
		lines[i] = d.fonts.wrap(c.text, c.style, width, most)
		height = max(height, c.height(len(lines[i])))
	}
	needs := height
	if t.fresh {
		needs += t.group.height(1)
	}
	if !t.begun {
		needs += headStyle().lineHeight() + 2*padY
	}
	if d.room(needs) || !t.begun {
		t.begun, t.rows = true, 0
		t.head()
		if t.group.text != "" && !t.fresh {
			t.subhead(loud(d.fonts.label(t.group.text, t.group.style, inner-2*padX-24, 1)+" (continued)", muted()))
		}
	}
	if t.fresh {
		t.fresh = false
		t.subhead(cell{d.fonts.label(t.group.text, t.group.style, inner-2*padX, 1), t.group.style})
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
