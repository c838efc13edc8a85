package export

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// safe keeps spreadsheets from running a cell (OWASP, CSV injection): an apostrophe
// stands before what begins like a formula, whatever nobody can see is before it. The
// same goes for what would begin a cell or a line if the table were read with another
// separator than the comma, as spreadsheets do in some countries.
func safe(cell string) string {
	if plain(cell) {
		return cell
	}
	var b strings.Builder
	written, start := 0, 0 // bytes of the cell; where what may be a cell begins
	begins := true         // it is all unseen so far
	for i, r := range cell {
		switch {
		case begins && (isFormula(r) || start == 0 && strings.ContainsRune("\t\r\n", r)):
			b.WriteString(cell[written:start] + "'")
			written, begins = start, false
		case begins && isUnseen(r) && !isSeparator(r):
		default:
			begins = false
		}
		if isSeparator(r) {
			begins, start = true, i+utf8.RuneLen(r)
		}
	}
	if b.Len() == 0 {
		return cell
	}
	b.WriteString(cell[written:])
	return b.String()
}

// plain says whether a cell is such that nothing in it can begin a formula, as most are.
func plain(cell string) bool {
	for i := range len(cell) {
		if c := cell[i]; c < ' ' || c > '~' || c == ';' || c == '|' {
			return false
		}
	}
	return cell == "" || !strings.ContainsRune(" =+-@", rune(cell[0]))
}

// isFormula says whether a spreadsheet takes what begins so for a formula.
func isFormula(r rune) bool { return strings.ContainsRune("=+-@＝＋－＠", r) }

// isSeparator says whether some reader ends a cell or a line there, in quotes or not.
func isSeparator(r rune) bool { return strings.ContainsRune(";|\t\r\n\v\f\u0085\u2028\u2029", r) }

// isUnseen says whether a character shows nothing, so that a spreadsheet or a person
// may overlook it: a space, a control or a format character, what is no UTF-8.
func isUnseen(r rune) bool {
	return r == unicode.ReplacementChar || !unicode.IsGraphic(r) || unicode.IsSpace(r) ||
		unicode.In(r, unicode.Zs, unicode.Cf, unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point)
}
