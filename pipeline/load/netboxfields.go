package load

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"iter"
	"slices"
	"strings"
)

// netBoxWord is a value of the API that early versions wrote otherwise: a text, or an object
// that calls itself by one of several names.
type netBoxWord string

// UnmarshalJSON takes any of them; what is neither is none.
func (w *netBoxWord) UnmarshalJSON(text []byte) error {
	var plain string
	if json.Unmarshal(text, &plain) == nil {
		*w = netBoxWord(plain)
		return nil
	}
	var object struct {
		Value, Slug, Name, Display, Address any
	}
	if json.Unmarshal(text, &object) != nil {
		return nil //nolint:nilerr // a number, say: nothing that is used
	}
	for _, v := range []any{object.Address, object.Value, object.Slug, object.Name, object.Display} {
		if s, ok := v.(string); ok && s != "" {
			*w = netBoxWord(s)
			break
		}
	}
	return nil
}

// netBoxJSONObject is an object of the API: ipam/ip-addresses, ipam/prefixes, ipam/ip-ranges,
// dcim/devices or virtualization/virtual-machines.
type netBoxJSONObject struct {
	Name    string       `json:"name"`
	Display string       `json:"display"`
	Address string       `json:"address"`
	Prefix  string       `json:"prefix"`
	Start   string       `json:"start_address"`
	End     string       `json:"end_address"`
	Primary netBoxWord   `json:"primary_ip"`
	IP4     netBoxWord   `json:"primary_ip4"`
	IP6     netBoxWord   `json:"primary_ip6"`
	Status  netBoxWord   `json:"status"`
	Tags    []netBoxWord `json:"tags"`
	Tenant  *struct {
		Name string `json:"name"`
	} `json:"tenant"`
}

func (j netBoxJSONObject) object() netBoxObject {
	o := netBoxObject{
		name: cmp.Or(j.Name, j.Display, j.Address, j.Prefix, "an object without a name"), prefix: j.Prefix, first: j.Start, last: j.End,
		status: strings.ToLower(string(j.Status)),
	}
	for _, text := range []string{j.Address, string(j.IP4), string(j.IP6), string(j.Primary)} {
		if text != "" && !slices.Contains(o.addresses, text) {
			o.addresses = append(o.addresses, text)
		}
	}
	for _, tag := range j.Tags {
		o.tags = append(o.tags, tagOf(string(tag)))
	}
	if j.Tenant != nil {
		o.tenant = j.Tenant.Name
	}
	return o
}

// netBoxField is a column of NetBox's tables.
type netBoxField string

// netBoxColumn returns which one is meant: the pages call columns otherwise than the old
// export did, and than one another.
func netBoxColumn(name string) netBoxField {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", " ")
	switch name {
	case "ip address", "address", "ipv4 address", "ipv6 address", "primary ip", "primary ip4", "primary ip6", "primary ipv4", "primary ipv6":
		return "address"
	case "prefix", "prefix (flat)":
		return "prefix"
	case "start address", "end address", "name", "status", "tags", "tenant":
		return netBoxField(name)
	}
	return ""
}

func (c netBoxField) isAddress() bool { return c == "address" || c == "prefix" || c == "start address" }

// netBoxTable reads CSV.
func (f *faults) netBoxTable(text []byte) iter.Seq[netBoxObject] {
	return func(yield func(netBoxObject) bool) {
		var columns []netBoxField
		for line, cells := range f.rows(csv.NewReader(bytes.NewReader(text))) {
			if columns != nil {
				if !yield(netBoxRow(line, columns, cells)) {
					return
				}
				continue
			}
			for _, cell := range cells {
				columns = append(columns, netBoxColumn(cell))
			}
			if !slices.ContainsFunc(columns, netBoxField.isAddress) {
				f.add(line, "no export of NetBox: no column is called IP Address, Prefix or Start address")
				return
			}
		}
	}
}

func netBoxRow(line int, columns []netBoxField, cells []string) netBoxObject {
	o := netBoxObject{line: line}
	for i, cell := range cells[:min(len(cells), len(columns))] {
		cell = plainCell(cell)
		if cell == "" || cell == "—" {
			continue
		}
		switch columns[i] {
		case "address":
			if !slices.Contains(o.addresses, cell) {
				o.addresses = append(o.addresses, cell)
			}
		case "prefix":
			o.prefix = cmp.Or(o.prefix, cell)
		case "start address":
			o.first = cell
		case "end address":
			o.last = cell
		case "name":
			o.name = cell
		case "status":
			o.status = strings.ToLower(cell)
		case "tenant":
			o.tenant = cell
		case "tags":
			for tag := range strings.SplitSeq(cell, ",") {
				o.tags = append(o.tags, tagOf(tag))
			}
		}
	}
	o.name = cmp.Or(o.name, strings.Join(o.addresses, " "), o.prefix, o.first, "an object without a name")
	return o
}
