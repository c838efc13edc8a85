package siem

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// parsed is a syslog message as a receiver reads it that keeps to the letter of RFC 5424.
type parsed struct {
	facility, severity       int
	time                     time.Time
	host, app, proc, message string
	id                       string
	parameters               map[string]string
	text                     string
}

// header is the grammar of RFC 5424, 6, up to the structured data.
var header = regexp.MustCompile(`^<(0|[1-9]\d?|1[0-8]\d|19[01])>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) \[([^ =\]"]{1,32})`)

var parameterName = regexp.MustCompile(`^[a-z_]{1,32}$`)

func parse(frame []byte) (p parsed, err error) {
	if !utf8.Valid(frame) {
		return p, errors.New("no UTF-8")
	}
	if len(frame) > 2048 {
		return p, fmt.Errorf("%d bytes", len(frame))
	}
	all := string(frame)
	if i := strings.IndexFunc(all, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' }); i >= 0 {
		return p, fmt.Errorf("%q is a control character", all[i])
	}
	m := header.FindStringSubmatch(all)
	if m == nil {
		return p, errors.New("no header")
	}
	priority, _ := strconv.Atoi(m[1])
	p = parsed{facility: priority / 8, severity: priority % 8, host: m[3], app: m[4], proc: m[5], message: m[6], id: m[7], parameters: map[string]string{}}
	if p.time, err = time.Parse("2006-01-02T15:04:05.999999Z07:00", m[2]); err != nil {
		return p, err
	}
	rest := all[len(m[0]):]
	for strings.HasPrefix(rest, " ") {
		name, after, found := strings.Cut(rest[1:], `="`)
		if !found || !parameterName.MatchString(name) {
			return p, fmt.Errorf("parameter %q", name)
		}
		var value strings.Builder
		i := 0
		for ; i < len(after) && after[i] != '"'; i++ {
			switch {
			case after[i] == ']':
				return p, fmt.Errorf("%s: a bracket that is not escaped", name)
			case after[i] == '\\' && i+1 < len(after) && strings.IndexByte(`\"]`, after[i+1]) >= 0:
				i++
			case after[i] == '\\':
				return p, fmt.Errorf("%s: a backslash that is not escaped", name)
			}
			value.WriteByte(after[i])
		}
		if i == len(after) {
			return p, fmt.Errorf("%s has no end", name)
		}
		if _, twice := p.parameters[name]; twice {
			return p, fmt.Errorf("%s twice", name)
		}
		p.parameters[name], rest = value.String(), after[i+1:]
	}
	text, found := strings.CutPrefix(rest, "] ")
	if !found {
		return p, fmt.Errorf("%q after the structured data", rest)
	}
	whole, marked := strings.CutPrefix(text, "\ufeff")
	if ascii := strings.IndexFunc(whole, func(r rune) bool { return r >= 0x80 }) < 0; marked == ascii {
		return p, fmt.Errorf("byte order mark: %v, ASCII: %v", marked, ascii)
	}
	if p.text = whole; strings.Contains(whole, "\ufeff") {
		return p, errors.New("a second byte order mark")
	}
	return p, nil
}
