package nmapxml

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// resolve returns a text with its references resolved and its line ends made one
// byte (https://www.w3.org/TR/xml/, 2.11 and 4.6): as it stands in the buffer if
// there is nothing to do. It fails on what is no character of XML.
func (s *Scanner) resolve(raw []byte) ([]byte, error) {
	if n := plain(raw, '<'); n < len(raw) {
		return s.rewrite(raw, n)
	}
	return raw, nil
}

// plain returns how many bytes at the beginning stand for themselves, up to the
// given end.
func plain(raw []byte, end byte) int {
	for i, c := range raw {
		if c == end || c >= utf8.RuneSelf || c == '&' || c == '<' || (c < ' ' && c != '\n' && c != '\t') {
			return i
		}
	}
	return len(raw)
}

// rewrite resolves a text of which the first n bytes stand for themselves.
func (s *Scanner) rewrite(raw []byte, n int) ([]byte, error) {
	from := len(s.scratch)
	out := append(s.scratch, raw[:n]...) //nolint:gocritic // it becomes scratch below, unless it is refused
	for i := n; i < len(raw); {
		r, size := rune(raw[i]), 1
		switch {
		case r == '&':
			var err error
			if r, size, err = reference(raw[i:]); err != nil {
				return nil, err
			}
		case r == '<':
			return nil, broken("unescaped < inside quoted string")
		case r == '\r':
			r = '\n'
			if i+1 < len(raw) && raw[i+1] == '\n' {
				size = 2
			}
		case r >= utf8.RuneSelf:
			if r, size = utf8.DecodeRune(raw[i:]); r == utf8.RuneError && size == 1 {
				return nil, broken("invalid UTF-8")
			}
		}
		if !isCharacter(r) {
			return nil, broken(fmt.Sprintf("illegal character code %U", r))
		}
		out = utf8.AppendRune(out, r)
		i += size
	}
	s.scratch = out
	return out[from:len(out):len(out)], nil
}

// reference reads the reference at the beginning of a text and returns the
// character that it stands for and its length in bytes.
func reference(raw []byte) (r rune, size int, err error) {
	end := bytes.IndexByte(raw, ';')
	if end < 0 {
		return 0, 0, broken("invalid character entity (no semicolon)")
	}
	body := raw[1:end]
	switch string(body) {
	case "lt":
		return '<', end + 1, nil
	case "gt":
		return '>', end + 1, nil
	case "amp":
		return '&', end + 1, nil
	case "apos":
		return '\'', end + 1, nil
	case "quot":
		return '"', end + 1, nil
	}
	if digits, numeric := bytes.CutPrefix(body, []byte{'#'}); numeric {
		digits, hex := bytes.CutPrefix(digits, []byte{'x'})
		base := 10
		if hex {
			base = 16
		}
		n, err := strconv.ParseUint(string(digits), base, 64)
		if err == nil && n <= unicode.MaxRune {
			if !utf8.ValidRune(rune(n)) {
				return utf8.RuneError, end + 1, nil // a surrogate, as encoding/xml has it
			}
			return rune(n), end + 1, nil
		}
	}
	return 0, 0, broken(fmt.Sprintf("invalid character entity &%.40s;", body))
}

// isCharacter says whether XML 1.0 allows a character (2.2, Char).
func isCharacter(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r >= 0xd800 && r < 0xe000, r == 0xfffe, r == 0xffff:
		return false
	}
	return true
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// cutName cuts the name off the beginning of a tag's text, and the prefix of a
// name space off the name: nil if there is no name.
func cutName(b []byte) (qualified, name, rest []byte) {
	n := 0
	for n < len(b) && (b[n]-'a' < 26 || b[n] == '_') {
		n++
	}
	if n > 0 && n < len(b) && !isNameByte(b[n]) { // as most names are
		return b[:n], b[:n], b[n:]
	}
	for n < len(b) && isNameByte(b[n]) {
		n++
	}
	if n == 0 || !isName(b[:n]) {
		return nil, nil, nil
	}
	name = b[:n]
	if i := bytes.IndexByte(name, ':'); i > 0 && i < n-1 {
		name = name[i+1:]
	}
	return b[:n], name, b[n:]
}

// isName says whether name bytes make a name.
func isName(b []byte) bool {
	if bytes.Count(b, []byte{':'}) > 1 || b[0] == '-' || b[0] == '.' || (b[0] >= '0' && b[0] <= '9') {
		return false
	}
	if !bytes.ContainsFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return true
	}
	// nmap writes no such names: encoding/xml knows which letters a name may have.
	_, err := xml.NewDecoder(strings.NewReader("<" + string(b) + "/>")).RawToken()
	return err == nil
}

func isNameByte(c byte) bool {
	return (c|0x20)-'a' < 26 || c-'0' < 10 || c == '_' || c == ':' || c == '.' || c == '-' || c >= utf8.RuneSelf
}
