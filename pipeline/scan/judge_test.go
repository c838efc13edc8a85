package scan

import (
	"net/netip"
	"slices"
	"testing"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	host := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}) }
	hosts := func(n int) (all []netip.Addr) {
		for i := range n {
			all = append(all, host(i))
		}
		return all
	}
	on := func(n, asked, lost int) map[netip.Addr]canaries {
		all := map[netip.Addr]canaries{}
		for _, a := range hosts(n) {
			all[a] = canaries{asked, lost}
		}
		return all
	}
	one := on(100, 5, 0)
	one[host(7)] = canaries{5, 5}
	for name, c := range map[string]struct {
		evidence evidence
		want     verdict
	}{
		"nothing known":                  {evidence{rate: 5000, hosts: 100}, verdict{}},
		"all canaries there":             {evidence{rate: 5000, hosts: 100, canaries: on(100, 5, 0), fair: 500}, verdict{clean: true}},
		"too few canaries to speed up":   {evidence{rate: 5000, hosts: 100, canaries: on(10, 1, 0), fair: 10}, verdict{}},
		"some lost by chance":            {evidence{rate: 5000, hosts: 100, canaries: on(5, 100, 2), fair: 500}, verdict{clean: true, share: .02}},
		"many lost":                      {evidence{rate: 5000, hosts: 100, canaries: on(100, 5, 1), fair: 500}, verdict{repeat: true, share: .2}},
		"many lost though slow":          {evidence{rate: politeEnough, hosts: 100, canaries: on(100, 5, 1), fair: 500}, verdict{share: .2}},
		"one host lost all":              {evidence{rate: 5000, hosts: 100, canaries: one, fair: 500}, verdict{clean: true, share: .01, alone: []netip.Addr{host(7)}}},
		"nmap warns, nothing known":      {evidence{rate: 5000, hosts: 100, capped: hosts(10), unanswered: .1}, verdict{repeat: true}},
		"nmap warns, canaries there":     {evidence{rate: 5000, hosts: 100, capped: hosts(10), unanswered: .1, canaries: on(100, 5, 0), fair: 500}, verdict{clean: true}},
		"nmap warns, all answered":       {evidence{rate: 5000, hosts: 100, capped: hosts(10), unanswered: .001}, verdict{}},
		"nmap warns of one host":         {evidence{rate: 5000, hosts: 10, capped: hosts(1), unanswered: .5}, verdict{alone: hosts(1)}},
		"refusals lost":                  {evidence{rate: 5000, hosts: 100, doubted: doubted{asked: 10000, lost: 2000, hosts: hosts(90)}}, verdict{repeat: true, share: .2}},
		"refusals lost by chance":        {evidence{rate: 5000, hosts: 100, doubted: doubted{asked: 10000, lost: 50, hosts: hosts(40)}}, verdict{}},
		"refusals lost, only hasty seen": {evidence{rate: 5000, hosts: 100, canaries: on(100, 2, 0), doubted: doubted{asked: 10000, lost: 2000, hosts: hosts(90)}}, verdict{repeat: true, share: .2}},
		"refusals limited by hosts":      {evidence{rate: 5000, hosts: 100, canaries: on(100, 2, 0), fair: 200, doubted: doubted{asked: 10000, lost: 2000, hosts: hosts(90)}}, verdict{clean: true}},
		"one host limits refusals":       {evidence{rate: 5000, hosts: 10, doubted: doubted{asked: 10000, lost: 700, hosts: hosts(1)}}, verdict{share: .07, alone: hosts(1)}},
	} {
		got := judge(c.evidence)
		if got.repeat != c.want.repeat || got.share != c.want.share || got.clean != c.want.clean || !slices.Equal(got.alone, c.want.alone) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
