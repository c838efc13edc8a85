package listing

import (
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// BSDNetstat reads what `netstat -an` prints on FreeBSD, OpenBSD, NetBSD and
// macOS: the port stands behind a dot.
func BSDNetstat(text []byte) (sockets []Socket, bad int) {
	for _, line := range lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		protocol, six, ok := transport(fields[0])
		if !ok {
			continue
		}
		if protocol == state.TCP && (len(fields) < 6 || !strings.HasPrefix(fields[5], "LISTEN")) || protocol == state.UDP && fields[4] != "*.*" {
			continue
		}
		host, port := cutPort(fields[3], ".")
		if port == "*" {
			continue // not bound
		}
		s, ok := socketOf(protocol, six || strings.Contains(host, ":"), host, port)
		if !ok {
			bad++
			continue
		}
		sockets = append(sockets, s)
	}
	return sockets, bad
}

// Sockstat reads what FreeBSD's `sockstat -46l` prints: USER, COMMAND, PID, FD,
// PROTO, LOCAL, FOREIGN. A command may hold blanks, so the columns are counted from
// the end.
func Sockstat(text []byte) (sockets []Socket, bad int) {
	for _, line := range lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 7 || fields[0] == "USER" {
			continue
		}
		end := len(fields)
		protocol, six, ok := transport(fields[end-3])
		if !ok {
			continue
		}
		host, port := cutPort(fields[end-2], ":")
		if port == "*" {
			continue
		}
		s, ok := socketOf(protocol, six, host, port)
		if !ok {
			bad++
			continue
		}
		if pid, err := strconv.ParseUint(fields[end-5], 10, 31); err == nil {
			s.PID = int(pid)
		}
		s.User, s.Name = state.Clean(fields[0]), state.Clean(strings.Join(fields[1:end-5], " "))
		sockets = append(sockets, s)
	}
	return sockets, bad
}

// Lsof reads the fields that `lsof -nP -iTCP -sTCP:LISTEN -iUDP -F pcuLtPn` prints
// (lsof(8), "Output for other programs"), a line each.
func Lsof(text []byte) (sockets []Socket, bad int) {
	var process, file Socket
	var six bool
	for _, line := range lines(text) {
		value := line[1:]
		switch line[0] {
		case 'p':
			process, six = Socket{UID: -1}, false
			if pid, err := strconv.ParseUint(value, 10, 31); err == nil {
				process.PID = int(pid)
			}
		case 'c':
			process.Name = state.Clean(value)
		case 'u':
			if uid, err := strconv.ParseUint(value, 10, 32); err == nil {
				process.UID = int(uid)
			}
		case 'L':
			process.User = state.Clean(value)
		case 'f':
			file, six = Socket{}, false
		case 't':
			six = value == "IPv6"
		case 'P':
			file.Port.Protocol, _, _ = transport(value)
		case 'n':
			host, port := cutPort(value, ":")
			if file.Port.Protocol == "" || port == "*" || strings.Contains(value, "->") {
				continue
			}
			s, ok := socketOf(file.Port.Protocol, six, host, port)
			if !ok {
				bad++
				continue
			}
			s.PID, s.Name, s.UID, s.User = process.PID, process.Name, process.UID, process.User
			sockets = append(sockets, s)
		}
	}
	return sockets, bad
}

// WindowsNetstat reads what `netstat -ano` prints on Windows, in any language: what
// listens has a foreign address with port 0, or none.
func WindowsNetstat(text []byte) (sockets []Socket, bad int) {
	for _, line := range lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		protocol, _, ok := transport(fields[0])
		if !ok || fields[0] != strings.ToUpper(fields[0]) {
			continue
		}
		if foreign := fields[2]; protocol == state.TCP && foreign != "0.0.0.0:0" && foreign != "[::]:0" || protocol == state.UDP && foreign != "*:*" {
			continue
		}
		host, port := cutPort(fields[1], ":")
		s, ok := socketOf(protocol, strings.Contains(host, ":"), host, port)
		if !ok {
			bad++
			continue
		}
		if pid, err := strconv.ParseUint(fields[len(fields)-1], 10, 31); err == nil {
			s.PID = int(pid)
		}
		s.OnlyV6 = protocol == state.TCP && s.Bind.Is6() // Windows has a socket of its own for each family
		sockets = append(sockets, s)
	}
	return sockets, bad
}
