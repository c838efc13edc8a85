package index

import (
	"cmp"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// sums are what is counted once for each index.
type sums struct {
	open, unapproved []int32 // of each host
	mostOpen         int     // of a host
	figures          Figures
	waiting          map[string][]int // unapproved ports of each owner by the revision that first knew of them
	oldest           int32            // place of the unapproved port that was seen first; -1: none
}

// Figures count ports.
type Figures struct {
	Open       int
	Unapproved int // of them
	Drifted    int // of these
	Snoozed    int // of these
	Stale      int // of all ports
}

func (x *Index) sum() sums {
	s := sums{open: make([]int32, len(x.Hosts)), unapproved: make([]int32, len(x.Hosts)), waiting: make(map[string][]int), oldest: -1}
	for h := range x.Hosts {
		var waiting []int
		for i := x.start[h]; i < x.start[h+1]; i++ {
			p := &x.ports[i]
			if p.Flags&state.FlagStale != 0 {
				s.figures.Stale++
			}
			if p.Flags&state.FlagOpen == 0 {
				continue
			}
			s.open[h]++
			if p.Flags.Unapproved() {
				if waiting == nil {
					if waiting = s.waiting[x.Hosts[h].Owner]; waiting == nil {
						waiting = make([]int, len(x.Times))
						s.waiting[x.Hosts[h].Owner] = waiting
					}
				}
				s.unapproved[h]++
				waiting[p.First]++
				s.add(x, i)
			}
		}
		s.mostOpen = max(s.mostOpen, int(s.open[h]))
		s.figures.Open += int(s.open[h])
		s.figures.Unapproved += int(s.unapproved[h])
	}
	return s
}

// add counts an unapproved port.
func (s *sums) add(x *Index, at int32) {
	p := &x.ports[at]
	if p.Flags&state.FlagDrifted != 0 {
		s.figures.Drifted++
	}
	if p.Flags&state.FlagSnoozed != 0 {
		s.figures.Snoozed++
	}
	if s.oldest < 0 || x.Time(p.First).Before(x.Time(x.ports[s.oldest].First)) {
		s.oldest = at
	}
}

// Figures returns what there is of all hosts.
func (x *Index) Figures() Figures { return x.sums().figures }

// Oldest returns the place of the unapproved port that was seen first, of several the
// first in the order of lists; -1: none is unapproved.
func (x *Index) Oldest() int32 { return x.sums().oldest }

// OpenOf returns how many ports of a host are open, and how many of them unapproved.
func (x *Index) OpenOf(host int) (open, unapproved int) {
	s := x.sums()
	return int(s.open[host]), int(s.unapproved[host])
}

// Waiting counts the unapproved ports of each owner by age as of a time, the most first.
func (x *Index) Waiting(now time.Time) []state.Waiting {
	var list []state.Waiting
	for owner, byRev := range x.sums().waiting {
		w := state.Waiting{Owner: owner}
		for rev, n := range byRev {
			if n > 0 {
				w.Count(x.Times[rev], now, n)
			}
		}
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b state.Waiting) int { return cmp.Or(cmp.Compare(b.All, a.All), cmp.Compare(a.Owner, b.Owner)) })
	return list
}
