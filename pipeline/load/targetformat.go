package load

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// The formats of files of targets.
const (
	formatList   = "list"
	formatTable  = "table"
	formatHosts  = "hosts"
	formatSSH    = "ssh-config"
	formatNetBox = "netbox"
)

// TargetFormats returns the formats in which ImportTargets reads targets.
func TargetFormats() []string {
	return []string{formatList, formatTable, formatHosts, formatSSH, formatNetBox}
}

// targetFormat says how a file of targets is written. A list is whatever is nothing else.
func targetFormat(text []byte) string {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		return formatNetBox
	}
	if _, isTable := tableOf(text); isTable {
		return formatTable
	}
	if isNetBoxTable(text) {
		return formatNetBox
	}
	first := true
	for line := range bytes.Lines(text) {
		words := uncommented(string(line))
		if len(words) == 0 {
			continue
		}
		if keyword, value := sshKeyword(string(line)); first && value != "" && slices.Contains([]string{"host", "match", "include"}, keyword) {
			return formatSSH
		}
		first = false
		// Every hosts file has this line, and nobody lists both as targets.
		if a, err := netip.ParseAddr(words[0]); err == nil && a.IsLoopback() && slices.Contains(words[1:], "localhost") {
			return formatHosts
		}
	}
	return formatList
}

// uncommented returns the words of a line before a #.
func uncommented(line string) []string {
	line, _, _ = strings.Cut(line, "#")
	return strings.Fields(line)
}

// hostsFile reads hosts(5): an address and its names on each line.
func (f *faults) hostsFile(text []byte, common state.Target) (targets []state.Target, notes []string) {
	seen := map[netip.Addr]bool{}
	no := 0
	for line := range bytes.Lines(text) {
		no++
		words := uncommented(string(line))
		if len(words) == 0 {
			continue
		}
		address, err := netip.ParseAddr(words[0])
		switch {
		case err != nil:
			f.add(no, "%s is no address: a line of a hosts file begins with one", show(words[0]))
			continue
		case strangeAddress(address) != "":
			notes = append(notes, f.passed(no, state.Label(strings.Join(words[1:], " "), address), strangeAddress(address)))
			continue
		case seen[address]:
			continue
		}
		seen[address] = true
		if t, ok := f.targetAt(no, address.String(), common); ok {
			targets = append(targets, t)
		}
	}
	return targets, notes
}

// passed says that something is no target.
func (f *faults) passed(line int, what, why string) string {
	return state.Clean(fmt.Sprintf("%s:%d: %s is left out: %s", f.file, line, what, why))
}

// strangeAddress says why nobody else's host has an address; empty: one may.
func strangeAddress(a netip.Addr) string {
	switch {
	case a.IsLoopback():
		return "it is this machine itself"
	case a.IsUnspecified():
		return "it is no address of a host"
	case a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || a == netip.MustParseAddr("fe00::"):
		return "it is the address of many hosts"
	case a.IsLinkLocalUnicast():
		return "it is good on one link alone"
	}
	return ""
}

// targetAt makes a target of a text.
func (f *faults) targetAt(line int, text string, common state.Target) (state.Target, bool) {
	t := common
	t.Where = fmt.Sprintf("%s:%d", f.file, line)
	spec, err := state.ParseSpec(text)
	if err != nil {
		f.addErr(line, err)
		return t, false
	}
	t.Spec = spec
	t.Tags = slices.Clone(common.Tags)
	return t, true
}

// isNetBoxTable says whether the first line of a text names columns as NetBox does.
func isNetBoxTable(text []byte) bool {
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = -1
	cells, err := reader.Read()
	if err != nil || len(cells) < 2 {
		return false
	}
	return slices.ContainsFunc(cells, func(c string) bool { return netBoxColumn(c).isAddress() })
}
