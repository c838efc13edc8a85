package scan

import (
	"fmt"
	"net/netip"
	"strings"

	"ownmap/pipeline/state"
)

// stderrNotes says once what nmap said on its standard error about many hosts.
// Its texts are searched for, never shown or used as a format.
func stderrNotes(stderr string) []string {
	var unresolved, gaveUp, root int
	for line := range strings.Lines(stderr) {
		switch {
		case strings.Contains(line, "Failed to resolve"):
			unresolved++
		case strings.Contains(line, "retransmission cap hit"): // capped tells
		case strings.Contains(line, "giving up on port"):
			gaveUp++
		case strings.Contains(line, "requires root privileges"):
			root++
		}
	}
	var notes []string
	add := func(n int, text string) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf(text, state.Count(n, "host", "hosts")))
		}
	}
	add(unresolved, "nmap could not resolve %s")
	add(gaveUp, "nmap gave up on ports of %s")
	if root > 0 {
		notes = append(notes, "nmap lacks the rights for this scan: it takes root or CAP_NET_RAW")
	}
	return notes
}

// cappedNote tells of hosts on which nmap gave up because packets are lost.
func cappedNote(hosts int) string {
	return fmt.Sprintf("nmap gave up on ports of %s (retransmission cap hit): packets are lost, a lower rate may find more",
		state.Count(hosts, "host", "hosts"))
}

// capped returns the hosts on which nmap gave up because packets are lost;
// its line is "Warning: ADDRESS giving up on port because retransmission cap hit
// (2)", then a period.
func capped(stderr string) []netip.Addr {
	var hosts []netip.Addr
	for line := range strings.Lines(stderr) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "Warning:" || !strings.Contains(line, "retransmission cap hit") {
			continue
		}
		if address, err := netip.ParseAddr(words[1]); err == nil {
			hosts = append(hosts, address)
		}
	}
	return hosts
}
