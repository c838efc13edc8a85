// Package export writes reports for programs: JSON with stable snake_case keys
// and CSV. Times are RFC 3339 in UTC, null (an empty cell) stands for nothing.
package export

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// write writes v as indented JSON with a newline at its end. "<" and "&" in
// banners stay as they are: the output is no HTML.
func write(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
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
