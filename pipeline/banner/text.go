package banner

import (
	"bytes"
	"iter"
	"strings"
)

// Telnet's commands (RFC 854).
const (
	telnetSE   = 240
	telnetSB   = 250
	telnetWill = 251
	telnetIAC  = 255
)

// isText says whether words are lines of text, perhaps among Telnet's negotiations.
func isText(said []byte) bool {
	if said[0] == telnetIAC {
		return true
	}
	for _, b := range said {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != 0x1b && b != '\f' && b != '\b' && b != 0 || b == 0x7f {
			return false
		}
	}
	return said[0] != 0
}

// textParts are the options that Telnet negotiates and the masked words of the
// first lines.
func textParts(said []byte, own string) []string {
	parts, rest := telnet(said)
	lines := 0
	for line := range bytes.Lines(rest) {
		words := mask(string(line), own)
		if len(words) == 0 {
			continue
		}
		parts = append(append(parts, words...), "\n")
		if lines++; lines == maxLines {
			break
		}
	}
	return parts
}

// telnet parts negotiations, without the content of subnegotiations, from text.
func telnet(said []byte) (options []string, text []byte) {
	for i := 0; i < len(said); i++ {
		switch {
		case said[i] != telnetIAC || i+1 == len(said):
			text = append(text, said[i])
		case said[i+1] == telnetSB:
			end := bytes.Index(said[i:], []byte{telnetIAC, telnetSE})
			if end < 0 {
				return options, text
			}
			options = append(options, string(said[i+1:min(i+3, len(said))]))
			i += end + 1
		case said[i+1] >= telnetWill && said[i+1] != telnetIAC && i+2 < len(said):
			options = append(options, string(said[i+1:i+3]))
			i += 2
		default:
			i++
		}
	}
	return options, text
}

// groups parts bytes into short groups: long enough that random ones never match
// by chance, short enough that what stands before a salt is kept.
func groups(said []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 0; i < len(said); i += groupLen {
			if !yield(string(said[i:min(i+groupLen, len(said))])) {
				return
			}
		}
	}
}

// collapse makes one space of any white space.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }
