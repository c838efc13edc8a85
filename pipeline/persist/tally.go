package persist

import (
	"cmp"
	"slices"

	"ownmap/queries"
)

// tally counts the open and approved ports of each host while steps of time go
// by.
type tally struct {
	steps []queries.CountPortsRow // sorted by step; those before are counted
	hosts map[int16][]hostTally   // of each vantage, by rising number
}

type hostTally struct {
	id             int64
	open, approved int
}

func newTally(steps []queries.CountPortsRow) *tally {
	t := &tally{steps: steps, hosts: make(map[int16][]hostTally)}
	for _, s := range steps {
		t.hosts[s.VantageID] = append(t.hosts[s.VantageID], hostTally{id: s.HostID})
	}
	for vantage, list := range t.hosts {
		slices.SortFunc(list, func(a, b hostTally) int { return cmp.Compare(a.id, b.id) })
		t.hosts[vantage] = slices.Compact(list)
	}
	return t
}

// find returns the place of the first host whose number is not below id.
func (t *tally) find(vantage int16, id int64) int {
	i, _ := slices.BinarySearchFunc(t.hosts[vantage], id, func(h hostTally, id int64) int { return cmp.Compare(h.id, id) })
	return i
}

// advance counts all that came and went up to a step.
func (t *tally) advance(step int32) {
	for len(t.steps) > 0 && t.steps[0].Step <= step {
		s := t.steps[0]
		t.steps = t.steps[1:]
		h := &t.hosts[s.VantageID][t.find(s.VantageID, s.HostID)]
		h.open += int(s.Open)
		h.approved += int(s.Approved)
	}
}

// within returns how many ports of some hosts are open, and how many of them
// nobody approved.
func (t *tally) within(wanted seats) (open, unapproved int) {
	for vantage, set := range wanted {
		list := t.hosts[vantage]
		for _, r := range set {
			for i := t.find(vantage, r.first); i < len(list) && list[i].id <= r.last; i++ {
				open += list[i].open
				unapproved += list[i].open - list[i].approved
			}
		}
	}
	return open, unapproved
}
