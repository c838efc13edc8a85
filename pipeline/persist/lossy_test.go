package persist

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// lossy is a network whose packets get lost: a first look misses ports and whole
// hosts that are there, and asking again finds them.
type lossy struct {
	rng   *rand.Rand
	hosts []state.Host // as they really are
}

func newLossy(t *testing.T) *lossy {
	t.Helper()
	l := &lossy{rng: rand.New(rand.NewPCG(5, 1))}
	for i := range 20 {
		h := answers(t, netip.AddrFrom4([4]byte{127, 8, 0, byte(1 + i)}).String(), "22/tcp ssh OpenSSH", "80/tcp http nginx", "443/tcp https nginx", "993/tcp imaps Dovecot")
		l.hosts = append(l.hosts, h)
	}
	return l
}

// change opens or closes port 25 of some host, and returns what is to be told.
func (l *lossy) change(t *testing.T) (host int, kind state.Kind) {
	t.Helper()
	host = l.rng.IntN(len(l.hosts))
	h := &l.hosts[host]
	smtp := answers(t, "127.0.0.1", "25/tcp smtp Postfix").Ports[0]
	ports := slices.Clone(h.Ports)
	if i := slices.IndexFunc(ports, func(p state.PortStatus) bool { return p.Port == smtp.Port }); i >= 0 {
		h.Ports = slices.Delete(ports, i, i+1)
		return host, state.PortClosed
	}
	h.Ports = slices.Insert(ports, 1, smtp)
	return host, state.PortOpened
}

// look is a first look; what changed is always seen.
func (l *lossy) look(t *testing.T, changed int) []state.Host {
	t.Helper()
	var seen []state.Host
	dark := 0
	for i, h := range l.hosts {
		if i != changed && dark < 2 && l.rng.IntN(20) == 0 {
			seen, dark = append(seen, silent(t, h.Address.String())), dark+1
			continue
		}
		h.Ports = slices.DeleteFunc(slices.Clone(h.Ports), func(p state.PortStatus) bool { return p.Number != 25 && l.rng.IntN(20) == 0 })
		seen = append(seen, h)
	}
	return seen
}

// askAgain answers a confirm shard with the truth.
func (l *lossy) askAgain(t *testing.T, shard state.Shard) []state.Host {
	t.Helper()
	var seen []state.Host
	for _, asked := range shard.Hosts {
		i := slices.IndexFunc(l.hosts, func(h state.Host) bool { return h.Address == asked.Address })
		h := l.hosts[i]
		var settled []uint16
		for _, p := range asked.Ask {
			settled = append(settled, p.Number)
		}
		if asked.Ask[0] == (state.Port{}) {
			settled = []uint16{22, 80, 443, 993}
		}
		h = only(t, h, state.PortsOf(settled...).String())
		h.Ports = slices.DeleteFunc(slices.Clone(h.Ports), func(p state.PortStatus) bool { return !slices.Contains(settled, p.Number) })
		seen = append(seen, h)
	}
	return seen
}

// TestLossTellsNothing has 30 nights on a network that loses packets, with one
// real change each: it is told in the same night, and nothing else is.
func TestLossTellsNothing(t *testing.T) {
	t.Parallel()
	book, l := locked(t, open(t)), newLossy(t)
	one(l.hosts...).pass(t, book)
	doubts := 0
	for night := range 30 {
		host, kind := l.change(t)
		run := one(l.look(t, host)...).stage(t, book)
		was, now, err := book.Differing(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		asks := diff.Doubts(was, now)
		doubts += len(asks)
		again(t, book, run, state.WorkConfirm, asks)
		for _, shard := range undone(t, book, run) {
			result(t, book, shard, l.askAgain(t, shard)...)
		}
		if c := finishRun(t, book, run).Changes; len(c) != 1 || c[0].Kind != kind || c[0].Address != l.hosts[host].Address || c[0].Port.Number != 25 {
			t.Fatalf("night %d: changes %+v, want %s of 25/tcp of %s", night, c, kind, l.hosts[host].Address)
		}
	}
	if doubts < 100 {
		t.Errorf("%d doubts in all nights: too few to show anything", doubts)
	}
	truth := model{}
	truth.see(one(l.hosts...))
	if got := current(t, book); !got.equal(truth) {
		t.Errorf("known at the end:\n%v\nwant\n%v", got, truth)
	}
	checkInvariants(t, book)
}
