package banner

import (
	"context"
	"sync"
	"time"
)

// What the steps of a conversation cost in packets that we send.
const (
	costConnect = 5 // SYN, ACK, ACK of what it says, FIN, ACK of its FIN (or two repeated SYN)
	costAsk     = 3 // the request, two ACK of the answer
	costTLS     = 5 // ClientHello, three ACK of certificates, Finished
)

// pace keeps the packets of all connections below a rate. Every step pays when it
// is taken, and nothing can be saved up: no burst exceeds the rate.
type pace struct {
	each time.Duration // a packet; 0: no bound
	mu   sync.Mutex
	next time.Time // when the next step may begin
}

func newPace(rate int) *pace {
	if rate <= 0 {
		return &pace{}
	}
	return &pace{each: max(1, time.Second/time.Duration(rate))}
}

// take waits until so many packets may be sent; false when ctx ended first.
func (p *pace) take(ctx context.Context, packets int) bool {
	if p.each == 0 {
		return ctx.Err() == nil
	}
	p.mu.Lock()
	now := time.Now()
	begin := now
	if p.next.After(now) {
		begin = p.next
	}
	p.next = begin.Add(time.Duration(packets) * p.each)
	p.mu.Unlock()
	return pause(ctx, begin.Sub(now))
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
