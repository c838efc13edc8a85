package netlab

import (
	"testing"
	"time"
)

// TestPeak counts known packets: the most within a second may lie across whole seconds.
func TestPeak(t *testing.T) {
	t.Parallel()
	var c counter
	start := 1000 * time.Hour // frames are stamped with the time of day
	at := func(ms, n int) {
		for range n {
			c.add(packet{protocol: protoICMP}, start+time.Duration(ms)*time.Millisecond)
		}
	}
	for ms := range 3000 {
		at(ms, 1)
	}
	if c.peak != 1000 {
		t.Errorf("peak %d of a steady 1,000 packets a second", c.peak)
	}
	at(9900, 700)
	at(10500, 700)
	at(10490, 1) // the other device was looked at later
	if c.peak != 1401 || c.received != 3000+1401 || c.probes != c.received {
		t.Errorf("after a burst: %+v", c.packets())
	}
	at(20000, 1)
	if c.within != 1 {
		t.Errorf("%d packets in the last second instead of 1", c.within)
	}
}
