// Package export writes reports for programs: JSON with stable snake_case keys
// and CSV. Times are RFC 3339 in UTC, null (an empty cell) stands for nothing.
package export

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"ownmap/pipeline/state"
)

// write writes v as indented JSON with a newline at its end. "<" and "&" in
// banners stay as they are: the output is no HTML. What would do something to a
// terminal, or cannot be seen, is escaped: the same text for who parses it.
func write(w io.Writer, v any) error {
	text, err := encoded(v, "", "  ")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, text+"\n"); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// encoded returns v as JSON. Without an indent it is one line.
func encoded(v any, prefix, indent string) (string, error) {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetIndent(prefix, indent)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("write JSON: %w", err)
	}
	return visible(strings.TrimSuffix(text.String(), "\n")), nil
}

// visible escapes characters within JSON as RFC 8259 has it (section 7): \u202e, and
// two of them for what is beyond U+FFFF.
func visible(text string) string {
	if state.Visible(text) == text {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf && r != 0x7f || state.Visible(string(r)) == string(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// utc returns a time as scripts want it, to the second, or null for none.
func utc(t *time.Time) *string {
	if t == nil || t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}

// list returns an empty list for nil: scripts iterate over it without a test.
func list[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
