// Package enrich looks inside hosts over SSH: it asks what listens there, which
// process stands behind each port, and where that does not agree with what was
// seen from outside.
package enrich

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/enrich/listing"
	"ownmap/pipeline/state"
)

// view is a host from inside.
type view struct {
	root      bool
	sockets   []aged           // as they were read
	listeners []state.Listener // in state.CompareListeners order, each once
	mappings  []state.Mapping
	addresses []netip.Addr // of the host itself; none: not known
	complete  bool         // all that listens is there
}

// viewOf makes a view of an answer. It is complete when the answer is whole and
// every table that the host has was read to its end.
func viewOf(a answer) view {
	v := view{root: a.root}
	if dpkg := a.sections["dpkg"]; dpkg.ended { // its status is 1 when one of the paths has no package
		a.readDpkg(dpkg.text)
	}
	if passwd := a.sections["passwd"]; passwd.ended {
		for _, line := range lines(passwd.text) {
			a.user(line)
		}
	}
	switch a.system {
	case "Linux":
		v.linux(&a)
	default:
		v.elsewhere(&a)
	}
	v.complete = v.complete && a.whole
	v.listeners = once(v.sockets)
	return v
}

// aged is a listener with the start of its process, in clock ticks after boot.
type aged struct {
	state.Listener

	start uint64
}

// linux reads the kernel's tables; without them, as under some containers, the
// tools have to do.
func (v *view) linux(a *answer) {
	containers := map[string]string{}
	for _, runtime := range []string{"docker", "podman"} {
		if s := a.sections[runtime]; s.good() {
			containerNames(runtime, s.text, containers)
			v.mappings = append(v.mappings, listing.Containers(runtime, withoutIDs(s.text))...)
		}
	}
	if s := a.sections["iptables"]; s.good() {
		v.mappings = append(v.mappings, listing.IPTables(s.text)...)
	}
	if s := a.sections["nft"]; s.good() {
		v.mappings = append(v.mappings, listing.NFT(s.text)...)
	}
	v.addresses = listing.LocalAddresses(a.sections["fib_trie"].text, a.sections["if_inet6"].text)

	kernel, complete := tables(a, "")
	again, _ := tables(a, "again-")
	ss, netstat := a.shown("ss", listing.SS), a.shown("netstat", listing.Netstat)
	shown := []map[state.Port]bool{ports(ss), ports(netstat)}
	if len(kernel) == 0 && !complete { // no /proc/net
		kernel, complete = slices.Concat(ss, netstat), len(ss)+len(netstat) > 0
		again, shown = nil, nil
	}
	v.complete = complete
	still := ports(again)
	onlyV6 := map[string]bool{}
	for _, s := range ss {
		if s.OnlyV6 {
			onlyV6[s.Port.String()+s.Bind.String()] = true
		}
	}
	oldest := a.oldest()
	for _, s := range kernel {
		l := state.Listener{Port: s.Port, Bind: s.Bind.WithZone(""), OnlyV6: s.OnlyV6 || onlyV6[s.Port.String()+s.Bind.String()]}
		l.Hidden = still[s.Port] && slices.ContainsFunc(shown, func(by map[state.Port]bool) bool { return hides(by, s.Port) })
		var start uint64
		if p := oldest[s.Inode]; p != nil && s.Inode != 0 {
			start = p.start
			l.Process, l.Deleted = a.facts(p, containers)
			l.PID, l.Name = p.pid, state.Clean(p.name)
			l.Process.Container = cmp.Or(l.Process.Container, v.published(l))
		} else {
			l.Process.User = a.userName(s.UID)
		}
		v.sockets = append(v.sockets, aged{l, start})
	}
}

// published returns the container for which a proxy of its runtime listens: the
// proxy is the same program for all of them.
func (v *view) published(l state.Listener) string {
	runtime := map[string]string{"docker-proxy": "docker", "rootlessport": "podman"}[l.Process.Name()]
	if runtime == "" {
		return ""
	}
	for _, m := range v.mappings {
		if m.Port == l.Port && strings.HasPrefix(m.Via, runtime+":") {
			return m.Via
		}
	}
	return runtime
}

