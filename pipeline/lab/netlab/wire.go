package netlab

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Wire is how the network between the scanners and the hosts behaves.
type Wire struct {
	// RTT is the time from a packet to its answer.
	RTT time.Duration
	// Loss is the share of round trips that get lost, 0 to 1, as ping shows it. Each direction loses as much,
	// and each packet for itself.
	Loss float64
	// Rate is how many packets a second of the scanners the wire carries; 0: all that this machine can.
	// What comes faster waits for up to Queue and is dropped beyond.
	Rate  int
	Queue time.Duration // 0: 50 ms
	// Drop says that closed ports are silent, as behind a firewall; else they refuse.
	Drop bool
}

// wire is the network and all its hosts. One thread carries every packet: there is no queue inside that could
// reorder or lose any, and its capacity is known.
type wire struct {
	rings     []*ring
	stop, end int // a pipe: closed at the end

	mu       sync.Mutex
	now      Wire
	oneWay   uint32 // a packet is lost when a random number is below
	truth    truth
	gateways []*host
	count    counter

	random  *rand.Rand
	conns   map[talker]*conn
	queue   []answer // by due time
	head    int
	spare   [][]byte
	free    time.Duration // when the wire has carried all that came
	arrived time.Duration // when the packet in hand has crossed the wire
	checked time.Duration // when connections were last looked through
}

// answer is a frame on its way back.
type answer struct {
	due   time.Duration
	ring  *ring
	frame []byte
}

func newWire(spaces *namespaces, seed uint64) (*wire, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	w := &wire{
		rings: spaces.rings, stop: ends[0], end: ends[1], truth: make(truth, 1<<16), count: newCounter(),
		random: rand.New(rand.NewPCG(seed, 1)), conns: map[talker]*conn{}, //nolint:gosec // the same losses for the same seed
	}
	for i := range w.rings {
		w.gateways = append(w.gateways, &host{Host: Host{Address: Gateway(i)}})
	}
	return w, nil
}

func (w *wire) set(to Wire) {
	if to.Queue == 0 {
		to.Queue = 50 * time.Millisecond
	}
	w.now, w.oneWay = to, uint32((1-math.Sqrt(1-to.Loss))*math.MaxUint32)
}

// carry carries packets until the pipe is closed.
func (w *wire) carry() {
	runtime.LockOSThread()
	// A network does not slow down when its scanners keep the machine busy. Where that is not allowed it will.
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 10}, 0)
	defer func() {
		// The thread does not end: the kernel would kill what others started from it.
		if unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0) == nil {
			runtime.UnlockOSThread()
		}
	}()
	waits := make([]unix.PollFd, 0, len(w.rings)+1)
	for _, r := range w.rings {
		waits = append(waits, unix.PollFd{Fd: int32(r.fd), Events: unix.POLLIN})
	}
	waits = append(waits, unix.PollFd{Fd: int32(w.stop), Events: unix.POLLIN})
	for {
		w.mu.Lock()
		busy := false
		for i, r := range w.rings {
			for range 128 {
				frame, at, ok := r.receive()
				if !ok {
					break
				}
				busy = true
				w.receive(i, frame, at)
				r.done()
			}
		}
		wait := w.deliver(clock())
		w.mu.Unlock()
		if busy && wait == 0 {
			continue
		}
		timeout := unix.NsecToTimespec(int64(wait))
		if busy {
			timeout = unix.Timespec{}
		}
		_, _ = unix.Ppoll(waits, &timeout, nil)
		if waits[len(waits)-1].Revents != 0 {
			return
		}
	}
}

// clock is the time that the kernel stamps frames with.
func clock() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_REALTIME, &now)
	return time.Duration(now.Nano())
}

func (w *wire) lost() bool {
	if w.oneWay == 0 || w.random.Uint32() >= w.oneWay {
		return false
	}
	w.count.lost++
	return true
}

// buffer is room for a frame.
func (w *wire) buffer() []byte {
	if n := len(w.spare); n > 0 {
		b := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return b
	}
	return make([]byte, largest)
}

// reply sends a frame on its way back, if it does not get lost there. Frames never overtake each other.
func (w *wire) reply(scanner int, frame []byte) {
	if w.lost() {
		w.spare = append(w.spare, frame[:largest])
		return
	}
	due := w.arrived + w.now.RTT
	if n := len(w.queue); n > w.head {
		due = max(due, w.queue[n-1].due)
	}
	w.queue = append(w.queue, answer{due, w.rings[scanner], frame})
	w.count.answers++
}

func (w *wire) say(c *conn, s segment) {
	w.reply(c.scanner, writeTCP(w.buffer(), c.at, s))
}

