package state

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Service is what stands behind an open port, in the words of nmap's service
// detection (nmap.dtd, element service). All texts are cleaned.
type Service struct {
	Name      string   // "http"; with Probed false only nmap's guess from the port number
	Product   string   // "nginx"
	Version   string   // "1.22.1"
	ExtraInfo string   // "Ubuntu"; may be volatile, so it takes no part in comparisons
	Tunnel    string   // "ssl" or empty
	CPE       []string // Common Platform Enumeration names, cpe:/a:...
	Probed    bool     // service detection looked at this port in the pass
}

// String returns the name as nmap prints it, with the tunnel before it:
// "ssl/http".
func (s Service) String() string {
	if s.Tunnel == "" {
		return s.Name
	}
	return s.Tunnel + "/" + s.Name
}

// Described returns product, version and extra information in one text, as
// nmap's VERSION column has them.
func (s Service) Described() string {
	extra := s.ExtraInfo
	if extra != "" {
		extra = "(" + extra + ")"
	}
	return strings.Join(slices.DeleteFunc([]string{s.Product, s.Version, extra}, func(t string) bool { return t == "" }), " ")
}

// Fingerprint identifies what was seen behind a port.
type Fingerprint [16]byte

// String returns the fingerprint in hexadecimal.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// Fingerprint returns the first 16 bytes of the SHA-256 over the material
// fields, each ended by a zero byte. ExtraInfo is left out: it carries clocks
// and counters on some services, and a clock is no change.
func (s Service) Fingerprint() Fingerprint {
	h := sha256.New()
	probed := "table"
	if s.Probed {
		probed = "probed"
	}
	cpe := slices.Sorted(slices.Values(s.CPE))
	for _, field := range append([]string{probed, s.Tunnel, s.Name, s.Product, s.Version}, cpe...) {
		h.Write([]byte(field))
		h.Write([]byte{0})
	}
	return Fingerprint(h.Sum(nil)[:16])
}

// Family returns the product without what looks like a version, in lower case:
// "Microsoft SQL Server 2019" and "... 2022" are one family. An approval is
// bound to the family, so that an upgrade does not void it.
func (s Service) Family() string {
	words := strings.Fields(strings.ToLower(s.Product))
	for i, w := range words {
		if i > 0 && w[0] >= '0' && w[0] <= '9' {
			words = words[:i]
			break
		}
	}
	return strings.Join(words, " ")
}
