package state

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// FoldRules returns rules that approve what approvals do: the same port of many hosts, for
// the same reason, is one rule, and so are ports of the same hosts. The same approvals give
// the same rules in the same order. A rule holds for all vantages.
func FoldRules(approvals []Approval) []Rule {
	hosts := make(map[foldKey][]netip.Addr)
	for _, a := range approvals {
		key := foldKeyOf(a)
		hosts[key] = append(hosts[key], a.Address)
	}
	type fold struct {
		hosts string
		key   foldKey // without its port
	}
	rules := make(map[fold]*Rule)
	for key, addresses := range hosts {
		slices.SortFunc(addresses, netip.Addr.Compare)
		addresses = slices.Compact(addresses)
		at := fold{key: key}
		at.key.port = Port{}
		specs := make([]Spec, len(addresses))
		for i, address := range addresses {
			specs[i], _ = addressSpec(address)
			at.hosts += specs[i].String() + " "
		}
		rule := rules[at]
		if rule == nil {
			rule = &Rule{Hosts: specs, Service: key.service, Product: key.product, Process: key.process, Reason: key.reason, By: key.by}
			if key.until != 0 {
				until := time.UnixMicro(key.until).UTC()
				rule.Until = &until
			}
			rules[at] = rule
		}
		rule.add(key.port)
	}
	list := make([]Rule, 0, len(rules))
	for _, rule := range rules {
		slices.SortFunc(rule.Approve, func(a, b RulePorts) int { return strings.Compare(string(a.Protocol), string(b.Protocol)) })
		list = append(list, *rule)
	}
	slices.SortFunc(list, compareRules)
	return list
}

// foldKey is what approvals of one rule have in common.
type foldKey struct {
	port                                  Port
	service, product, process, reason, by string
	until                                 int64 // microseconds since 1970; 0: no end
}

func foldKeyOf(a Approval) foldKey {
	key := foldKey{port: a.Port, process: a.Behind().Exe, reason: a.Reason, by: a.By}
	if a.Probed {
		key.service, key.product = a.Service, a.Family
	}
	if key.by == RuleAuthor {
		key.by = ""
	}
	if a.Until != nil {
		key.until = a.Until.UnixMicro()
	}
	return key
}

// add adds a port to what a rule approves.
func (r *Rule) add(port Port) {
	for i := range r.Approve {
		if r.Approve[i].Protocol == port.Protocol {
			r.Approve[i].Ports = r.Approve[i].Ports.Union(PortsOf(port.Number))
			return
		}
	}
	r.Approve = append(r.Approve, RulePorts{port.Protocol, PortsOf(port.Number)})
}

func compareRules(a, b Rule) int {
	lowest := func(r Rule) uint16 {
		for n := range r.Approve[0].Ports.All() {
			return n
		}
		return 0
	}
	until := func(r Rule) int64 {
		if r.Until == nil {
			return 0
		}
		return r.Until.UnixMicro()
	}
	return cmp.Or(cmp.Compare(lowest(a), lowest(b)), cmp.Compare(a.Approve[0].Protocol, b.Approve[0].Protocol), strings.Compare(a.Service, b.Service),
		strings.Compare(a.Product, b.Product), strings.Compare(a.Process, b.Process), strings.Compare(a.Reason, b.Reason), strings.Compare(a.By, b.By),
		cmp.Compare(until(a), until(b)), strings.Compare(a.Hosts[0].String(), b.Hosts[0].String()), cmp.Compare(len(a.Hosts), len(b.Hosts)))
}
