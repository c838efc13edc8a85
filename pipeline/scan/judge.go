package scan

import (
	"net/netip"
	"slices"
)

// What a slice is judged by.
const (
	enoughCanaries = 20   // to take their answers for proof of a good rate
	manyCanaries   = 100  // to believe them rather than hosts that refuse
	fewCanaries    = 5    // to believe them rather than nmap's own warning
	politeEnough   = 500  // packets a second: loss at this rate is not ours
	unansweredMost = .005 // share of a host's ports that chance may leave without an answer
	fewHosts       = 20   // one of so many hosts may be lossy by itself
)

// evidence is what a slice showed of the link. A canary is a port that is known
// open; it is lost if the slice missed it and it answered when it was asked again
// slowly: a service that was stopped proves nothing.
type evidence struct {
	rate       int // that the slice was scanned at, over all that ran beside it
	hosts      int
	canaries   map[netip.Addr]canaries
	capped     []netip.Addr // hosts on which nmap gave up because packets are lost
	unanswered float64      // share of the ports of these hosts that had no answer
	fair       int          // canaries that nmap does not ask before all other ports
	doubted    doubted
}

type canaries struct{ asked, lost int }

// verdict says what is to be done with a slice.
type verdict struct {
	repeat bool         // throw it away, slow down, scan it again
	share  float64      // of the canaries that were lost
	alone  []netip.Addr // these hosts lose packets by themselves: scan them again, slower, and keep the rest
	clean  bool         // enough canaries say that the rate was good
}

// judge tells loss on the link, which asks for a slower pace, from loss by
// chance and from hosts that limit what they answer by themselves.
func judge(e evidence) verdict {
	total := canaries{}
	var lossy, lost []netip.Addr
	for a, c := range e.canaries {
		total.asked, total.lost = total.asked+c.asked, total.lost+c.lost
		if c.lost > 0 {
			lost = append(lost, a)
		}
		if c.lost >= 2 && 2*c.lost >= c.asked {
			lossy = append(lossy, a)
		}
	}
	v := verdict{}
	if total.asked > 0 {
		v.share = float64(total.lost) / float64(total.asked)
	}
	overload := total.lost > lossByChance(total.asked)
	jammed := 20*len(e.capped) > e.hosts && e.unanswered > unansweredMost &&
		(total.asked < fewCanaries || 100*total.lost > total.asked)
	// Hosts may limit how often they refuse; then many canaries show the link to be fine.
	deaf := float64(e.doubted.lost) > unansweredMost*float64(e.doubted.asked) &&
		(e.fair < manyCanaries || 100*total.lost > total.asked)
	if deaf {
		v.share = max(v.share, float64(e.doubted.lost)/float64(e.doubted.asked))
	}
	switch {
	case overload && few(lost, e.hosts):
		v.alone = lost
	case jammed && !overload && few(e.capped, e.hosts):
		v.alone = slices.Clone(e.capped)
	case deaf && !overload && !jammed && few(e.doubted.hosts, e.hosts):
		v.alone = slices.Clone(e.doubted.hosts)
	case overload || jammed || deaf:
		v.repeat = e.rate > politeEnough
	case few(lossy, e.hosts):
		v.alone = lossy
	}
	slices.SortFunc(v.alone, netip.Addr.Compare)
	v.clean = !overload && !jammed && !deaf && total.asked >= enoughCanaries
	return v
}

// lossByChance returns how many of so many ports the losses of any link explain.
func lossByChance(of int) int { return 2 + of/50 }

// few says whether these hosts are so few that the others show the link to be
// fine.
func few(some []netip.Addr, hosts int) bool {
	return len(some) > 0 && 20*len(some) <= max(hosts, fewHosts) && hosts >= 4
}
