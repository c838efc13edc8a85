package diff

import (
	"slices"

	"ownmap/pipeline/state"
)

// Blind counts the hosts that fell silent at once, over the vantages where too
// many did.
type Blind struct {
	Silent   int      // hosts that were up and are silent now
	Up       int      // hosts that were up and were asked
	Vantages []string // the vantages that went blind, sorted
}

// A vantage is blind when more than blindPercent of its hosts, and at least
// blindHosts of them, fall silent at once.
const (
	blindPercent = 30
	blindHosts   = 3
)

// ledger counts per vantage; hosts come sorted by vantage.
type ledger []Blind

func (l *ledger) add(vantage string, silent bool) {
	if n := len(*l); n == 0 || (*l)[n-1].Vantages[0] != vantage {
		*l = append(*l, Blind{Vantages: []string{vantage}})
	}
	last := &(*l)[len(*l)-1]
	last.Up++
	if silent {
		last.Silent++
	}
}

// judge takes back the host-downs of every vantage that is blind and returns
// the sum over these vantages, or nil.
func (l ledger) judge(changes []state.Change) ([]state.Change, *Blind) {
	var sum Blind
	for _, b := range l {
		if b.Silent >= blindHosts && b.Silent*100 > b.Up*blindPercent {
			sum.Silent += b.Silent
			sum.Up += b.Up
			sum.Vantages = append(sum.Vantages, b.Vantages...)
		}
	}
	if sum.Up == 0 {
		return changes, nil
	}
	return slices.DeleteFunc(changes, func(c state.Change) bool {
		return c.Kind == state.HostDown && slices.Contains(sum.Vantages, c.Vantage)
	}), &sum
}
