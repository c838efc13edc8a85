package listing

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// The states of sockets in /proc/net that take what comes (Linux,
// include/net/tcp_states.h): a UDP socket without a peer is "closed".
const (
	tcpListen = "0A"
	udpClosed = "07"
)

// ProcNet reads a table of /proc/net, of tcp, tcp6, udp or udp6 (proc_net(5)), as a
// little-endian machine prints it. bad counts the rows that could not be
// understood.
func ProcNet(protocol state.Protocol, text []byte) (sockets []Socket, bad int) {
	return ProcNetOrder(protocol, binary.LittleEndian, text)
}

// ProcNetOrder is ProcNet for a machine of the given byte order: the kernel prints
// addresses as words of its own.
func ProcNetOrder(protocol state.Protocol, order binary.ByteOrder, text []byte) (sockets []Socket, bad int) {
	for i, line := range lines(text) {
		fields := strings.Fields(line)
		if i == 0 && len(fields) > 0 && fields[0] == "sl" {
			continue
		}
		if len(fields) < 10 {
			bad++
			continue
		}
		_, remote := cutPort(fields[2], ":")
		switch {
		case protocol == state.TCP && fields[3] != tcpListen, protocol == state.UDP && (fields[3] != udpClosed || remote != "0000"):
			continue
		}
		s, ok := procSocket(protocol, order, fields)
		if !ok {
			bad++
			continue
		}
		if s.Port.Number != 0 { // a raw or not yet bound socket
			sockets = append(sockets, s)
		}
	}
	return sockets, bad
}

func procSocket(protocol state.Protocol, order binary.ByteOrder, fields []string) (Socket, bool) {
	host, port := cutPort(fields[1], ":")
	number, err := strconv.ParseUint(port, 16, 16)
	bytes, wrong := hex.DecodeString(host)
	if err != nil || wrong != nil || len(bytes) != 4 && len(bytes) != 16 {
		return Socket{}, false
	}
	for i := 0; i < len(bytes); i += 4 {
		binary.BigEndian.PutUint32(bytes[i:], order.Uint32(bytes[i:]))
	}
	bind, _ := netip.AddrFromSlice(bytes)
	s := Socket{Port: state.Port{Protocol: protocol, Number: uint16(number)}, Bind: bind.Unmap(), UID: -1}
	if uid, err := strconv.ParseUint(fields[7], 10, 32); err == nil {
		s.UID = int(uid)
	}
	if s.Inode, err = strconv.ParseUint(fields[9], 10, 64); err != nil {
		return Socket{}, false
	}
	return s, true
}

// LocalAddresses returns the addresses of a host itself, each once: the local ones
// of /proc/net/fib_trie and those of /proc/net/if_inet6.
func LocalAddresses(fibTrie, ifInet6 []byte) []netip.Addr {
	seen := map[netip.Addr]bool{}
	var list []netip.Addr
	add := func(a netip.Addr, err bool) {
		if !err && !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
	}
	var last string
	for _, line := range lines(fibTrie) {
		text := strings.TrimSpace(line)
		if address, ok := strings.CutPrefix(text, "|-- "); ok {
			last = address
		} else if strings.HasPrefix(text, "/32 host LOCAL") {
			a, err := netip.ParseAddr(last)
			add(a, err != nil)
		}
	}
	for _, line := range lines(ifInet6) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		bytes, err := hex.DecodeString(fields[0])
		a, ok := netip.AddrFromSlice(bytes)
		add(a, err != nil || !ok || !a.Is6())
	}
	return list
}
