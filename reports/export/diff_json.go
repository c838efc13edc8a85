package export

import (
	"io"

	"ownmap/pipeline/state"
)

// diffJSON is a comparison as scripts see it.
type diffJSON struct {
	A          string       `json:"a"`
	B          string       `json:"b"`
	Changes    []changeJSON `json:"changes"`
	Coverage   state.Totals `json:"coverage"`             // of b
	Unapproved *int         `json:"unapproved,omitempty"` // absent where approvals are not known, as of files
	Notes      []string     `json:"notes"`
}

// DiffJSON writes a comparison.
func DiffJSON(w io.Writer, c state.Comparison) error {
	return write(w, diffJSON{A: c.A, B: c.B, Changes: changesOf(c.Changes), Coverage: c.Coverage, Unapproved: c.Unapproved, Notes: list(c.Notes)})
}
