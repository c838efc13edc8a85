package netlab

import "time"

// Packets is what a lab counted since it was made.
type Packets struct {
	Received int64 // of the scanners, all of IPv4
	Probes   int64 // those of Received that ask something: TCP SYN, ICMP, UDP
	Resets   int64 // those of Received by which a scanner's system refuses what it did not ask for itself: TCP RST
	Answers  int64 // sent to the scanners
	Lost     int64 // by chance, both ways
	Crowded  int64 // more than the wire carries
	Overrun  int64 // more than this machine carries: nothing is proven by a test in which this is not 0
	Peak     int64 // the most of Received within any one second
	PeakSent int64 // the same without Resets: what the scanner itself decided to send
	PeakLong int64 // the most of that within any ten seconds
}

type counter struct {
	received, probes, resets, answers, lost, crowded, overrun int64

	all, sent, long window // any second, any second without resets, any ten seconds without resets
}

func newCounter() counter {
	const second = 10 * time.Millisecond
	return counter{all: window{slot: second}, sent: window{slot: second}, long: window{slot: 10 * second}}
}

func (c *counter) add(p packet, at time.Duration) {
	var flags byte
	if p.protocol == protoTCP && len(p.body) > 13 {
		flags = p.body[13]
	}
	c.received++
	if p.protocol == protoICMP || p.protocol == protoUDP || flags&(syn|ack) == syn {
		c.probes++
	}
	c.all.add(at)
	if flags&rst != 0 {
		c.resets++
	} else {
		c.sent.add(at)
		c.long.add(at)
	}
}

func (c *counter) packets() Packets {
	return Packets{
		Received: c.received, Probes: c.probes, Resets: c.resets, Answers: c.answers, Lost: c.lost, Crowded: c.crowded,
		Overrun: c.overrun, Peak: c.all.peak, PeakSent: c.sent.peak, PeakLong: c.long.peak,
	}
}

// window finds the span of time in which most was counted.
type window struct {
	slot   time.Duration // how finely it is counted; the span is as many of them as recent has
	peak   int64
	recent [100]int64 // by the time modulo the span
	within int64      // their sum
	newest int64      // the slot that was counted last, from the beginning of time
}

func (w *window) add(at time.Duration) {
	const size = int64(len(w.recent))
	now := max(int64(at/w.slot), w.newest) // frames of two devices may come in disorder
	for i := max(w.newest+1, now-size+1); i <= now; i++ {
		w.within -= w.recent[i%size]
		w.recent[i%size] = 0
	}
	w.newest = now
	w.recent[now%size]++
	w.within++
	w.peak = max(w.peak, w.within)
}

// reset begins anew.
func (w *window) reset() { *w = window{slot: w.slot, newest: w.newest} }
