// Package diff compares two states of the network. It is pure, and the same
// code serves a run against what is known and one nmap XML file against
// another.
//
// Its one rule is that not observed is not closed: a port opens when nmap says
// open, and closes only where the coverage of the later state is evidence.
package diff

import (
	"cmp"
	"slices"

	"ownmap/pipeline/state"
)

// Outcome is what became of a comparison.
type Outcome struct {
	Changes []state.Change // in state.CompareChanges order
	// Blind is set when so many known hosts fell silent at once that the fault is
	// more likely on the scanner's own side: then none of them is declared down.
	Blind *Blind
	// Inside is what came of looking inside hosts; States knows nothing of it.
	Inside []Inside
}

// States returns what changed between two states of the same network. was is
// what was known: which hosts were up and which of their ports were open; its
// coverage is not read. now is what a later pass saw, with its coverage.
// Neither is modified; input in the order of state.SortHosts is compared in one
// linear pass, other input is sorted first.
//
// A host that is in was alone was not looked at and keeps its state. A host
// whose ports are known to be the same may come without any on both sides, but
// it must come: Blind is a share of all hosts that were up and were asked.
//
// Names that a host gains, or lists in another order, are no change: whoever
// keeps the state takes them from now.
func States(was, now []state.Host) Outcome {
	var out Outcome
	changes, silence := changesOf(was, now)
	out.Changes, out.Blind = silence.judge(changes)
	return out
}

// Between returns what is different between two states that are both known, in
// any order of time, in state.CompareChanges order. A host that one of them does
// not know was not there. None is Blind: a host that is down in a known state was
// judged to be down, and over a year many may be.
func Between(was, now []state.Host) []state.Change {
	changes, _ := changesOf(was, slices.Concat(now, Missing(was, now, true)))
	return changes
}

// changesOf returns the changes in order, and who fell silent.
func changesOf(was, now []state.Host) (changes []state.Change, silence ledger) {
	was, now = sorted(was), sorted(now)
	for len(now) > 0 {
		order := 1
		if len(was) > 0 {
			order = state.CompareHosts(was[0], now[0])
		}
		switch {
		case order < 0:
			was = was[1:]
		case order > 0:
			changes = appendHost(changes, &silence, state.Host{}, now[0])
			now = now[1:]
		default:
			changes = appendHost(changes, &silence, was[0], now[0])
			was, now = was[1:], now[1:]
		}
	}
	slices.SortFunc(changes, state.CompareChanges)
	return changes, silence
}

// sorted returns the hosts in state.CompareHosts order, each address once per
// vantage: of a host that is listed twice the one that says more is taken.
func sorted(hosts []state.Host) []state.Host {
	return inOrder(hosts, state.CompareHosts, func(a, b state.Host) int {
		return cmp.Compare(evidence(b), evidence(a))
	})
}

func evidence(h state.Host) int {
	switch h.Status() {
	case state.Answered:
		return 2
	case state.Silent:
		return 1
	case state.NotScanned:
		return 0
	}
	return 0
}

// sortedPorts returns the ports in order, each once; an open one wins.
func sortedPorts(ports []state.PortStatus) []state.PortStatus {
	return inOrder(ports, func(a, b state.PortStatus) int { return a.Compare(b.Port) }, func(a, b state.PortStatus) int {
		return cmp.Compare(a.State, b.State) // "open" comes before "open|filtered"
	})
}

// inOrder returns the list sorted and without doubles, itself if it is so
// already; prefer decides which of two equals is kept.
func inOrder[T any](list []T, compare, prefer func(a, b T) int) []T {
	strict := true
	for i := 1; i < len(list) && strict; i++ {
		strict = compare(list[i-1], list[i]) < 0
	}
	if strict {
		return list
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Or(compare(a, b), prefer(a, b)) })
	return slices.CompactFunc(list, func(a, b T) bool { return compare(a, b) == 0 })
}
