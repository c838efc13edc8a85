package listing

import (
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// SS reads what `ss -H -tulne` prints (iproute2, ss(8)). A missing uid is that of
// root. Names of processes are not asked for: they could forge rows.
func SS(text []byte) (sockets []Socket, bad int) {
	for _, line := range lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[0] == "Netid" {
			bad += min(len(fields), 1)
			continue
		}
		if fields[1] != "LISTEN" && fields[1] != "UNCONN" {
			continue
		}
		host, port := cutPort(fields[4], ":")
		host, zone, _ := strings.Cut(strings.Trim(host, "[]"), "%")
		zone = strings.Trim(zone, "[]")
		star := host == "*" // all of IPv4 and IPv6
		protocol, _, ok := transport(fields[0])
		if !ok {
			continue
		}
		host = strings.Trim(host, "[]")
		if zone != "" && strings.Contains(host, ":") {
			host += "%" + zone
		}
		s, ok := socketOf(protocol, star, host, port)
		if !ok {
			bad++
			continue
		}
		s.UID = 0
		for _, field := range fields[6:] {
			s.attribute(field)
		}
		sockets = append(sockets, s)
	}
	return sockets, bad
}

// attribute takes in a field like uid:33, ino:12345 or v6only:1.
func (s *Socket) attribute(field string) {
	key, value, _ := strings.Cut(field, ":")
	switch key {
	case "uid":
		if uid, err := strconv.ParseUint(value, 10, 32); err == nil {
			s.UID = int(uid)
		}
	case "ino":
		s.Inode, _ = strconv.ParseUint(value, 10, 64)
	case "v6only":
		s.OnlyV6 = value == "1"
	}
}

// Netstat reads what `netstat -tuln` prints, with or without -p and -e, of
// net-tools and of BusyBox.
func Netstat(text []byte) (sockets []Socket, bad int) {
	for _, line := range lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		protocol, six, ok := transport(fields[0])
		if !ok {
			continue
		}
		if protocol == state.TCP && (len(fields) < 6 || fields[5] != "LISTEN") {
			continue
		}
		if protocol == state.UDP && !strings.HasSuffix(fields[4], ":*") {
			continue // connected
		}
		host, port := cutPort(fields[3], ":")
		if strings.Contains(host, ":") {
			six = true
		}
		s, ok := socketOf(protocol, six, host, port)
		if !ok {
			bad++
			continue
		}
		for _, field := range fields[5:] {
			s.program(field)
		}
		sockets = append(sockets, s)
	}
	return sockets, bad
}

// program takes in "PID/Program name".
func (s *Socket) program(field string) {
	number, name, ok := strings.Cut(field, "/")
	pid, err := strconv.ParseUint(number, 10, 31)
	if ok && err == nil && s.PID == 0 {
		s.PID, s.Name = int(pid), state.Clean(name)
	}
}
