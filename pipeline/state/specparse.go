package state

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// SpecError says why a text is no target.
type SpecError struct {
	Text   string // as it was given; hostile
	Reason string // what is wrong with it, and what to write instead
}

// Error names the text and the reason; the text is cleaned.
func (e *SpecError) Error() string { return "target " + quoted(e.Text) + ": " + e.Reason }

// Limits of DNS (RFC 1035, section 2.3.4).
const (
	maxName  = 253
	maxLabel = 63
)

// ParseSpec reads a target: an IPv4 or IPv6 address ("10.20.0.7",
// "2001:db8::7"), a prefix ("10.20.0.0/24"; host bits are dropped, as nmap
// does), an IPv4 range in nmap's spelling ("10.20.1.5-9", "10.0.0-3.1-254") or a
// DNS name in ASCII (RFC 1123, section 2.1; lower-cased). Anything else is a
// SpecError: options, shell text, lists, URLs, ports, zones and white space
// never become a target. How many addresses a target may have is CheckCap's
// business.
func ParseSpec(text string) (Spec, error) {
	spec, reason := parseSpec(text)
	if reason != "" {
		return Spec{}, &SpecError{text, reason}
	}
	return spec, nil
}

func parseSpec(text string) (spec Spec, reason string) {
	if reason := suspicious(text); reason != "" {
		return Spec{}, reason
	}
	switch {
	case strings.Contains(text, "/"):
		return parsePrefix(text)
	case strings.Contains(text, ":"):
		return parseAddress(text)
	case strings.Trim(text, "0123456789.-") == "": // never a name, so never looked up
		if strings.Contains(text, "-") {
			return parseRange(text)
		}
		return parseAddress(text)
	}
	return parseName(text)
}

// suspicious returns why a text cannot be a target whatever its form, or
// nothing. It says what the writer probably meant.
func suspicious(text string) string {
	if text == "" {
		return "is empty: write an address, a prefix, a range or a DNS name"
	}
	if text[0] == '-' {
		return "begins with a dash: options of nmap are no targets, and none is ever passed on"
	}
	if strings.Contains(text, "://") {
		return "is a URL: write its host name or address alone"
	}
	if strings.ContainsAny(text, "[]") {
		return "has brackets: write an IPv6 address without them"
	}
	if strings.Contains(text, "%") {
		return "has a zone: write the address without it, link-local hosts cannot be targets of their own"
	}
	if strings.Contains(text, ",") {
		return "has a comma: list every target by itself"
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case c == '.', c == '-', c == ':', c == '/':
		case c >= 0x80:
			return "is not ASCII: write an international name in its ASCII form (xn--...)"
		default:
			return fmt.Sprintf("has %s in it: an address, a prefix, a range or a DNS name has letters, digits, dots and dashes only", quoted(string(c)))
		}
	}
	return ""
}

func parseAddress(text string) (spec Spec, reason string) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		if host, port, ok := strings.Cut(text, ":"); ok && !strings.Contains(port, ":") {
			return Spec{}, fmt.Sprintf("has a port: write %s and put the port into the profile", quoted(host))
		}
		if strings.Contains(text, ":") {
			return Spec{}, "is no IPv6 address: write it like 2001:db8::7"
		}
		return Spec{}, "is no IPv4 address: write four numbers from 0 to 255 without leading zeros, like 10.20.0.7"
	}
	return addressSpec(addr.Unmap())
}

func addressSpec(addr netip.Addr) (spec Spec, reason string) {
	if addr.IsUnspecified() || addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return Spec{}, "is no address of a host: the unspecified, multicast and broadcast addresses cannot be scanned"
	}
	return Spec{kind: SpecAddress, text: addr.String(), prefix: netip.PrefixFrom(addr, addr.BitLen())}, ""
}

func parsePrefix(text string) (spec Spec, reason string) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		host, _, _ := strings.Cut(text, "/")
		switch _, err := netip.ParseAddr(host); {
		case err == nil && strings.Contains(host, ":"):
			return Spec{}, "has no valid prefix length: an IPv6 prefix ends with /0 to /128"
		case err == nil:
			return Spec{}, "has no valid prefix length: an IPv4 prefix ends with /0 to /32"
		case host != "" && strings.Trim(host, "0123456789.") == "":
			return Spec{}, "is no prefix: write all four parts of the address, like 10.0.0.0/24"
		case host != "" && strings.Trim(host, "0123456789.-") == "":
			return Spec{}, "mixes a range and a prefix: write one of them, 10.20.1.5-9 or 10.20.1.0/24"
		}
		return Spec{}, "is no prefix: write the network as an address, like 10.20.0.0/24 or 2001:db8::/120"
	}
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	if prefix.IsSingleIP() {
		return addressSpec(prefix.Addr())
	}
	prefix = prefix.Masked()
	return Spec{kind: SpecPrefix, text: prefix.String(), prefix: prefix}, ""
}

// parseRange reads nmap's octet ranges (nmap(1), "Target specification").
func parseRange(text string) (spec Spec, reason string) {
	const remedy = "is no range: write it like 10.20.1.5-9 or 10.0.0-3.1-254, each number from 0 to 255, the smaller first"
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return Spec{}, remedy
	}
	spec.kind = SpecRange
	single := true
	for i, part := range parts {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		low, lowOK := parseOctet(first)
		high, highOK := parseOctet(last)
		if !lowOK || !highOK || low > high {
			return Spec{}, remedy
		}
		spec.octets[i] = octets{low, high}
		single = single && low == high
		parts[i] = strconv.Itoa(int(low))
		if low < high {
			parts[i] += "-" + strconv.Itoa(int(high))
		}
	}
	spec.text = strings.Join(parts, ".")
	if single {
		return parseAddress(spec.text)
	}
	return spec, ""
}

// parseOctet refuses leading zeros: some programs read them as octal.
func parseOctet(s string) (uint8, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return uint8(n), err == nil && (s == "0" || s[0] != '0')
}

func parseName(text string) (spec Spec, reason string) {
	if len(text) > maxName {
		return Spec{}, fmt.Sprintf("is too long: a DNS name has at most %d characters", maxName)
	}
	name := strings.ToLower(text)
	labels := strings.Split(name, ".")
	for _, label := range labels {
		switch {
		case label == "":
			return Spec{}, "is no DNS name: two dots in a row, or one at the begin or end"
		case len(label) > maxLabel:
			return Spec{}, fmt.Sprintf("is no DNS name: a part between dots has at most %d characters", maxLabel)
		case label[0] == '-' || label[len(label)-1] == '-':
			return Spec{}, "is no DNS name: a part between dots neither begins nor ends with a dash"
		}
	}
	if last := labels[len(labels)-1]; numeric(last) {
		return Spec{}, "is neither an address nor a DNS name: the last part of a name is no number"
	}
	return Spec{kind: SpecName, text: name}, ""
}

// numeric says whether a label is a number, or one to the C library's
// inet_aton, which also reads hexadecimal.
func numeric(label string) bool {
	if digits, isHex := strings.CutPrefix(label, "0x"); isHex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}
