package scan

import (
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// banner returns the first line that a service sent which nmap could not name,
// cleaned, from nmap's service fingerprint: for an unknown service it is all
// that a reader can go by. It returns the empty string if there is none.
//
// The form of a fingerprint is that of nmap's "service fingerprint" in
// https://nmap.org/book/vscan-community.html: SF-Port...%r(PROBE,LENGTH,"DATA")
// with the data escaped as in a C string.
func banner(fingerprint string) string {
	_, response, found := strings.Cut(fingerprint, "%r(")
	if !found {
		return ""
	}
	_, response, found = strings.Cut(response, `"`)
	if !found {
		return ""
	}
	line, _, _ := strings.Cut(unescape(response), "\n")
	return state.Clean(strings.TrimSpace(line))
}

// unescape reads escaped data up to the closing quote or the first zero byte,
// and no more than what is kept of any text.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && s[i] != '"' && b.Len() <= state.MaxText; i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '0':
			return b.String()
		case 'x':
			if i+2 >= len(s) {
				return b.String()
			}
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
			}
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