// tables reads the four tables of /proc/net; complete says that those that the
// host has were read to the end.
func tables(a *answer, prefix string) (sockets []listing.Socket, complete bool) {
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6"} {
		s, there := a.sections[prefix+name]
		if !there {
			continue // no IPv6, or no right to read
		}
		found, bad := listing.ProcNet(state.Protocol(name[:3]), s.text)
		sockets = append(sockets, found...)
		complete = (complete || name == "tcp") && s.good() && bad == 0
	}
	return sockets, complete
}

// shown returns what a tool of the host shows, nothing if it did not run well.
func (a *answer) shown(tool string, parse func([]byte) ([]listing.Socket, int)) []listing.Socket {
	s := a.sections[tool]
	if !s.good() {
		return nil
	}
	sockets, _ := parse(s.text)
	return sockets
}

func ports(sockets []listing.Socket) map[state.Port]bool {
	set := make(map[state.Port]bool, len(sockets))
	for _, s := range sockets {
		set[s.Port] = true
	}
	return set
}

// hides says whether a tool that shows anything leaves out a port.
func hides(shown map[state.Port]bool, port state.Port) bool { return len(shown) > 0 && !shown[port] }

// oldest returns of each socket the process that holds it longest: not the worker
// that was forked, but what opened the port.
func (a *answer) oldest() map[uint64]*proc {
	oldest := make(map[uint64]*proc, len(a.owners))
	for _, o := range a.owners {
		p, before := a.procs[o.pid], oldest[o.inode]
		if p == nil {
			continue
		}
		if before == nil || cmp.Or(cmp.Compare(p.start, before.start), cmp.Compare(p.pid, before.pid)) < 0 {
			oldest[o.inode] = p
		}
	}
	return oldest
}

// elsewhere reads what other systems print.
func (v *view) elsewhere(a *answer) {
	parsers := map[string]func([]byte) ([]listing.Socket, int){
		"sockstat": listing.Sockstat, "lsof": listing.Lsof, "bsd": listing.BSDNetstat, "windows": listing.WindowsNetstat,
	}
	for name, parse := range parsers {
		s, there := a.sections[name]
		if !there {
			continue
		}
		sockets, _ := parse(s.text)
		v.complete = s.good() && len(sockets) > 0
		for _, socket := range sockets {
			v.sockets = append(v.sockets, aged{Listener: state.Listener{
				Port: socket.Port, Bind: socket.Bind.WithZone(""), OnlyV6: socket.OnlyV6, PID: socket.PID, Name: socket.Name,
				Process: state.Process{User: socket.User},
			}})
		}
	}
}

// once sorts listeners and leaves one of each port and address. Where several sockets
// share them (SO_REUSEPORT), it is one of a known process. Of TCP it is the youngest:
// a second program that takes connections from the first has to be seen. Over UDP
// programs share ports by custom, as that of mDNS, so there it is the oldest.
func once(sockets []aged) []state.Listener {
	slices.SortStableFunc(sockets, func(a, b aged) int {
		age := cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.PID, b.PID))
		if a.Port.Protocol == state.TCP {
			age = -age
		}
		return cmp.Or(state.CompareListeners(a.Listener, b.Listener), -cmp.Compare(known(a.Listener), known(b.Listener)), age)
	})
	var list []state.Listener
	for _, s := range sockets {
		if n := len(list); n > 0 && state.CompareListeners(list[n-1], s.Listener) == 0 {
			list[n-1].Hidden = list[n-1].Hidden || s.Hidden
			continue
		}
		list = append(list, s.Listener)
	}
	return list
}

func known(l state.Listener) int {
	if l.Process.Known() {
		return 1
	}
	return 0
}

// lines returns the lines of a text.
func lines(text []byte) []string { return strings.Split(string(text), "\n") }

// withoutIDs takes the first column from the lines "ID NAME IMAGE PORTS".
func withoutIDs(text []byte) []byte {
	var out strings.Builder
	for _, line := range lines(text) {
		_, rest, _ := strings.Cut(line, "\t")
		out.WriteString(rest + "\n")
	}
	return []byte(out.String())
}
