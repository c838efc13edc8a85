package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"ownmap/pipeline/state"
)

// netBoxObject is what an export of NetBox says of an address, a prefix, a range, a device or
// a virtual machine, as far as it matters for a target.
type netBoxObject struct {
	line      int
	name      string   // what a note calls it
	addresses []string // "192.0.2.7/24": of hosts; with a mask, which is not theirs
	prefix    string
	first     string // of a range
	last      string
	status    string // "active"
	tags      []string
	tenant    string
}

// netBox reads an export of NetBox: JSON of its API, or CSV of a table of its pages.
func (f *faults) netBox(text []byte, common state.Target) (targets []state.Target, notes []string) {
	read := f.netBoxTable
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		read = f.netBoxJSON
	}
	seen := map[state.Spec]bool{}
	for o := range read(text) {
		if len(targets) > maxTargets {
			break // and checkTargets says so
		}
		if len(notes) > maxTargets {
			f.add(o.line, "more than %d objects without anything to scan: export addresses, prefixes or devices that are in use", maxTargets)
			break
		}
		if why := o.unused(); why != "" {
			notes = append(notes, f.passed(o.line, o.name, why))
			continue
		}
		specs, err := o.specs()
		if err != nil {
			f.addErr(o.line, err)
			continue
		}
		for _, spec := range specs {
			t, ok := f.targetAt(o.line, spec, common)
			if !ok || seen[t.Spec] {
				continue
			}
			seen[t.Spec] = true
			t.Tags = slices.Compact(slices.Sorted(slices.Values(slices.Concat(t.Tags, o.tags))))
			if o.tenant != "" {
				t.Owner = o.tenant
			}
			targets = append(targets, t)
		}
	}
	return targets, notes
}

// unused says why there is nothing to scan; empty: there is.
func (o netBoxObject) unused() string {
	switch o.status {
	case "container":
		return "its parts are what is used"
	case "reserved", "deprecated", "planned", "inventory", "decommissioning", "offline", "available":
		return "NetBox calls it " + o.status
	}
	if len(o.addresses) == 0 && o.prefix == "" && o.first == "" {
		return "it has no address"
	}
	return ""
}

// specs returns what to scan, as it is typed.
func (o netBoxObject) specs() ([]string, error) {
	if o.prefix != "" {
		return []string{strings.TrimSpace(strings.TrimLeft(o.prefix, "• "))}, nil
	}
	if o.first != "" {
		first, err := bareAddress(o.first)
		if err != nil {
			return nil, err
		}
		last, err := bareAddress(o.last)
		if err != nil {
			return nil, err
		}
		return between(first, last)
	}
	var specs []string
	for _, text := range o.addresses {
		address, err := bareAddress(text)
		if err != nil {
			return nil, err
		}
		specs = append(specs, address.String())
	}
	return specs, nil
}

// bareAddress reads an address with or without the length of its network.
func bareAddress(text string) (netip.Addr, error) {
	bare, _, _ := strings.Cut(strings.TrimSpace(text), "/")
	address, err := netip.ParseAddr(bare)
	if err != nil {
		return address, fmt.Errorf("%s is no address", show(text))
	}
	return address, nil
}

// between returns the prefixes that hold the addresses from first to last and no others.
func between(first, last netip.Addr) (specs []string, err error) {
	if first.BitLen() != last.BitLen() || last.Less(first) {
		return nil, fmt.Errorf("%s to %s is no range", first, last)
	}
	for first.IsValid() && !last.Less(first) {
		bits, end := first.BitLen(), first
		for bits > 0 {
			wider := netip.PrefixFrom(first, bits-1)
			to := lastOf(wider)
			if wider.Masked().Addr() != first || last.Less(to) {
				break
			}
			bits, end = bits-1, to
		}
		specs = append(specs, netip.PrefixFrom(first, bits).String())
		first = end.Next()
	}
	return specs, nil
}

// lastOf returns the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

// tagOf writes the name of a tag as a word.
func tagOf(name string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == ',' }), "-"))
}

// netBoxJSON reads what the API returns: a page with results, or their list alone.
func (f *faults) netBoxJSON(text []byte) iter.Seq[netBoxObject] {
	return func(yield func(netBoxObject) bool) {
		decoder := json.NewDecoder(bytes.NewReader(text))
		line, counted := 1, int64(0)
		err := netBoxObjects(decoder, func(o netBoxObject) bool {
			end := decoder.InputOffset()
			line, counted = line+bytes.Count(text[counted:end], []byte("\n")), end
			o.line = line
			return yield(o)
		})
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = errors.New("it has no end: the file was cut off")
		}
		if err != nil {
			f.add(line+bytes.Count(text[counted:decoder.InputOffset()], []byte("\n")), "no export of NetBox: %s", state.Clean(err.Error()))
		}
	}
}

// netBoxObjects hands the objects of a page or a list to yield until that returns false.
func netBoxObjects(decoder *json.Decoder, yield func(netBoxObject) bool) error {
	first, err := decoder.Token()
	if err != nil {
		return err
	}
	if first == json.Delim('{') {
		if err := intoResults(decoder); err != nil {
			return err
		}
	}
	for decoder.More() {
		var raw netBoxJSONObject
		if err := decoder.Decode(&raw); err != nil {
			return err
		}
		if !yield(raw.object()) {
			return nil
		}
	}
	_, err = decoder.Token()
	return err
}

// intoResults reads a page of the API up to its first result.
func intoResults(decoder *json.Decoder) error {
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		if key == "results" {
			open, err := decoder.Token()
			if err == nil && open != json.Delim('[') {
				err = errors.New("results are no list")
			}
			return err
		}
		var other json.RawMessage
		if err := decoder.Decode(&other); err != nil {
			return err
		}
	}
	return errors.New("there are no results in it")
}
