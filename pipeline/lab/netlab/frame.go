package netlab

import (
	"encoding/binary"
)

// Lengths and offsets of Ethernet II and IPv4 (RFC 791) as the lab writes them: without options.
const (
	ethernet    = 14
	ipv4        = 20
	headers     = ethernet + ipv4
	largest     = 1514 // an Ethernet frame
	segmentData = 1460 // the most data of one TCP segment in it

	etherARP  = 0x0806
	etherIPv4 = 0x0800

	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
)

// flags of a TCP segment (RFC 9293).
const (
	fin byte = 1 << iota
	syn
	rst
	psh
	ack
)

// packet is an IPv4 packet of a scanner, cut up.
type packet struct {
	frame    []byte // all of it, from the Ethernet header on
	protocol byte
	src, dst uint32
	body     []byte // what IPv4 carries
}

// parse cuts an Ethernet frame up. It is false for whatever is not IPv4 or is cut short.
func parse(frame []byte) (p packet, ok bool) {
	if len(frame) < headers || binary.BigEndian.Uint16(frame[12:]) != etherIPv4 {
		return p, false
	}
	ip := frame[ethernet:]
	size, total := int(ip[0]&0x0f)*4, int(binary.BigEndian.Uint16(ip[2:]))
	if size < ipv4 || total < size || total > len(ip) {
		return p, false
	}
	return packet{
		frame: frame, protocol: ip[9], body: ip[size:total],
		src: binary.BigEndian.Uint32(ip[12:]), dst: binary.BigEndian.Uint32(ip[16:]),
	}, true
}

// segment is a TCP segment.
type segment struct {
	from, to uint16
	seq, ack uint32
	flags    byte
	data     []byte
}

func parseSegment(body []byte) (s segment, ok bool) {
	if len(body) < 20 {
		return s, false
	}
	offset := int(body[12]>>4) * 4
	if offset < 20 || offset > len(body) {
		return s, false
	}
	return segment{
		from: binary.BigEndian.Uint16(body), to: binary.BigEndian.Uint16(body[2:]),
		seq: binary.BigEndian.Uint32(body[4:]), ack: binary.BigEndian.Uint32(body[8:]),
		flags: body[13], data: body[offset:],
	}, true
}

// place is where an answer goes and comes from.
type place struct {
	theirMAC, ourMAC [6]byte
	theirs, ours     uint32
}

// back is the place that an answer to the packet has.
func (p packet) back() place {
	return place{theirMAC: [6]byte(p.frame[6:12]), ourMAC: [6]byte(p.frame[0:6]), theirs: p.src, ours: p.dst}
}

// writeIPv4 writes the headers of a packet with a body of size bytes into frame and returns
// the frame cut to length. The body is left as it is.
func writeIPv4(frame []byte, at place, protocol byte, size int) []byte {
	frame = frame[:headers+size]
	copy(frame[0:6], at.theirMAC[:])
	copy(frame[6:12], at.ourMAC[:])
	binary.BigEndian.PutUint16(frame[12:], etherIPv4)
	ip := frame[ethernet:headers]
	clear(ip)
	ip[0] = 0x45
	binary.BigEndian.PutUint16(ip[2:], uint16(ipv4+size))
	ip[6] = 0x40 // do not fragment
	ip[8] = 64
	ip[9] = protocol
	binary.BigEndian.PutUint32(ip[12:], at.ours)
	binary.BigEndian.PutUint32(ip[16:], at.theirs)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip, 0))
	return frame
}

// writeTCP writes a segment. A SYN tells the largest segment that is taken (RFC 9293, 3.7.1).
func writeTCP(frame []byte, at place, s segment) []byte {
	options := 0
	if s.flags&syn != 0 {
		options = 4
	}
	frame = writeIPv4(frame, at, protoTCP, 20+options+len(s.data))
	body := frame[headers:]
	binary.BigEndian.PutUint16(body, s.from)
	binary.BigEndian.PutUint16(body[2:], s.to)
	binary.BigEndian.PutUint32(body[4:], s.seq)
	binary.BigEndian.PutUint32(body[8:], s.ack)
	body[12], body[13] = byte(20+options)/4<<4, s.flags
	window := uint16(64240)
	if s.flags&rst != 0 {
		window = 0
	}
	binary.BigEndian.PutUint16(body[14:], window)
	binary.BigEndian.PutUint32(body[16:], 0) // checksum and urgent pointer
	if options > 0 {
		binary.BigEndian.PutUint32(body[20:], 2<<24|4<<16|segmentData)
	}
	copy(body[20+options:], s.data)
	pseudo := uint32(protoTCP) + uint32(len(body)) + sum(frame[26:34])
	binary.BigEndian.PutUint16(body[16:], checksum(body, pseudo))
	return frame
}

// writeEcho answers a ping (RFC 792).
func writeEcho(frame []byte, at place, request []byte) []byte {
	frame = writeIPv4(frame, at, protoICMP, len(request))
	body := frame[headers:]
	copy(body, request)
	clear(body[0:4])
	binary.BigEndian.PutUint16(body[2:], checksum(body, 0))
	return frame
}

// writeUnreachable tells that nobody listens on the UDP port that the packet went to (RFC 792).
func writeUnreachable(frame []byte, at place, p packet) []byte {
	quoted := p.frame[ethernet:]
	quoted = quoted[:min(len(quoted), len(quoted)-len(p.body)+8)]
	frame = writeIPv4(frame, at, protoICMP, 8+len(quoted))
	body := frame[headers:]
	clear(body[:8])
	body[0], body[1] = 3, 3
	copy(body[8:], quoted)
	binary.BigEndian.PutUint16(body[2:], checksum(body, 0))
	return frame
}

// writeARP answers who has the gateway's address (RFC 826); false for any other question.
func writeARP(frame, question []byte, gateway uint32, mac [6]byte) ([]byte, bool) {
	if len(question) < ethernet+28 || binary.BigEndian.Uint16(question[12:]) != etherARP ||
		binary.BigEndian.Uint16(question[20:]) != 1 || binary.BigEndian.Uint32(question[38:]) != gateway {
		return nil, false
	}
	frame = frame[:ethernet+28]
	copy(frame[0:6], question[6:12])
	copy(frame[6:12], mac[:])
	copy(frame[12:20], question[12:20])
	binary.BigEndian.PutUint16(frame[20:], 2)
	copy(frame[22:28], mac[:])
	binary.BigEndian.PutUint32(frame[28:], gateway)
	copy(frame[32:42], question[22:32])
	return frame, true
}

// sum adds up 16-bit words as the checksum of RFC 1071 wants them.
func sum(b []byte) (s uint32) {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func checksum(b []byte, initial uint32) uint16 {
	s := initial + sum(b)
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}
