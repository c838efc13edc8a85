package state

import "net/netip"

// SpecKind is the form of a target's spec.
type SpecKind string

// The forms that a target can have.
const (
	SpecAddress SpecKind = "address"
	SpecPrefix  SpecKind = "prefix"
	SpecRange   SpecKind = "range"
	SpecName    SpecKind = "name"
)

// Spec is a parsed target: the only thing about a target that ever reaches
// nmap, and only as addresses. ParseSpec is the only way to make one.
type Spec struct {
	kind   SpecKind
	text   string // canonical
	prefix netip.Prefix
	octets [4]portRange // of a range; each from 0 to 255
}

// Kind returns the form of the spec.
func (s Spec) Kind() SpecKind { return s.kind }

// String returns the canonical spelling, which ParseSpec reads back.
func (s Spec) String() string { return s.text }

// MarshalText writes the canonical spelling.
func (s Spec) MarshalText() ([]byte, error) { return []byte(s.text), nil }
