package load

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// draft is a plan in the making.
type draft struct {
	targets    []state.Target
	answers    map[state.Spec]answer
	exclude    []state.Spec
	excluded   addressSet
	known      map[spot]bool
	hosts      []state.PlannedHost
	at         map[spot]int         // where in hosts
	named      map[state.Spec][]int // of each name: where in hosts
	unresolved []state.UnresolvedTarget
}

// spot is the identity of a host: its address as seen from a vantage.
type spot struct {
	vantage string
	address netip.Addr
}

func newDraft(targets []state.Target, known []state.KnownHost, answers map[state.Spec]answer, exclude []state.Spec) *draft {
	d := &draft{
		targets: targets, answers: answers, exclude: exclude, excluded: newAddressSet(exclude),
		known: make(map[spot]bool, len(known)), at: map[spot]int{}, named: map[state.Spec][]int{},
	}
	bySpec := map[string][]state.KnownHost{}
	for _, k := range known {
		d.known[spot{vantageOr(k.Vantage), k.Address}] = true
		bySpec[k.Spec] = append(bySpec[k.Spec], k)
	}
	targets = bySpecificity(targets)
	for _, t := range targets {
		if t.Spec.Kind() != state.SpecName {
			for address := range t.Spec.Addresses() {
				d.add(t, address)
			}
			continue
		}
		for _, address := range answers[t.Spec].addresses {
			d.add(t, address)
		}
	}
	for _, t := range targets {
		if err := answers[t.Spec].err; err != nil {
			d.addUnresolved(t, bySpec[t.Spec.String()], err)
		}
	}
	return d
}

// add plans an address, unless it is excluded or a more specific target did.
func (d *draft) add(t state.Target, address netip.Addr) {
	if d.excluded.contain(address) {
		return
	}
	where := spot{vantageOr(t.Vantage), address}
	i, taken := d.at[where]
	if !taken {
		i = len(d.hosts)
		d.at[where] = i
		d.hosts = append(d.hosts, state.PlannedHost{
			Address: address, Target: t, Profile: cmp.Or(t.Profile, state.DefaultProfile),
			Vantage: where.vantage, Listed: d.known[where],
		})
	}
	if t.Spec.Single() {
		d.hosts[i].Listed = true
	}
	d.name(t, i)
}

// name gives a planned host the name of a target; the first one stays.
func (d *draft) name(t state.Target, i int) {
	if t.Spec.Kind() != state.SpecName {
		return
	}
	d.named[t.Spec] = append(d.named[t.Spec], i)
	if d.hosts[i].Name == "" {
		d.hosts[i].Name = t.Spec.String()
	}
}

// addUnresolved plans a name that gave no address. Its hosts of earlier runs are
// told as not scanned, but for those that another target holds: they are scanned
// under their name of before, because a DNS fault renames nobody.
func (d *draft) addUnresolved(t state.Target, known []state.KnownHost, err error) {
	u := state.UnresolvedTarget{Target: t, Err: state.Clean(err.Error())}
	for _, k := range known {
		where := spot{vantageOr(k.Vantage), k.Address}
		if where.vantage != vantageOr(t.Vantage) || d.excluded.contain(k.Address) {
			continue
		}
		if i, planned := d.at[where]; planned {
			d.name(t, i)
			continue
		}
		u.Known = append(u.Known, k)
	}
	slices.SortFunc(u.Known, func(a, b state.KnownHost) int { return a.Address.Compare(b.Address) })
	d.unresolved = append(d.unresolved, u)
}

// plan returns the draft in the order of a plan.
func (d *draft) plan(profiles map[string]state.Profile, limiter *limiter) state.Plan {
	for i := range d.hosts {
		d.hosts[i].Discover = !d.hosts[i].Listed
	}
	slices.SortFunc(d.hosts, func(a, b state.PlannedHost) int {
		return cmp.Or(strings.Compare(a.Vantage, b.Vantage), a.Address.Compare(b.Address))
	})
	for i, h := range d.hosts {
		d.hosts[i].Limits = limiter.of(h.Address)
	}
	slices.SortStableFunc(d.unresolved, func(a, b state.UnresolvedTarget) int {
		return cmp.Or(strings.Compare(vantageOr(a.Target.Vantage), vantageOr(b.Target.Vantage)),
			strings.Compare(a.Target.Spec.String(), b.Target.Spec.String()))
	})
	return state.Plan{Hosts: d.hosts, Unresolved: d.unresolved, Profiles: profiles}
}

func vantageOr(name string) string { return cmp.Or(name, state.DefaultVantage) }