// deliver sends what is due and tells how long nothing else will be.
func (w *wire) deliver(now time.Duration) time.Duration {
	if now-w.checked > resend/8 {
		w.checked, w.arrived = now, now
		for key, c := range w.conns {
			if !w.remind(c, now) {
				delete(w.conns, key)
			}
		}
		for _, r := range w.rings {
			w.count.overrun += r.overrun()
		}
	}
	for ; w.head < len(w.queue) && w.queue[w.head].due <= now; w.head++ {
		a := w.queue[w.head]
		if err := a.ring.send(a.frame); err != nil {
			w.count.overrun++
		}
		w.spare = append(w.spare, a.frame[:largest])
	}
	if w.head == len(w.queue) {
		w.queue, w.head = w.queue[:0], 0
		return resend / 8
	}
	if w.head > 4096 && w.head > len(w.queue)/2 {
		w.queue = append(w.queue[:0], w.queue[w.head:]...)
		w.head = 0
	}
	return min(max(w.queue[w.head].due-now, 0), resend/8)
}

// receive takes a frame of a scanner that came at a time.
func (w *wire) receive(scanner int, frame []byte, at time.Duration) {
	w.arrived = at
	mac := [6]byte{0x02, 0x6f, 0x77, 0x6e, 0, byte(scanner)}
	gateway := w.gateways[scanner]
	if b := gateway.Address.As4(); !gateway.down {
		buffer := w.buffer()
		if out, ok := writeARP(buffer, frame, binary.BigEndian.Uint32(b[:]), mac); ok {
			w.queue = append(w.queue, answer{at, w.rings[scanner], out})
			return
		}
		w.spare = append(w.spare, buffer)
	}
	p, ok := parse(frame)
	if !ok {
		return
	}
	w.count.add(p, at)
	if w.now.Rate > 0 {
		w.free = max(w.free, at) + time.Second/time.Duration(w.now.Rate)
		if w.free-at > w.now.Queue {
			w.free -= time.Second / time.Duration(w.now.Rate)
			w.count.crowded++
			return
		}
		w.arrived = w.free
	}
	if w.lost() {
		return
	}
	h := gateway
	if low := p.dst & 0xffff; p.dst>>16 == 10<<8|77 {
		h = w.truth[low]
	} else if b := gateway.Address.As4(); p.dst != binary.BigEndian.Uint32(b[:]) {
		return
	}
	if h != nil && !h.down {
		w.arrive(scanner, h, p)
	}
}

// arrive is a packet at its host.
func (w *wire) arrive(scanner int, h *host, p packet) {
	switch {
	case p.protocol == protoICMP && len(p.body) >= 8 && len(p.body) <= largest-headers && p.body[0] == 8:
		w.reply(scanner, writeEcho(w.buffer(), p.back(), p.body))
	case p.protocol == protoUDP && len(p.body) >= 8 && !w.now.Drop:
		w.reply(scanner, writeUnreachable(w.buffer(), p.back(), p))
	case p.protocol == protoTCP:
		if s, ok := parseSegment(p.body); ok {
			w.arriveTCP(scanner, h, p, s)
		}
	}
}

func (w *wire) arriveTCP(scanner int, h *host, p packet, s segment) {
	key := talker{scanner, p.src, p.dst, s.from, s.to}
	if c := w.conns[key]; c != nil {
		if s.flags&(syn|ack) == syn && (c.settled || s.seq+1 != c.expected) {
			delete(w.conns, key) // they began anew
		} else {
			if !w.hear(c, s, w.arrived) {
				delete(w.conns, key)
			}
			return
		}
	}
	if s.flags&rst != 0 {
		return
	}
	service, open := h.service(s.to)
	switch {
	case open && s.flags&(syn|ack|fin) == syn:
		c := &conn{talker: key, at: p.back(), service: service, base: w.random.Uint32(), expected: s.seq + 1, last: w.arrived, due: w.arrived + handshake}
		w.conns[key] = c
		w.say(c, c.segment(c.base-1, syn|ack, nil))
	case !open && w.now.Drop: // the firewall
	case s.flags&ack != 0:
		w.reply(scanner, writeTCP(w.buffer(), p.back(), segment{from: s.to, to: s.from, seq: s.ack, flags: rst}))
	default:
		taken := s.seq + uint32(len(s.data))
		if s.flags&(syn|fin) != 0 {
			taken++
		}
		w.reply(scanner, writeTCP(w.buffer(), p.back(), segment{from: s.to, to: s.from, ack: taken, flags: rst | ack}))
	}
}
