package netlab

import "time"

// Packets is what a lab counted since it was made.
type Packets struct {
	Received int64 // of the scanners, all of IPv4
	Probes   int64 // those of Received that ask something: TCP SYN, ICMP, UDP
	Answers  int64 // sent to the scanners
	Lost     int64 // by chance, both ways
	Crowded  int64 // more than the wire carries
	Overrun  int64 // more than this machine carries: nothing is proven by a test in which this is not 0
	Peak     int64 // the most of Received within any one second
}

// slot is how finely packets are counted in time.
const slot = 10 * time.Millisecond

type counter struct {
	received, probes, answers, lost, crowded, overrun, peak int64

	recent [time.Second / slot]int64 // of the last second, by the time modulo one second
	within int64                     // their sum
	newest int64                     // the slot that was counted last, from the beginning of time
}

func (c *counter) add(p packet, at time.Duration) {
	c.received++
	if p.protocol == protoICMP || p.protocol == protoUDP || len(p.body) > 13 && p.body[13]&(syn|ack) == syn {
		c.probes++
	}
	const size = int64(len(c.recent))
	now := max(int64(at/slot), c.newest) // frames of two devices may come in disorder
	for i := max(c.newest+1, now-size+1); i <= now; i++ {
		c.within -= c.recent[i%size]
		c.recent[i%size] = 0
	}
	c.newest = now
	c.recent[now%size]++
	c.within++
	c.peak = max(c.peak, c.within)
}

func (c *counter) packets() Packets {
	return Packets{Received: c.received, Probes: c.probes, Answers: c.answers, Lost: c.lost, Crowded: c.crowded, Overrun: c.overrun, Peak: c.peak}
}
