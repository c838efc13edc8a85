package load

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// targetRow reads a line of a table; an empty one is nothing.
func (f *faults) targetRow(line int, columns, cells []string, common state.Target) (state.Target, bool) {
	before := len(f.list)
	t := common
	t.Where = fmt.Sprintf("%s:%d", f.file, line)
	empty := true
	for i, cell := range cells {
		cell = plainCell(cell)
		switch {
		case cell == "":
			continue
		case i >= len(columns) || columns[i] == "":
			f.add(line, "%s stands in a column without a name", show(cell))
		default:
			f.cell(line, columns[i], cell, &t)
		}
		empty = false
	}
	if !empty && t.Spec.IsZero() && len(f.list) == before {
		f.add(line, "the target is missing: name an address, prefix, range or DNS name")
	}
	return t, !empty && len(f.list) == before
}

// cell reads what a cell of a table says of a target.
func (f *faults) cell(line int, column, cell string, t *state.Target) {
	specOf := func(text string) (spec state.Spec) {
		spec, err := state.ParseSpec(text)
		if err != nil {
			f.addErr(line, err)
		}
		return spec
	}
	switch column {
	case "target":
		t.Spec = specOf(cell)
	case "tags":
		t.Tags = slices.Compact(slices.Sorted(slices.Values(slices.Concat(t.Tags, Words(cell)))))
	case "owner":
		t.Owner = cell
	case "profile":
		t.Profile = cell
	case "vantage":
		t.Vantage = cell
	case "exclude":
		t.Exclude = nil
		for _, word := range Words(cell) {
			t.Exclude = append(t.Exclude, specOf(word))
		}
	case "ssh":
		switch strings.ToLower(cell) {
		case "on", "yes", "true":
			t.SSH.Look = state.LookOn
		case "off", "no", "false":
			t.SSH.Look = state.LookOff
		default:
			f.add(line, "ssh %s: it takes on or off, or nothing for what the config says", show(cell))
		}
	case "ssh_user":
		t.SSH.User = cell
	case "ssh_port":
		port, err := strconv.ParseUint(cell, 10, 16)
		if err != nil || port == 0 {
			f.add(line, "ssh_port %s: it takes a number from 1 to 65535", show(cell))
		}
		t.SSH.Port = uint16(port)
	}
}

// Words splits what people type into one field: by spaces, commas and semicolons.
func Words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\t' || r == '\n' || r == '\r' })
}
