package persist

import (
	"cmp"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"
)

// idRange is a run of host numbers, both ends included.
type idRange struct{ first, last int64 }

// hostSet is a set of host numbers: sorted ranges that neither overlap nor
// touch, as the ledger has them.
type hostSet []idRange

// multirange is PostgreSQL's int8multirange.
type multirange = pgtype.Multirange[pgtype.Range[pgtype.Int8]]

// hostSetOf reads a multirange in its canonical form: lower ends included,
// upper ends not, and none of them open.
func hostSetOf(m multirange) hostSet {
	set := make(hostSet, len(m))
	for i, r := range m {
		set[i] = idRange{r.Lower.Int64, r.Upper.Int64 - 1}
	}
	return set
}

// hostsOf returns the set of the given numbers, which it sorts.
func hostsOf(ids []int64) hostSet {
	slices.Sort(ids)
	var set hostSet
	for _, id := range ids {
		set = set.add(idRange{id, id})
	}
	return set
}

// add appends a range that does not begin before the last one.
func (s hostSet) add(r idRange) hostSet {
	if n := len(s); n > 0 && r.first <= s[n-1].last+1 {
		s[n-1].last = max(s[n-1].last, r.last)
		return s
	}
	return append(s, r)
}

func (s hostSet) multirange() multirange {
	m := make(multirange, len(s))
	for i, r := range s {
		m[i] = pgtype.Range[pgtype.Int8]{
			Lower: pgtype.Int8{Int64: r.first, Valid: true}, LowerType: pgtype.Inclusive,
			Upper: pgtype.Int8{Int64: r.last, Valid: true}, UpperType: pgtype.Inclusive, Valid: true,
		}
	}
	return m
}

func (s hostSet) union(other hostSet) hostSet {
	all := slices.Concat(s, other)
	slices.SortFunc(all, func(a, b idRange) int { return cmp.Compare(a.first, b.first) })
	var out hostSet
	for _, r := range all {
		out = out.add(r)
	}
	return out
}

// intersect returns the numbers that are in both sets.
func (s hostSet) intersect(other hostSet) hostSet {
	var out hostSet
	for i, j := 0, 0; i < len(s) && j < len(other); {
		if first, last := max(s[i].first, other[j].first), min(s[i].last, other[j].last); first <= last {
			out = out.add(idRange{first, last})
		}
		if s[i].last < other[j].last {
			i++
		} else {
			j++
		}
	}
	return out
}

// minus returns the numbers that are not in the other set.
func (s hostSet) minus(other hostSet) hostSet {
	var out hostSet
	j := 0
	for _, r := range s {
		for j < len(other) && other[j].last < r.first {
			j++
		}
		for k := j; k < len(other) && other[k].first <= r.last; k++ {
			if other[k].first > r.first {
				out = out.add(idRange{r.first, other[k].first - 1})
			}
			r.first = max(r.first, other[k].last+1)
		}
		if r.first <= r.last {
			out = out.add(r)
		}
	}
	return out
}

func (s hostSet) count() int {
	n := int64(0)
	for _, r := range s {
		n += r.last - r.first + 1
	}
	return int(n)
}

func (s hostSet) contains(id int64) bool {
	i, exact := slices.BinarySearchFunc(s, id, func(r idRange, id int64) int { return cmp.Compare(r.first, id) })
	return exact || (i > 0 && id <= s[i-1].last)
}

// ids returns the numbers in rising order.
func (s hostSet) ids() []int64 {
	ids := make([]int64, 0, s.count())
	for _, r := range s {
		for id := r.first; id <= r.last; id++ {
			ids = append(ids, id)
		}
	}
	return ids
}

// seats are hosts by the number of the vantage from which they are seen.
type seats map[int16]hostSet

func (s seats) has(at seat) bool { return s[at.vantage].contains(at.host) }

// ids returns the numbers of all hosts, whatever their vantage.
func (s seats) ids() []int64 {
	var all hostSet
	for _, set := range s {
		all = all.union(set)
	}
	return all.ids()
}

func (s seats) add(vantage int16, set hostSet) { s[vantage] = s[vantage].union(set) }

// seatsOf returns the set of the given hosts.
func seatsOf(list []seat) seats {
	ids := make(map[int16][]int64)
	for _, at := range list {
		ids[at.vantage] = append(ids[at.vantage], at.host)
	}
	set := make(seats, len(ids))
	for vantage, of := range ids {
		set[vantage] = hostsOf(of)
	}
	return set
}
