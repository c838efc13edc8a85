package state

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rule approves ports by policy: in each run those that are open, match all of it, and are
// approved by nobody else. Such an approval is bound to what was seen, as any other is.
type Rule struct {
	Approve []RulePorts `json:"approve" yaml:"approve,flow"`
	Hosts   []Spec      `json:"hosts,omitempty" yaml:"hosts,flow,omitempty"` // empty: any
	Tags    []string    `json:"tags,omitempty" yaml:"tags,flow,omitempty"`   // one of them; empty: any
	Service string      `json:"service,omitempty" yaml:"service,omitempty"`  // as nmap calls it: "ssh", "ssl/http"; empty: any
	Product string      `json:"product,omitempty" yaml:"product,omitempty"`  // or its family; case plays no part; empty: any
	Process string      `json:"process,omitempty" yaml:"process,omitempty"`  // the executable, from the inside view; empty: any
	Reason  string      `json:"reason,omitempty" yaml:"reason,omitempty"`
	By      string      `json:"by,omitempty" yaml:"by,omitempty"` // who answers for it; empty: RuleAuthor
	Until   *time.Time  `json:"until,omitempty" yaml:"until,omitempty"`

	Where string `json:"-" yaml:"-"` // "rules.yaml:12"
}

// RuleAuthor is who approves by a rule that names nobody.
const RuleAuthor = "rule"

// ViaRule is how the approvals of rules are given.
const ViaRule = "rule"

// RulePorts are ports of a protocol.
type RulePorts struct {
	Protocol Protocol
	Ports    PortSet
}

// ParseRulePorts reads "22/tcp", "8000-8010/tcp" or "22", which is TCP.
func ParseRulePorts(text string) (RulePorts, error) {
	numbers, word, given := strings.Cut(text, "/")
	r := RulePorts{Protocol: TCP}
	if given {
		var err error
		if r.Protocol, err = ParseProtocol(word); err != nil {
			return r, err
		}
	}
	var err error
	if r.Ports, err = ParsePortSet(numbers); err == nil && r.Ports.Len() == 0 {
		err = fmt.Errorf("port %q is none", text)
	}
	return r, err
}

// String is what ParseRulePorts reads.
func (r RulePorts) String() string { return r.Ports.String() + "/" + string(r.Protocol) }

// MarshalText writes what ParseRulePorts reads.
func (r RulePorts) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// ID tells a rule from others by what it says: one that is changed is another one.
func (r Rule) ID() string {
	text, err := json.Marshal(r)
	if err != nil {
		text = []byte(err.Error()) // nothing in it can fail
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// Author is who approves.
func (r Rule) Author() string { return cmp.Or(r.By, RuleAuthor) }

// Over says whether the time of the rule is over.
func (r Rule) Over(at time.Time) bool { return r.Until != nil && !r.Until.After(at) }

// Matches says whether the rule approves a port of a host.
func (r Rule) Matches(h *HostReport, p *PortReport) bool {
	return p.State == Open &&
		slices.ContainsFunc(r.Approve, func(a RulePorts) bool { return a.Protocol == p.Protocol && a.Ports.Contains(p.Number) }) &&
		(len(r.Hosts) == 0 || slices.ContainsFunc(r.Hosts, func(s Spec) bool { return s.names(h) })) &&
		(len(r.Tags) == 0 || slices.ContainsFunc(r.Tags, func(tag string) bool { return slices.Contains(h.Tags, tag) })) &&
		(r.Service == "" || r.Service == p.Service.String()) &&
		(r.Product == "" || strings.EqualFold(r.Product, p.Service.Product) || strings.EqualFold(r.Product, p.Service.Family())) &&
		(r.Process == "" || r.Process == p.Behind().Exe)
}

// names says whether a spec names a host.
func (s Spec) names(h *HostReport) bool {
	if s.kind == SpecName {
		return slices.ContainsFunc(h.Names, func(name string) bool { return strings.EqualFold(strings.TrimSuffix(name, "."), s.text) })
	}
	return s.Contains(h.Address)
}

// String says in a line what the rule approves: "22/tcp with service ssh on tag prod".
func (r Rule) String() string {
	ports := make([]string, len(r.Approve))
	for i, p := range r.Approve {
		ports[i] = p.String()
	}
	parts := ports
	for _, part := range []struct{ word, value string }{{"service", r.Service}, {"product", r.Product}, {"process", r.Process}} {
		if part.value != "" {
			parts = append(parts, part.word+" "+part.value)
		}
	}
	text := strings.Join(parts, ", ")
	const few = 3
	hosts := make([]string, 0, few)
	for _, spec := range r.Hosts[:min(few, len(r.Hosts))] {
		hosts = append(hosts, spec.String())
	}
	if more := len(r.Hosts) - few; more > 0 {
		hosts = append(hosts, fmt.Sprintf("%d more", more))
	}
	if len(hosts) > 0 {
		text += " on " + strings.Join(hosts, ", ")
	}
	if len(r.Tags) > 0 {
		text += ", tagged " + strings.Join(r.Tags, " or ")
	}
	return text
}

// RuleMatch is what a rule approves as things stand.
type RuleMatch struct {
	Rule     Rule
	Ports    int // open ports that it matches and no rule before it
	Hosts    int // on which they are
	Others   int // of them that a person approved
	Unlinked int // of them that it does not approve, for a person took that back
}
