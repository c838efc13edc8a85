package listing

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// How many ports of one rule and of all rules are told apart, and how deep chains
// are followed.
const (
	maxMapped   = 1024
	maxMappings = 100_000
	maxChains   = 16
)

// IPTables reads the rules of `iptables-save -t nat` that hand ports on to
// somewhere else (iptables-extensions(8), DNAT and REDIRECT): those of PREROUTING
// and of the chains that it jumps to, for what the host itself sends is nobody's
// business.
func IPTables(text []byte) []state.Mapping {
	all := lines(text)
	reached := map[string]bool{"PREROUTING": true}
	for depth, grown := 0, true; grown && depth < maxChains; depth++ {
		grown = false
		for _, line := range all {
			fields := strings.Fields(line)
			if len(fields) < 4 || fields[0] != "-A" || !reached[fields[1]] {
				continue
			}
			if target := option(fields, "-j", "--jump", "-g"); target != "" && !reached[target] {
				reached[target], grown = true, true
			}
		}
	}
	var list []state.Mapping
	for _, line := range all {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[0] != "-A" || !reached[fields[1]] {
			continue
		}
		to := option(fields, "--to-destination")
		if to == "" {
			if to = option(fields, "--to-ports"); to != "" {
				to = "port " + to
			}
		}
		if to == "" || negated(fields) {
			continue
		}
		m := state.Mapping{To: state.Clean(to), Via: "iptables"}
		if prefix, err := netip.ParsePrefix(option(fields, "-d")); err == nil && prefix.IsSingleIP() {
			m.Address = prefix.Addr()
		}
		list = appendMapped(list, m, option(fields, "-p"), option(fields, "--dport", "--dports"))
	}
	return list
}

// negated says whether a rule is for all ports or addresses but some.
func negated(fields []string) bool {
	for i := 0; i+1 < len(fields); i++ {
		if fields[i] == "!" && slices.Contains([]string{"-d", "-p", "--dport", "--dports"}, fields[i+1]) {
			return true
		}
	}
	return false
}

// option returns what stands behind one of these words.
func option(fields []string, words ...string) string {
	for i := 0; i+1 < len(fields); i++ {
		if slices.Contains(words, fields[i]) {
			return fields[i+1]
		}
	}
	return ""
}

// appendMapped adds a mapping for each port of a list like "80,443,8000:8010".
func appendMapped(list []state.Mapping, m state.Mapping, protocol, ports string) []state.Mapping {
	p, _, ok := transport(protocol)
	if !ok {
		return list
	}
	added := 0
	for part := range strings.SplitSeq(ports, ",") {
		low, high, isRange := strings.Cut(strings.ReplaceAll(strings.TrimSpace(part), "-", ":"), ":")
		first, err := strconv.ParseUint(low, 10, 16)
		last := first
		if isRange && err == nil {
			last, err = strconv.ParseUint(high, 10, 16)
		}
		if err != nil {
			continue
		}
		for n := max(first, 1); n <= last && added < maxMapped && len(list) < maxMappings; n++ {
			m.Port = state.Port{Protocol: p, Number: uint16(n)}
			list, added = append(list, m), added+1
		}
	}
	return list
}

// NFT reads the rules of `nft list ruleset` that hand ports on (nft(8), NAT
// statements): "tcp dport { 80, 443 } dnat ip to 10.0.0.2:8080", "redirect to :8080".
func NFT(text []byte) []state.Mapping {
	rule := regexp.MustCompile(`\b(tcp|udp) dport (\{[^}]*\}|[0-9-]+)[^#]*?\b(?:(?:dnat(?: ip6?)? to ([^ ]+))|(?:redirect to :?([0-9-]+)))`)
	address := regexp.MustCompile(`\bip6? daddr ([0-9a-fA-F.:]+)\b`)
	var list []state.Mapping
	for _, line := range lines(text) {
		if len(line) > 4096 {
			continue
		}
		found := rule.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		m := state.Mapping{To: state.Clean(found[3]), Via: "nftables"}
		if found[3] == "" {
			m.To = "port " + found[4]
		}
		if a := address.FindStringSubmatch(line); a != nil {
			m.Address, _ = netip.ParseAddr(a[1])
		}
		list = appendMapped(list, m, found[1], strings.Trim(found[2], "{} "))
	}
	return list
}

// Containers reads the lines "NAME IMAGE PORTS", parted by tabs, of `docker ps` or
// `podman ps`: "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp".
func Containers(runtime string, text []byte) []state.Mapping {
	published := regexp.MustCompile(`^(?:(.*):)?([0-9]+(?:-[0-9]+)?)->([0-9-]+)/(tcp|udp)$`)
	var list []state.Mapping
	for _, line := range lines(text) {
		fields := strings.Split(line, "\t")
		if len(fields) != 3 {
			continue
		}
		for part := range strings.SplitSeq(fields[2], ", ") {
			found := published.FindStringSubmatch(part)
			if found == nil {
				continue
			}
			m := state.Mapping{To: "port " + found[3] + " of " + state.Clean(fields[1]), Via: state.Clean(runtime + ":" + fields[0])}
			m.To = state.Clean(m.To)
			if host := strings.Trim(found[1], "[]"); host != "" {
				a, err := netip.ParseAddr(host)
				if err != nil {
					continue
				}
				if m.Address = a; a.IsUnspecified() {
					m.Address = netip.Addr{}
				}
			}
			list = appendMapped(list, m, found[4], found[2])
		}
	}
	return list
}
