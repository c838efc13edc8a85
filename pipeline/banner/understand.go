package banner

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// Bounds of what is taken of words that we do not understand.
const (
	maxLines = 8
	groupLen = 4 // bytes of a part of what is no text
)

// MySQL's packets (MySQL internals, "Protocol::Handshake", "ERR_Packet").
const (
	mysqlHeader   = 4 // length (3, little endian), sequence number
	mysqlHello    = 10
	mysqlError    = 0xff
	mysqlTooMany  = 1040 // ER_CON_COUNT_ERROR
	mysqlMaxHello = 1 << 10
)

// understand finds the kind of service in what a port said, and what of it stays
// the same; own is our address, which some services repeat.
//
// It goes by the words alone, not by when they came, so that a greeting that came
// late, after we had asked, is the same as one that came in time.
func understand(said []byte, end ending, own string) voice {
	first, complete := firstLine(said)
	switch {
	case len(said) == 0:
		return voice{kind: silence}
	case tlsRecord(said):
		return voice{kind: "tls record", wantsTLS: true}
	case isHTTP(said):
		return understandHTTP(said, end, own)
	case mysqlPacket(said) != nil:
		return understandMySQL(mysqlPacket(said))
	case complete && (oneLine(said) || isBusy(first)):
		return voice{kind: "line", parts: mask(sameReply(first), own), sure: true, busy: isBusy(first)}
	case sshLine(said) != "":
		// Without the key exchange after it, which begins with a random cookie
		// (RFC 4253, sections 4.2 and 7.1).
		return voice{kind: "ssh", parts: []string{sshLine(said)}, sure: true}
	case bytes.HasPrefix(said, []byte("AMQP")) && len(said) >= 8:
		return voice{kind: "amqp", parts: []string{string(said[:8])}, sure: true}
	case end == endTrickle:
		return voice{kind: "trickle"}
	case isText(said):
		return voice{kind: "text", parts: textParts(said, own)}
	}
	return voice{kind: "bytes", parts: slices.Collect(groups(said))}
}

// whole says whether nothing that comes after could change what is understood.
func whole(said []byte) bool {
	first, complete := firstLine(said)
	switch {
	case isHTTP(said):
		return httpWhole(said)
	case mysqlPacket(said) != nil, sshLine(said) != "":
		return true
	case bytes.HasPrefix(said, []byte("AMQP")):
		return len(said) >= 8
	}
	return complete && (oneLine(said) || isBusy(first))
}

// firstLine is the first line without its end, and whether it has one.
func firstLine(said []byte) (string, bool) {
	line, _, ended := bytes.Cut(said, []byte("\n"))
	return strings.TrimRight(string(line), "\r"), ended
}

// sshLine is the identification line of SSH (RFC 4253, section 4.2), before which
// a server may send other lines; "" until it is complete.
func sshLine(said []byte) string {
	for line := range bytes.Lines(said) {
		if bytes.HasPrefix(line, []byte("SSH-")) && bytes.HasSuffix(line, []byte("\n")) {
			return strings.TrimRight(string(line), "\r\n")
		}
	}
	return ""
}

// oneLine says whether the first line is all that counts: replies with a number
// (SMTP, FTP, NNTP), with a sign (POP3, IMAP, Redis), and the versions of VNC,
// rsync and memcached. Of a reply of several lines the rest may come late or tell
// the time and the number of users.
func oneLine(said []byte) bool {
	for _, start := range []string{"RFB ", "@RSYNCD:", "ERROR\r", "+OK", "* OK", "* BYE", "* PREAUTH"} {
		if bytes.HasPrefix(said, []byte(start)) {
			return true
		}
	}
	return isReply(said) || len(said) > 2 && said[0] == '-' && isUpper(said[1]) && isUpper(said[2])
}

// isReply says whether words begin with a reply code (RFC 5321, section 4.2).
func isReply(said []byte) bool {
	return len(said) > 3 && said[0] >= '1' && said[0] <= '5' && isDigit(said[1]) && isDigit(said[2]) && (said[3] == ' ' || said[3] == '-')
}

// sameReply is a reply without the sign that more lines follow.
func sameReply(line string) string {
	if isReply([]byte(line)) && line[3] == '-' {
		return line[:3] + " " + line[4:]
	}
	return line
}

// isBusy says whether a service refuses for now: SMTP and FTP with 421 or 120, IMAP
// with BYE, OpenSSH over MaxStartups or with a penalty for us, Redis while it loads.
func isBusy(line string) bool {
	for _, start := range []string{"421 ", "421-", "120 ", "* BYE", "-ERR [IN-USE]", "-ERR [SYS/TEMP]", "-LOADING", "Exceeded MaxStartups", "Not allowed at this time"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

// mysqlPacket is the first packet of a MySQL server: a greeting or an error; nil
// for anything else and until it is complete.
func mysqlPacket(said []byte) []byte {
	if len(said) <= mysqlHeader+2 || said[2] != 0 || said[3] != 0 || said[4] != mysqlHello && said[4] != mysqlError {
		return nil
	}
	size := int(binary.LittleEndian.Uint16(said))
	if size < 3 || size > mysqlMaxHello || len(said) < mysqlHeader+size {
		return nil
	}
	return said[mysqlHeader : mysqlHeader+size]
}

// understandMySQL takes the protocol and the version, or the number of an error:
// what follows are a thread id and a salt, or our own name.
func understandMySQL(packet []byte) voice {
	if packet[0] == mysqlError {
		code := binary.LittleEndian.Uint16(packet[1:])
		return voice{kind: "mysql error", parts: []string{string(packet[1:3])}, sure: true, busy: code == mysqlTooMany}
	}
	version, _, _ := bytes.Cut(packet[1:], []byte{0})
	return voice{kind: "mysql", parts: []string{string(version)}, sure: true}
}
