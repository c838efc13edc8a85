package state

// Comparison is the difference between any two states: two runs, two points in
// time, or two nmap XML files.
type Comparison struct {
	A, B       string // what was compared, as the user called it
	Changes    []Change
	Coverage   Totals // of B
	Unapproved *int   // open ports without an approval in B; nil: not known, as of files
	Notes      []string
}
