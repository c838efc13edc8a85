package text

import (
	"io"

	"ownmap/pipeline/state"
)

// TestSteps writes what a test of a target tried, one step a line, with the remedy below
// what failed.
func TestSteps(w io.Writer, steps []state.TestStep, options Options) error {
	p := &page{options: options}
	if len(steps) == 0 {
		p.line(span{"nothing to test", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{{}, {}, {}, {floor: 20}}}
	for _, s := range steps {
		look, address := green, ""
		switch s.Outcome {
		case state.TestFailed:
			look = red
		case state.TestSkipped:
			look = dim
		case state.TestOK:
		}
		if s.Address != nil {
			address = s.Address.String()
		}
		t.add(span{string(s.Outcome), look}, span{address, plain}, span{s.Name, plain}, span{s.Says, plain})
		if s.Remedy != "" {
			t.add(span{"", plain}, span{"", plain}, span{"", plain}, span{s.Remedy, dim})
		}
	}
	t.write(p)
	return p.writeTo(w)
}
