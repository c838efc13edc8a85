package text

import (
	"fmt"
	"io"

	"ownmap/pipeline/state"
)

// Verification writes what came of comparing the hashes of runs.
func Verification(w io.Writer, v state.Verification, options Options) error {
	p := &page{options: options}
	for _, d := range v.Deviations {
		p.text(d.String(), "", red)
	}
	p.text(v.Words(), "", bold)
	for _, line := range v.Remarks() {
		p.text(line, "", plain)
	}
	if v.Head != "" {
		p.line(span{fmt.Sprintf("run %d: %s", v.Last, v.Head), plain})
	}
	return p.writeTo(w)
}
