package load

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"ownmap/pipeline/state"
)

// readTargetList reads targets as nmap's -iL does (nmap(1), "Target
// specification"): separated by white space, a # begins a comment that ends with
// the line. name is the file's name for mistakes, which are Errors. A target
// that is listed twice is returned once; at has the line of each. Beside mistakes
// stand the targets that are none.
func readTargetList(r io.Reader, name string) (specs []state.Spec, at []int, err error) {
	if name == "-" {
		name = "stdin"
	}
	found := faults{file: name}
	seen := map[state.Spec]bool{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	line := 0
	for lines.Scan() {
		line++
		text, _, _ := strings.Cut(lines.Text(), "#")
		for word := range strings.FieldsSeq(text) {
			spec, err := state.ParseSpec(word)
			if err != nil {
				found.addErr(line, err)
			} else if !seen[spec] {
				seen[spec] = true
				specs, at = append(specs, spec), append(at, line)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("%s:%d: %w; is it a list of targets?", name, line+1, err)
	}
	return specs, at, found.err()
}
