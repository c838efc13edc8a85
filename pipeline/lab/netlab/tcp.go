package netlab

import (
	"cmp"
	"time"
)

// How the lab's hosts speak TCP (RFC 9293): what a scanner's connection needs and no more. Whatever is lost is sent
// again, then after twice as long each time. For the handshake the first wait is the one second of RFC 6298 and of
// Linux to the letter: nmap takes answers for up to ten times its timeout of 100 ms, and a SYN-ACK that is repeated
// within that would be a round trip of 800 ms to it, and slow it down as no real network does.
const (
	handshake = time.Second
	resend    = 400 * time.Millisecond
	tries     = 6
	patience  = 20 * time.Second
)

// talker names a connection: who speaks to what.
type talker struct {
	scanner      int
	theirs, ours uint32
	from, to     uint16
}

// conn is a connection of an open port.
type conn struct {
	talker
	at      place
	service Service

	settled  bool   // the handshake is over
	base     uint32 // the sequence number of unacked[0]
	unacked  []byte // said and not acknowledged yet
	hungUp   bool   // nothing is said after unacked: a FIN follows it
	expected uint32 // the next sequence number of theirs
	theyDone bool   // their FIN came

	attempt int
	due     time.Duration // when to send again what was not acknowledged
	last    time.Duration // when they were last heard
}

// segment is something that the connection says from a sequence number on.
func (c *conn) segment(seq uint32, flags byte, data []byte) segment {
	return segment{from: c.to, to: c.from, seq: seq, ack: c.expected, flags: flags, data: data}
}

// end is the sequence number after all that was said.
func (c *conn) end() uint32 {
	end := c.base + uint32(len(c.unacked))
	if c.hungUp {
		end++
	}
	return end
}

// hear takes a segment of theirs, and is false when the connection is over.
func (w *wire) hear(c *conn, s segment, now time.Duration) bool {
	c.last = now
	switch {
	case s.flags&rst != 0:
		return false
	case s.flags&syn != 0: // they did not hear our SYN
		if !c.settled {
			w.say(c, c.segment(c.base-1, syn|ack, nil))
		}
		return true
	case s.flags&ack == 0:
		return true
	}
	if !c.settled {
		if s.ack != c.base {
			return true
		}
		c.settled, c.attempt, c.due = true, 0, 0
		w.tell(c, c.service.Greeting, false, now)
	}
	if news := s.ack - c.base; news > 0 && s.ack-c.base <= c.end()-c.base {
		c.unacked = c.unacked[min(int(news), len(c.unacked)):]
		over := c.hungUp && s.ack == c.end()
		c.base = s.ack
		c.attempt, c.due = 0, now+resend
		if over {
			c.base--
			if c.theyDone {
				return false
			}
			c.due = 0
		} else if c.base == c.end() {
			c.due = 0
		}
	}
	if len(s.data) == 0 && s.flags&fin == 0 {
		return true
	}
	if s.seq != c.expected || c.theyDone {
		w.say(c, c.segment(c.end(), ack, nil)) // old, or after something that was lost
		return true
	}
	c.expected += uint32(len(s.data))
	reply, hangUp := "", false
	if len(s.data) > 0 && c.service.Answer != nil && !c.hungUp {
		reply, hangUp = c.service.Answer(string(s.data))
	}
	if s.flags&fin != 0 {
		c.expected++
		c.theyDone, hangUp = true, true
	}
	if reply == "" && (!hangUp || c.hungUp) {
		w.say(c, c.segment(c.end(), ack, nil))
		return true
	}
	w.tell(c, reply, hangUp, now)
	return true
}

// tell says something new.
func (w *wire) tell(c *conn, text string, hangUp bool, now time.Duration) {
	if text == "" && !hangUp || c.hungUp {
		return
	}
	from := len(c.unacked)
	c.unacked = append(c.unacked, text...)
	c.hungUp = hangUp
	if c.due == 0 {
		c.attempt, c.due = 0, now+resend
	}
	w.sayFrom(c, from)
}

// sayFrom sends what was said from unacked[from] on.
func (w *wire) sayFrom(c *conn, from int) {
	for {
		data := c.unacked[from:min(from+segmentData, len(c.unacked))]
		flags := ack | psh
		if c.hungUp && from+len(data) == len(c.unacked) {
			flags |= fin
		}
		w.say(c, c.segment(c.base+uint32(from), flags, data))
		if from += len(data); from >= len(c.unacked) {
			return
		}
	}
}

// remind sends again what is due, and is false when the connection is given up.
func (w *wire) remind(c *conn, now time.Duration) bool {
	if c.due == 0 || now < c.due {
		if c.settled && c.due == 0 && !c.hungUp && now-c.last > cmp.Or(c.service.Patience, patience) {
			w.tell(c, "", true, now)
		}
		return !c.hungUp || c.due != 0 || now-c.last < patience
	}
	if c.attempt++; c.attempt > tries {
		return false
	}
	if c.settled {
		c.due = now + resend<<c.attempt
		w.sayFrom(c, 0)
	} else {
		c.due = now + handshake<<c.attempt
		w.say(c, c.segment(c.base-1, syn|ack, nil))
	}
	return true
}
