package persist

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// UnknownHostError says that no host has such an address or name.
type UnknownHostError struct {
	Host string
	Near []string // names and addresses that are spelled alike, nearest first
}

// Error names the host and what may have been meant.
func (e *UnknownHostError) Error() string {
	msg := fmt.Sprintf("no host %q is known", e.Host)
	if len(e.Near) > 0 {
		msg += "; did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return msg
}

// AmbiguousHostError says that a name belongs to several hosts.
type AmbiguousHostError struct {
	Host      string
	Addresses []netip.Addr // of the hosts, sorted
}

// Error names the hosts.
func (e *AmbiguousHostError) Error() string {
	texts := make([]string, len(e.Addresses))
	for i, a := range e.Addresses {
		texts[i] = a.String()
	}
	return fmt.Sprintf("%q is %d hosts: say which of %s", e.Host, len(texts), strings.Join(texts, ", "))
}

// hostNamed returns the one host of an address or name.
func (v *view) hostNamed(ctx context.Context, text string) (seat, error) {
	rows, err := v.q.HostsKnown(ctx)
	if err != nil {
		return seat{}, fmt.Errorf("list hosts: %w", err)
	}
	var found []queries.HostsKnownRow
	for _, row := range rows {
		if (state.Host{Address: row.Address, Names: row.Names}).Is(text) {
			found = append(found, row)
		}
	}
	if len(found) == 0 {
		return seat{}, &UnknownHostError{Host: text, Near: near(text, rows)}
	}
	addresses := make([]netip.Addr, len(found))
	for i, row := range found {
		addresses[i] = row.Address
	}
	if addresses = slices.Compact(addresses); len(addresses) > 1 {
		return seat{}, &AmbiguousHostError{Host: text, Addresses: addresses}
	}
	best := slices.MinFunc(found, func(a, b queries.HostsKnownRow) int {
		return strings.Compare(v.preference(a.VantageID), v.preference(b.VantageID))
	})
	return seat{best.HostID, best.VantageID}, nil
}

// preference sorts vantages: the default one first.
func (v *view) preference(vantage int16) string {
	if name := v.vantages[vantage]; name != state.DefaultVantage {
		return name
	}
	return ""
}

// near returns up to three names and addresses that differ from text by a slip
// of the fingers.
func near(text string, rows []queries.HostsKnownRow) []string {
	type candidate struct {
		text     string
		distance int
	}
	var candidates []candidate
	wanted := strings.ToLower(text)
	for _, row := range rows {
		for _, name := range append([]string{row.Address.String()}, row.Names...) {
			if alike(wanted, name) || strings.HasPrefix(strings.ToLower(name), wanted+".") {
				candidates = append(candidates, candidate{name, distance(wanted, name)})
			}
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return cmp.Or(a.distance-b.distance, strings.Compare(a.text, b.text)) })
	candidates = slices.Compact(candidates)
	var list []string
	for _, c := range candidates[:min(3, len(candidates))] {
		list = append(list, c.text)
	}
	return list
}

// alike says whether two words differ by a slip of the fingers.
func alike(a, b string) bool { return distance(a, b) <= 2 }

func distance(a, b string) int {
	return levenshtein.Distance(strings.ToLower(a), strings.ToLower(b), nil)
}
