package banner

import (
	"slices"
	"strings"
)

// masked stands for what changes from one connection to the next.
const masked = "#"

// mask returns the words of a line with everything masked that varies: dates and
// times, our own address, ids, salts and blobs. Versions stay.
func mask(line, own string) []string {
	if own != "" {
		line = strings.ReplaceAll(line, own, masked)
	}
	words := strings.Fields(line)
	stamps := make([]bool, len(words))
	for i, word := range words {
		stamps[i] = isStamp(word)
	}
	for i, word := range words {
		// "23" before "Nov", and what follows in "Nov 23 12:28:37 2026 CET".
		before := i+1 < len(words) && isStamp(words[i+1]) && isNumber(word, 2)
		after := i > 0 && stamps[i-1] && (isNumber(word, 4) || isZone(word))
		stamps[i] = stamps[i] || before || after
	}
	var out []string
	for i, word := range words {
		if !stamps[i] {
			out = append(out, maskWord(word))
		} else if len(out) == 0 || out[len(out)-1] != masked {
			out = append(out, masked)
		}
	}
	return out
}

// isStamp says whether a word is surely part of a date or time.
func isStamp(word string) bool {
	bare := strings.ToLower(strings.Trim(word, ",.;()[]<>\""))
	if len(bare) < 3 {
		return false
	}
	if slices.Contains([]string{
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
		"january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december",
		"mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
	}, bare) {
		return true
	}
	shape := shapeOf(bare)
	for _, start := range []string{"9:99", "99:99", "9999-99-99", "9999/99/99", "9/9/9999", "99/99/9999", "9/99/9999", "99/9/9999", "99.99.9999", "99/aaa/9999", "99-aaa-9999", "9-aaa-9999", "99999999a999999"} {
		if rest, is := strings.CutPrefix(shape, start); is && (rest == "" || !isLetterOrDigit(rest[0]) || rest[0] == 'a') {
			return true
		}
	}
	return shape == "+9999" || shape == "-9999"
}

// shapeOf has a 9 for every digit and an a for every letter.
func shapeOf(word string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return '9'
		case r >= 'a' && r <= 'z':
			return 'a'
		}
		return r
	}, word)
}

// isNumber says whether a word is a whole number of so many digits at most.
func isNumber(word string, digits int) bool {
	bare := strings.Trim(word, ",.;)")
	return bare != "" && len(bare) <= digits && strings.Trim(bare, "0123456789") == ""
}

// isZone says whether a word after a time can be its zone or half of the day.
func isZone(word string) bool {
	bare := strings.Trim(word, "(),;.")
	return len(bare) >= 2 && len(bare) <= 5 && strings.Trim(bare, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" || bare == "am" || bare == "pm" || bare == "Z"
}

// maskWord masks ids and blobs inside a word.
func maskWord(word string) string {
	// The stamp of POP3: <process.clock@host> (RFC 1939, section 7).
	if at := strings.IndexByte(word, '@'); at > 0 && word[0] == '<' {
		return masked + word[at:]
	}
	if inner, ok := strings.CutPrefix(word, "["); ok && isNumber(strings.TrimRight(inner, "]:"), 10) {
		return masked // a process, as in inetd [1234]
	}
	for _, key := range []string{"id", "pid", "sid", "session", "nonce", "token", "ticket", "challenge", "salt", "ts", "uptime"} {
		if before, _, ok := strings.Cut(word, "="); ok && strings.EqualFold(before, key) {
			return before + "=" + masked
		}
	}
	var out strings.Builder
	for i := 0; i < len(word); {
		if n := uuidLen(word[i:]); n > 0 {
			out.WriteString(masked)
			i += n
			continue
		}
		n := 0
		for i+n < len(word) && isLetterOrDigit(word[i+n]) {
			n++
		}
		if n == 0 {
			out.WriteByte(word[i])
			i++
			continue
		}
		dotted := i > 0 && word[i-1] == '.' || i+n+1 < len(word) && word[i+n] == '.' && isDigit(word[i+n+1])
		if isBlob(word[i:i+n], dotted) {
			out.WriteString(masked)
		} else {
			out.WriteString(word[i : i+n])
		}
		i += n
	}
	return out.String()
}
