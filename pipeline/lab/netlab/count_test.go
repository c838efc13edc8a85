package netlab

import (
	"testing"
	"time"
)

// TestPeak counts known packets: the most within a second may lie across whole seconds.
func TestPeak(t *testing.T) {
	t.Parallel()
	c := newCounter()
	start := 1000 * time.Hour // frames are stamped with the time of day
	at := func(ms, n int) {
		for range n {
			c.add(packet{protocol: protoICMP}, start+time.Duration(ms)*time.Millisecond)
		}
	}
	for ms := range 3000 {
		at(ms, 1)
	}
	if c.all.peak != 1000 {
		t.Errorf("peak %d of a steady 1,000 packets a second", c.all.peak)
	}
	at(9900, 700)
	at(10500, 700)
	at(10490, 1) // the other device was looked at later
	if c.all.peak != 1401 || c.received != 3000+1401 || c.probes != c.received {
		t.Errorf("after a burst: %+v", c.packets())
	}
	at(20000, 1)
	if c.all.within != 1 {
		t.Errorf("%d packets in the last second instead of 1", c.all.within)
	}
}

// TestResetsApart counts what a scanner's system answers by itself apart.
func TestResetsApart(t *testing.T) {
	t.Parallel()
	c := newCounter()
	tcp := func(flags byte) packet {
		body := make([]byte, 20)
		body[13] = flags
		return packet{protocol: protoTCP, body: body}
	}
	for i, flags := range []byte{syn, rst, syn, rst, ack, fin | ack} {
		c.add(tcp(flags), time.Hour+time.Duration(i)*time.Millisecond)
	}
	if got, want := c.packets(), (Packets{Received: 6, Probes: 2, Resets: 2, Peak: 6, PeakSent: 4, PeakLong: 4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
