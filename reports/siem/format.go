package siem

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"ownmap/pipeline/state"
)

// MaxFrame is how many bytes a syslog message has at most: what every receiver takes by
// RFC 5424, 6.1, RFC 5425, 4.3.1 and RFC 5426, 3.2.
const MaxFrame = 2048

// DefaultEnterprise is the private enterprise number of the structured data, which RFC
// 5612 keeps for examples: OwnMap has none of its own.
const DefaultEnterprise = 32473

// format makes syslog messages (RFC 5424).
type format struct {
	facility   int
	hostname   string // "-" where it is not known
	enterprise uint32
}

// frame writes an event as
//
//	<131>1 2026-10-03T02:04:00Z scanner ownmap - port-opened [ownmap@32473 id="run-3.ops.1-1" ...] web-1 (192.0.2.11): 8080/tcp port opened
//
// of MaxFrame bytes at most. The text is cut first; a parameter that has no room then is
// left out. The text begins with a byte order mark if it is not ASCII (RFC 5424, 6.4).
func (f format) frame(e Event) []byte {
	const forText = 512 + 3 // bytes: a text, and the mark before it
	var b strings.Builder
	fmt.Fprintf(&b, "<%d>1 %s %s ownmap - %s [ownmap@%d", f.facility*8+priority(e.Severity), e.Time, f.hostname, name(e.Kind), f.enterprise)
	for _, p := range parameters(e) {
		if part := " " + p[0] + `="` + escape(cut(p[1], 200)) + `"`; p[1] != "" && b.Len()+len(part)+len("] ")+forText <= MaxFrame {
			b.WriteString(part)
		}
	}
	b.WriteString("] ")
	if strings.ContainsFunc(e.Text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		b.WriteString("\ufeff")
	}
	b.WriteString(cut(e.Text, MaxFrame-b.Len()))
	return []byte(b.String())
}

// parameters returns names and values, the most important first.
func parameters(e Event) [][2]string {
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	list := [][2]string{
		{"id", e.ID},
		{"message", e.Message},
		{"event", e.Event},
		{"kind", e.Kind},
		{"severity", e.Severity},
		{"run", number(e.Run)},
		{"address", e.Address},
		{"protocol", e.Protocol},
		{"port", number(int64(e.Port))},
	}
	if e.New != nil {
		list = append(list, [2]string{"new", strconv.FormatBool(*e.New)})
	}
	if c := e.Counts; c != nil {
		for _, p := range []struct {
			name string
			n    int
		}{
			{"changes", c.Changes},
			{"findings", c.Findings},
			{"voided", c.Voided},
			{"open", c.Open},
			{"unapproved", c.Unapproved},
			{"hosts", c.Hosts},
			{"answered", c.Answered},
			{"silent", c.Silent},
			{"not_scanned", c.NotScanned},
			{"left_out", c.LeftOut},
		} {
			list = append(list, [2]string{p.name, strconv.Itoa(p.n)})
		}
	}
	return append(list, [][2]string{
		{"host", e.Host}, {"service", e.Service}, {"detail", e.Detail}, {"by", e.By}, {"group", e.Group}, {"vantage", e.Vantage}, {"link", e.Link},
	}...)
}

// priority maps to the severities of RFC 5424, 6.2.1: none is worse than critical, which
// concerns the system itself.
func priority(s string) int {
	switch state.Severity(s) {
	case state.Critical:
		return 2
	case state.High:
		return 3 // error
	case state.Medium:
		return 4 // warning
	case state.Low:
		return 5 // notice
	case state.Info:
	}
	return 6 // informational
}

// escape writes the value of a parameter (RFC 5424, 6.3.3).
func escape(value string) string {
	if !strings.ContainsAny(value, `\"]`) {
		return value
	}
	var b strings.Builder
	for i := range len(value) {
		if strings.IndexByte(`\"]`, value[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

// cut returns as many whole characters of a text as have room, with an ellipsis if that
// are not all.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := max(0, most-len("…"))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// name makes a text one of the names that a header has: printable ASCII in one word, at
// most 32 bytes, "-" for nothing.
func name(text string) string { return word(text, 32) }

func word(text string, most int) string {
	var b strings.Builder
	for _, r := range text {
		if r > ' ' && r < 0x7f && b.Len() < most {
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// facilityOf returns the number of a facility of RFC 5424, 6.2.1, that a program may use.
func facilityOf(text string) (int, error) {
	const names = "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp - - - - local0 local1 local2 local3 local4 local5 local6 local7"
	if text == "" {
		text = "local0"
	}
	for i, name := range strings.Fields(names) {
		if i > 0 && name != "-" && name == text {
			return i, nil
		}
	}
	return 0, fmt.Errorf("facility %q is none of user, daemon, auth, authpriv, local0 to local7 and the others of syslog", text)
}
