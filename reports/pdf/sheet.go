package pdf

import (
	"strconv"
)

// color is red, green and blue.
type color [3]uint8

// The page, in millimetres: A4, landscape, for tables are wide.
const (
	pageWidth, pageHeight = 297.0, 210.0
	marginX               = 14.0
	top, bottom           = 19.0, 194.0 // of what stands between head and foot
	inner                 = pageWidth - 2*marginX
)

// sheet is a page on which everything has its place. Maroto's own rows and columns
// neither break long words nor repeat the head of a table.
type sheet struct {
	bars   []bar
	words  []word
	images []picture
}

// bar is a filled rectangle.
type bar struct {
	x, y, width, height float64
	color               color
}

// word is a run at its place; y is its baseline.
type word struct {
	x, y  float64
	run   run
	style style
}

// picture is a PNG that fills its place.
type picture struct {
	x, y, width, height float64
	data                []byte
}

// inPoints turns millimetres into points.
func inPoints(millimetres float64) float64 { return millimetres * 72 / 25.4 }

// draw appends the operators that draw the bars and words of a sheet (ISO 32000-1, 8.5
// and 9.4) with fonts of these names. Maroto has the same done by gofpdf, which names the
// font and the colour again with every word, at ten times the length of the word.
func (s *sheet) draw(to []byte, names map[*face]string) []byte {
	for _, b := range s.bars { // a filled rectangle is a thick line through its middle
		to = b.color.operands(to)
		to = append(operands(append(to, "RG "...), inPoints(b.height)), "w "...)
		y := inPoints(pageHeight - b.y - b.height/2)
		to = append(operands(to, inPoints(b.x), y), "m "...)
		to = append(operands(to, inPoints(b.x+b.width), y), "l S\n"...)
	}
	to = append(to, "BT\n"...)
	var last word
	for i, w := range s.words {
		if i == 0 || w.run.face != last.run.face || w.style.size != last.style.size {
			to = append(append(append(to, '/'), names[w.run.face]...), ' ')
			to = append(operands(to, w.style.size), "Tf\n"...)
		}
		if i == 0 || w.style.color != last.style.color {
			to = append(w.style.color.operands(to), "rg\n"...)
		}
		to = append(operands(append(to, "1 0 0 1 "...), inPoints(w.x), inPoints(pageHeight-w.y)), "Tm "...)
		to = append(literal(to, w.run.text), " Tj\n"...)
		last = w
	}
	return append(to, "ET\n"...)
}

// operands appends numbers, to a hundredth.
func operands(to []byte, numbers ...float64) []byte {
	for _, n := range numbers {
		to = append(strconv.AppendFloat(to, n, 'f', 2, 64), ' ')
	}
	return to
}

func (c color) operands(to []byte) []byte {
	for _, part := range c {
		to = append(strconv.AppendFloat(to, float64(part)/255, 'f', 3, 64), ' ')
	}
	return to
}

// literal appends a text in UTF-16 without a byte order mark, the codes of the fonts that
// gofpdf embeds, as a literal string (ISO 32000-1, 7.3.4.2). It has no character beyond
// lastRune.
func literal(to []byte, text string) []byte {
	to = append(to, '(')
	for _, r := range text {
		for _, b := range [2]byte{byte(r >> 8), byte(r)} {
			switch b {
			case '(', ')', '\\':
				to = append(to, '\\', b)
			case '\r':
				to = append(to, `\r`...)
			default:
				to = append(to, b)
			}
		}
	}
	return append(to, ')')
}
