package diff

import (
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// Asked is what a scan's own document says that was asked of it.
type Asked struct {
	Args  string // nmap's command line, as in the args attribute of nmaprun
	Total int    // addresses that it counts in runstats, up and down together
}

// Same says whether two documents come from scans that asked the same of as
// many addresses: equal arguments but for those about output.
func (a Asked) Same(b Asked) bool {
	question := a.Question()
	return question != "" && question == b.Question()
}

// Question returns what was asked in a form in which it can be compared; it is empty
// where nothing follows from the absence of a host: without arguments, for scans of random
// addresses (-iR), which never ask the same, and with --open, which leaves out hosts that
// answered.
func (a Asked) Question() string {
	asked := questions(a.Args)
	if a.Args == "" || slices.ContainsFunc(asked, func(arg string) bool { return arg == "-iR" || arg == "--open" }) {
		return ""
	}
	return strconv.Itoa(a.Total) + " " + strings.Join(asked, " ")
}

// questions returns the arguments without the program and without those that
// only say where and how the answers are written (nmap(1), "Output").
func questions(args string) []string {
	var asked []string
	value := true // the program's name
	for arg := range strings.FieldsSeq(args) {
		switch {
		case value:
			value = false
		case slices.Contains([]string{"-oX", "-oN", "-oG", "-oA", "-oS", "--stylesheet", "--stats-every"}, arg):
			value = true
		case slices.Contains([]string{"--reason", "--append-output", "--webxml", "--no-stylesheet", "--packet-trace", "--noninteractive"}, arg):
		case isLevel(arg, 'v') || isLevel(arg, 'd'):
		default:
			asked = append(asked, arg)
		}
	}
	return asked
}

// isLevel says whether an argument raises verbosity or debugging: -v, -vv, -v3.
func isLevel(arg string, letter byte) bool {
	return len(arg) > 1 && arg[0] == '-' && arg[1] == letter && strings.Trim(arg[1:], string(letter)+"0123456789") == ""
}

// Missing returns the hosts of one document that the next does not mention, as
// that scan saw them. nmap prints hosts that are down only when it is verbose,
// so absence is silence when both scans asked the same; else the host was not
// scanned. Neither was it if its name belongs to a new address now: then the
// scan asked that one.
func Missing(was, now []state.Host, same bool) []state.Host {
	was, now = sorted(was), sorted(now)
	in := func(hosts []state.Host, h state.Host) bool {
		_, found := slices.BinarySearchFunc(hosts, h, state.CompareHosts)
		return found
	}
	type place struct{ vantage, name string }
	taken := map[place]bool{} // names of new addresses
	for _, h := range now {
		if len(h.Names) > 0 && !in(was, h) {
			for _, name := range h.Names {
				taken[place{h.Vantage, name}] = true
			}
		}
	}
	var missing []state.Host
	for _, h := range was {
		if in(now, h) {
			continue
		}
		moved := slices.ContainsFunc(h.Names, func(name string) bool { return taken[place{h.Vantage, name}] })
		missing = append(missing, unmentioned(h, same && !moved))
	}
	return missing
}

// unmentioned returns a host of an earlier document as the later one has it.
func unmentioned(h state.Host, silent bool) state.Host {
	seen := state.Host{ID: h.ID, Vantage: h.Vantage, Address: h.Address, Names: h.Names, State: h.State}
	blank := state.Coverage{Status: state.NotScanned}
	if silent {
		seen.State = state.Down
		blank = state.Coverage{Status: state.Silent, Reason: state.NoAnswer}
	}
	for _, c := range h.Coverage {
		blank.Protocol = c.Protocol
		seen.Coverage = append(seen.Coverage, blank)
	}
	if len(seen.Coverage) == 0 {
		blank.Protocol = state.TCP
		seen.Coverage = []state.Coverage{blank}
	}
	return seen
}

// Kept counts the open ports of the earlier state that the later one says
// nothing about, on hosts that answered: they were not asked for, or the answer
// was not conclusive. They keep their state.
func Kept(was, now []state.Host) int {
	was, now = sorted(was), sorted(now)
	n := 0
	for _, h := range now {
		i, known := slices.BinarySearchFunc(was, h, state.CompareHosts)
		if !known || h.Status() != state.Answered || oneList(was[i], h) {
			continue
		}
		for _, p := range was[i].Ports {
			if _, listed := h.Find(p.Port); isOpen(p) && !listed && !h.Covered(p.Protocol).Conclusive(p.Port) {
				n++
			}
		}
	}
	return n
}
