package access

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// How many passwords may be wrong in how much time: for one user from one address, and
// from one address whoever it tries to be. Other users and addresses notice nothing.
const (
	failuresOfUser    = 5
	failuresOfAddress = 30
	failureSpan       = time.Minute
)

// suspect is who tries a password: a name, from an address.
type suspect struct {
	name string
	from netip.Addr
}

// failures remembers the tries of the last minute that did not succeed. A try counts
// from its beginning, so that many at once are not more than many in turn.
type failures struct {
	mu        sync.Mutex
	users     map[suspect][]time.Time
	addresses map[netip.Addr][]time.Time
	swept     time.Time
}

func newFailures() *failures {
	return &failures{users: map[suspect][]time.Time{}, addresses: map[netip.Addr][]time.Time{}}
}

// suspectOf folds the addresses of one IPv6 network into one: who has one of them has
// them all.
func suspectOf(name string, from netip.Addr) suspect {
	const longest, network = 64, 64
	if from = from.Unmap(); from.Is6() {
		if p, err := from.WithZone("").Prefix(network); err == nil {
			from = p.Addr()
		}
	}
	return suspect{name[:min(len(name), longest)], from}
}

// wait returns how long a suspect has to wait; 0: not at all.
func (f *failures) wait(s suspect, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waitLocked(s, now)
}

func (f *failures) waitLocked(s suspect, now time.Time) time.Duration {
	return max(waitOf(f.users[s], failuresOfUser, now), waitOf(f.addresses[s.from], failuresOfAddress, now))
}

// waitOf returns when the oldest of so many tries is over.
func waitOf(tries []time.Time, most int, now time.Time) time.Duration {
	if tries = recent(tries, now); len(tries) < most {
		return 0
	}
	return tries[len(tries)-most].Add(failureSpan).Sub(now)
}

// recent returns the tries of the last minute, which are in order.
func recent(tries []time.Time, now time.Time) []time.Time {
	since := now.Add(-failureSpan)
	i, _ := slices.BinarySearchFunc(tries, since, func(t, since time.Time) int {
		if t.After(since) {
			return 1
		}
		return -1
	})
	return tries[i:]
}

// begin counts a try, unless the suspect has to wait.
func (f *failures) begin(s suspect, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if wait := f.waitLocked(s, now); wait > 0 {
		return wait
	}
	f.sweep(now)
	f.users[s] = append(slices.Clone(recent(f.users[s], now)), now)
	f.addresses[s.from] = append(slices.Clone(recent(f.addresses[s.from], now)), now)
	return 0
}

// forgive takes back a try that began at a time and was none: the password was right, or
// could not be checked. After a right one, those before it are forgotten too.
func (f *failures) forgive(s suspect, at time.Time, right bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	without := func(tries []time.Time) []time.Time {
		if i := slices.IndexFunc(tries, at.Equal); i >= 0 {
			return slices.Delete(slices.Clone(tries), i, i+1)
		}
		return tries
	}
	f.addresses[s.from] = without(f.addresses[s.from])
	if f.users[s] = without(f.users[s]); right {
		delete(f.users, s)
	}
}

// sweep forgets, once a minute, what is over.
func (f *failures) sweep(now time.Time) {
	if now.Sub(f.swept) < failureSpan {
		return
	}
	f.swept = now
	for s, tries := range f.users {
		if len(recent(tries, now)) == 0 {
			delete(f.users, s)
		}
	}
	for a, tries := range f.addresses {
		if len(recent(tries, now)) == 0 {
			delete(f.addresses, a)
		}
	}
}
