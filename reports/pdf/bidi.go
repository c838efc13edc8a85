package pdf

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/bidi"
)

// visual returns a line in the order in which it is seen, in a paragraph that goes from
// left to right (Unicode Annex 9, revision 48, less the explicit formats: state.Clean
// lets none through). The library has the classes of the characters; its own order takes
// the direction of a paragraph from its first letter, whatever it is told, and does not
// pair brackets, so that an address behind a Hebrew name falls apart.
func visual(line string) string {
	if !strings.ContainsFunc(line, rightToLeft) {
		return line
	}
	runes := []rune(line)
	levels := levelsOf(runes)
	for i := 0; i < len(runes); i++ {
		if levels[i] != 1 {
			continue
		}
		runes[i] = mirrored(runes[i])
		letter := i
		for i+1 < len(runes) && levels[i+1] == 1 && classOf(runes[i+1]) == bidi.NSM {
			i++
		}
		slices.Reverse(runes[letter : i+1]) // L3: turned round again below, the marks follow their letter
	}
	for _, least := range []int{2, 1} { // L2
		for begin := 0; begin < len(runes); begin++ {
			end := begin
			for end < len(runes) && levels[end] >= least {
				end++
			}
			slices.Reverse(runes[begin:end])
			slices.Reverse(levels[begin:end])
			begin = max(begin, end)
		}
	}
	return string(runes)
}

// rightToLeft says whether a character makes others go from right to left.
func rightToLeft(r rune) bool {
	switch classOf(r) { //nolint:exhaustive // the others do not
	case bidi.R, bidi.AL, bidi.AN:
		return true
	}
	return false
}

func classOf(r rune) bidi.Class {
	p, _ := bidi.LookupRune(r)
	return p.Class()
}

// mirrored returns the bracket that a bracket looks like from behind.
func mirrored(r rune) rune {
	if r == '<' || r == '>' {
		return '<' + '>' - r
	}
	return []rune(bidi.ReverseString(string(r)))[0]
}

// levelsOf returns the embedding level of each character: 0 from left to right, 1 from
// right to left, 2 for a number among the latter.
func levelsOf(runes []rune) []int {
	classes := make([]bidi.Class, len(runes))
	for i, r := range runes {
		classes[i] = classOf(r)
	}
	weak(classes)
	pair(runes, classes)
	neutral(classes)
	levels := make([]int, len(runes))
	for i, class := range classes { // I1
		switch class { //nolint:exhaustive // L alone is left
		case bidi.R:
			levels[i] = 1
		case bidi.EN, bidi.AN:
			levels[i] = 2
		}
	}
	return levels
}

// weak resolves numbers and what belongs to them: rules W1 to W7.
func weak(classes []bidi.Class) {
	strong, before := bidi.L, bidi.L
	for i, class := range classes {
		switch class { //nolint:exhaustive // the others stay
		case bidi.NSM:
			class = before
		case bidi.EN:
			if strong == bidi.AL {
				class = bidi.AN
			}
		case bidi.L, bidi.R, bidi.AL:
			strong = class
		}
		classes[i], before = class, class
	}
	for i, class := range classes {
		if class == bidi.AL {
			classes[i] = bidi.R
		}
		if i == 0 || i+1 == len(classes) || classes[i-1] != classes[i+1] {
			continue
		}
		if around := classes[i-1]; class == bidi.CS && (around == bidi.EN || around == bidi.AN) || class == bidi.ES && around == bidi.EN {
			classes[i] = around
		}
	}
	for i := 0; i < len(classes); i++ {
		end := i
		for end < len(classes) && classes[end] == bidi.ET {
			end++
		}
		if i > 0 && classes[i-1] == bidi.EN || end < len(classes) && classes[end] == bidi.EN {
			for ; i < end; i++ {
				classes[i] = bidi.EN
			}
		}
		i = max(i, end-1)
	}
	strong = bidi.L
	for i, class := range classes {
		switch class { //nolint:exhaustive // neutral, or a number of its own
		case bidi.L, bidi.R:
			strong = class
		case bidi.EN:
			if strong == bidi.L {
				classes[i] = bidi.L
			}
		case bidi.AN:
		default:
			classes[i] = bidi.ON
		}
	}
}

// side is the direction that a character gives to what has none.
func side(class bidi.Class) bidi.Class {
	if class == bidi.EN || class == bidi.AN {
		return bidi.R
	}
	return class
}

// pair gives both brackets of a pair one direction: rule N0.
func pair(runes []rune, classes []bidi.Class) {
	var open []int
	var pairs [][2]int
	for i, r := range runes {
		p, _ := bidi.LookupRune(r)
		switch {
		case classes[i] != bidi.ON || !p.IsBracket():
		case p.IsOpeningBracket():
			open = append(open, i)
		default:
			for j := len(open) - 1; j >= 0; j-- {
				if mirrored(runes[open[j]]) == r {
					pairs = append(pairs, [2]int{open[j], i})
					open = open[:j]
					break
				}
			}
		}
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return a[0] - b[0] })
	for _, p := range pairs {
		within := bidi.ON
		for _, class := range classes[p[0]+1 : p[1]] {
			if class = side(class); class == bidi.L {
				within = class
				break
			} else if class == bidi.R {
				within = class
			}
		}
		if within == bidi.R && before(classes, p[0]) != bidi.R {
			within = bidi.L
		}
		if within != bidi.ON {
			classes[p[0]], classes[p[1]] = within, within
		}
	}
}

// before is the direction of the last character in front of i that has one.
func before(classes []bidi.Class, i int) bidi.Class {
	for i--; i >= 0; i-- {
		if class := side(classes[i]); class != bidi.ON {
			return class
		}
	}
	return bidi.L
}

// neutral gives what is left a direction: that of both sides where they agree, else that
// of the paragraph (rules N1 and N2).
func neutral(classes []bidi.Class) {
	for i := 0; i < len(classes); i++ {
		end := i
		for end < len(classes) && classes[end] == bidi.ON {
			end++
		}
		if end == i {
			continue
		}
		to := bidi.L
		if before(classes, i) == bidi.R && end < len(classes) && side(classes[end]) == bidi.R {
			to = bidi.R
		}
		for ; i < end; i++ {
			classes[i] = to
		}
		i--
	}
}
