package outbox

import "sync"

// round lets the channels of a Drain end together: one that has nothing to send may get
// something as long as another is at work, such as word that this one does not work.
type round struct {
	mu      sync.Mutex
	wake    *sync.Cond
	working int
	added   int // how often something was put into the outbox
}

func newRound(channels int) *round {
	r := &round{working: channels}
	r.wake = sync.NewCond(&r.mu)
	return r
}

// seen returns how often something was added by now.
func (r *round) seen() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.added
}

// add says that something was put into the outbox.
func (r *round) add() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.added++
	r.wake.Broadcast()
}

// rest waits until something is added after what was seen, and says whether it was; else
// nobody is at work any more.
func (r *round) rest(seen int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.working--
	for r.added == seen && r.working > 0 {
		r.wake.Wait()
	}
	if r.added == seen {
		r.wake.Broadcast()
		return false
	}
	r.working++
	return true
}

// leave says that a channel is not at work any more.
func (r *round) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.working--
	r.wake.Broadcast()
}
