package scan

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Bounds of the rate, in packets a second.
const (
	startRate = 5000 // where a link is met of which nothing is known
	minRate   = 100  // the slowest that loss makes it, unless the cap is lower
)

// budget shares out the packets a second that are sent by all nmaps and banners
// of this process, or of the hosts with limits of their own, which draw on the
// common one too. Its rate follows what the link carries, up to the cap. Whoever
// asks first is served first. Make it with newBudget.
type budget struct {
	parent  *budget // nil: the common one
	cap     int
	mu      sync.Mutex
	rate    int
	used    int
	knee    int // from here on the rate grows by a tenth; below it, it doubles
	slowed  int // how often loss lowered the rate
	queue   []*grant
	changed chan struct{} // closed when something may have become free
	granted float64       // packets that could be sent so far: what was in use, times how long
	since   time.Time     // when that was reckoned up
}

func newBudget(limit int, parent *budget) *budget {
	b := &budget{parent: parent, cap: max(1, limit), rate: min(max(1, limit), startRate), knee: max(1, limit), changed: make(chan struct{})}
	if parent != nil {
		b.rate = b.cap // it was asked for by people who know these hosts
	}
	return b
}

// start sets the rate to one that was learned, and the knee; 0 is not known.
func (b *budget) start(rate, knee int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if rate > 0 {
		b.rate = min(max(rate, minRate), b.cap)
	}
	if knee > 0 {
		b.knee = min(max(b.rate, knee), b.cap)
	}
	b.wake()
}

// learned returns what start is to be given the next time.
func (b *budget) learned() (rate, knee int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.slowed == 0 && b.knee == b.cap {
		return b.rate, 0
	}
	return b.rate, b.knee
}

// pace returns the rate of now, and whether it is still sought by doubling.
func (b *budget) pace() (rate int, sought bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rate, b.rate < b.knee
}

// grant is a part of the budget. It must be released.
type grant struct {
	rate   int // packets a second
	slowed int // the budget's when it was given
	budget *budget
	above  *grant
}

// take waits for up to want packets a second: all that is free, and at least
// half of what was wanted. It fails only when ctx ends.
func (b *budget) take(ctx context.Context, want int) (*grant, error) {
	g := &grant{budget: b}
	if b.parent != nil {
		above, err := b.parent.take(ctx, min(want, b.cap))
		if err != nil {
			return nil, err
		}
		g.above, want = above, above.rate
	}
	b.mu.Lock()
	b.queue = append(b.queue, g)
	for {
		wanted := max(1, min(want, b.rate))
		free := b.rate - b.used
		if b.queue[0] == g && free >= (wanted+1)/2 {
			g.rate, g.slowed = min(wanted, free), b.slowed
			b.use(g.rate)
			b.leave(g)
			b.mu.Unlock()
			return g, nil
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			b.mu.Lock()
			b.leave(g)
			b.mu.Unlock()
			if g.above != nil {
				g.above.release()
			}
			return nil, ctx.Err()
		}
		b.mu.Lock()
	}
}

// release gives the grant back.
func (g *grant) release() {
	g.budget.mu.Lock()
	g.budget.use(-g.rate)
	g.budget.wake()
	g.budget.mu.Unlock()
	if g.above != nil {
		g.above.release()
	}
}

// use changes what is in use. The lock is held.
func (b *budget) use(more int) {
	now := time.Now()
	b.granted += float64(b.used) * now.Sub(b.since).Seconds()
	b.since = now
	b.used += more
}

// allowed returns how many packets all grants together allowed so far.
func (b *budget) allowed() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.use(0)
	return b.granted
}

// leave takes a grant out of the queue. The lock is held.
func (b *budget) leave(g *grant) {
	b.queue = slices.DeleteFunc(b.queue, func(q *grant) bool { return q == g })
	b.wake()
}

// wake lets everybody who waits look again. The lock is held.
func (b *budget) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// current says whether the rate was not lowered since the grant was given. A look
// that began before says nothing of the rate that was too much beside it.
func (b *budget) current(g *grant) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return g.slowed == b.slowed
}

// raise speeds up after a look at a rate that lost nothing. No loss was met yet,
// or only at rates far above: then it doubles. Else it adds a tenth. A look that
// began before the rate was lowered says nothing against that.
func (b *budget) raise(g *grant, clean int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g.slowed != b.slowed {
		return
	}
	next := clean + max(1, clean/10)
	if clean < b.knee {
		next = min(2*clean, max(b.knee, next))
	}
	b.rate = min(b.cap, max(b.rate, next))
	b.wake()
}

// lower slows down after a look at a rate that lost a share of what is known to
// be there: to half, and to much less when much was lost, for then a link is so
// full that hardly anything of what was sent came through. Half of what was too
// much, or what it brought if that is less, is where doubling ends from now on.
// What several looks lost side by side lowers it once.
func (b *budget) lower(g *grant, lossy int, share float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g.slowed != b.slowed {
		return
	}
	b.slowed++
	least := min(minRate, b.cap)
	came := 1 - min(1, max(0, share))
	b.rate = min(b.rate, max(least, int(math.Ceil(float64(lossy)*max(1.0/16, came/2)))))
	b.knee = min(b.knee, max(least, b.rate, int(float64(lossy)*min(1.0/2, came))))
	b.wake()
}

// halve slows down after a loss that no single look is to blame for.
func (b *budget) halve() {
	b.mu.Lock()
	g := &grant{slowed: b.slowed}
	rate := b.rate
	b.mu.Unlock()
	b.lower(g, rate, 0)
}

// settle sets the rate to what was sent in truth: more cannot be sent from here,
// and what was never sent was never proved to be carried.
func (b *budget) settle(g *grant, sent int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g.slowed != b.slowed {
		return
	}
	b.rate = max(min(minRate, b.cap), min(b.rate, sent))
	b.knee = min(b.knee, b.rate)
	b.wake()
}
