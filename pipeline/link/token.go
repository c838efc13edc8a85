// Package link signs the links to approve that messages carry, and keeps the keys that
// sign them. A link says itself what it approves, so that a message about a million ports
// needs one row in the database; what listened there when the message was decided upon,
// the history knows.
package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// A token is base64url (RFC 4648, section 5) without padding of
//
//	key      1 byte: the first of the key's name
//	links    8 bytes: state.ApprovalLinks.ID
//	host     8 bytes: number of the host
//	expires  5 bytes: seconds since 1970
//	port     1 to 10 times 3 bytes: protocol (IANA's number), number; rising
//	mac      32 bytes: HMAC-SHA256 (RFC 2104) of label and all of the above
//
// all numbers big-endian. One port is 57 bytes and 76 characters, each further one 4
// characters more; the length is always a multiple of 3, so that no bit is without
// meaning. There is no random number for each port and no row that it would be the key
// of: the message shows some hundred ports of what may be a million, and which of them is
// known only when it is rendered. In their place stands what is approved, under the MAC.
const (
	headSize = 1 + 8 + 8 + 5
	portSize = 3
	macSize  = sha256.Size
	label    = "ownmap/approve/v1\x00"
)

// Shortest and Longest are the lengths of tokens, in characters.
const (
	Shortest = (headSize + portSize + macSize) * 4 / 3
	Longest  = (headSize + state.MostLinked*portSize + macSize) * 4 / 3
)

// latest is the last second that a token can name.
const latest = 1<<40 - 1

// seal makes the token of a scope. The error says what of the scope has no place in one.
func (k Key) seal(s state.LinkScope) (string, error) {
	expires := s.Expires.Unix()
	switch {
	case s.Host <= 0:
		return "", fmt.Errorf("host %d is none of the database", s.Host)
	case expires <= 0 || expires > latest:
		return "", fmt.Errorf("end %s cannot be told", s.Expires.UTC().Format(time.RFC3339))
	case len(s.Ports) == 0 || len(s.Ports) > state.MostLinked:
		return "", fmt.Errorf("%d ports are not 1 to %d", len(s.Ports), state.MostLinked)
	}
	raw := make([]byte, 0, headSize+len(s.Ports)*portSize+macSize)
	raw = append(raw, k.id())
	raw = binary.BigEndian.AppendUint64(raw, uint64(s.Links))
	raw = binary.BigEndian.AppendUint64(raw, uint64(s.Host))
	raw = append(raw, byte(expires>>32))
	raw = binary.BigEndian.AppendUint32(raw, uint32(expires&0xffffffff))
	for i, p := range s.Ports {
		protocol := protocolNumber(p.Protocol)
		if protocol == 0 || p.Number == 0 || i > 0 && s.Ports[i-1].Compare(p) >= 0 {
			return "", fmt.Errorf("port %s is no port, or not in order", p)
		}
		raw = append(raw, protocol)
		raw = binary.BigEndian.AppendUint16(raw, p.Number)
	}
	return base64.RawURLEncoding.EncodeToString(append(raw, k.mac(raw)...)), nil
}

// mac signs what stands before it in a token.
func (k Key) mac(raw []byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write([]byte(label))
	h.Write(raw)
	return h.Sum(nil)
}

// open returns the scope of a token that one of the keys made. There is one spelling of
// each token: what decodes to the same bytes and is written otherwise is none.
func open(keys []Key, token string) (state.LinkScope, bool) {
	if len(token) < Shortest || len(token) > Longest {
		return state.LinkScope{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw)%3 != 0 || base64.RawURLEncoding.EncodeToString(raw) != token { // the decoder skips line ends
		return state.LinkScope{}, false
	}
	said, mac := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	place := slices.IndexFunc(keys, func(k Key) bool { return k.id() == said[0] })
	if place < 0 || !hmac.Equal(mac, keys[place].mac(said)) {
		return state.LinkScope{}, false
	}
	return scopeOf(said)
}

// scopeOf reads what a token says; the MAC has been checked.
func scopeOf(said []byte) (s state.LinkScope, ok bool) {
	s.Links = int64(binary.BigEndian.Uint64(said[1:]))
	s.Host = int64(binary.BigEndian.Uint64(said[9:]))
	s.Expires = time.Unix(int64(said[17])<<32|int64(binary.BigEndian.Uint32(said[18:])), 0)
	for ports := said[headSize:]; len(ports) > 0; ports = ports[portSize:] {
		p := state.Port{Protocol: protocolOf(ports[0]), Number: binary.BigEndian.Uint16(ports[1:])}
		if n := len(s.Ports); p.Protocol == "" || p.Number == 0 || n > 0 && s.Ports[n-1].Compare(p) >= 0 {
			return state.LinkScope{}, false
		}
		s.Ports = append(s.Ports, p)
	}
	return s, s.Host > 0
}

// protocolNumber is what IANA calls a protocol ("Assigned Internet Protocol Numbers"); 0
// is none.
func protocolNumber(p state.Protocol) byte {
	switch p {
	case state.TCP:
		return 6
	case state.UDP:
		return 17
	case state.SCTP:
		return 132
	}
	return 0
}

func protocolOf(number byte) state.Protocol {
	for _, p := range []state.Protocol{state.TCP, state.UDP, state.SCTP} {
		if protocolNumber(p) == number {
			return p
		}
	}
	return ""
}
