// Package diff compares two states of the network. It is pure, and the same
// code serves a run against what is known and one nmap XML file against
// another.
package diff

import "ownmap/pipeline/state"

// Outcome is what became of a comparison.
type Outcome struct {
	Changes []state.Change // in state.CompareChanges order
	// Blind is set when so many known hosts fell silent at once that the fault is
	// more likely on the scanner's own side: then none of them is declared down.
	Blind *Blind
}

// Blind counts the hosts that fell silent at once.
type Blind struct {
	Silent int // hosts that were up and are silent now
	Up     int // hosts that were up and were asked
}
