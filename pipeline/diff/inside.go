package diff

import (
	"slices"

	"ownmap/pipeline/state"
)

// Move is one difference between what listened on a host and what listens there
// now.
type Move struct {
	Kind     state.Kind     // empty: it is kept, and nobody is told
	Was, Now state.Listener // with a zero Port: nothing listened there, or listens; Was has a Bind then if it was elsewhere
}

// change returns the move as a change; here carries what the changes of its host
// have in common.
func (m Move) change(here state.Change) state.Change {
	here.Kind, here.Port = m.Kind, m.Now.Port
	if here.Port.Number == 0 {
		here.Port = m.Was.Port
	}
	here.Was = state.Seen{Bind: m.Was.Bind, Process: m.Was.Process}
	here.Now = state.Seen{Bind: m.Now.Bind, Process: m.Now.Process}
	return here
}

// Inside is a look inside a host and what is new about it.
type Inside struct {
	Look  state.Look
	Moves []Move // in state.CompareListeners order; none if the look was not complete
}

// Listeners returns what is new inside a host. Processes that the look was not
// allowed to read are taken from what was known. A host's first look tells
// nothing: it is the baseline. Nothing follows from a look that is not complete.
//
// Of a port whose listener only moved to another address one change is told; of
// the ports that programs draw at random (RFC 6056) none, as long as the programs
// were known to do so.
func Listeners(subject state.Subject, look state.Look) Inside {
	if !look.Complete() {
		return Inside{Look: look}
	}
	look.Listeners = slices.Clone(look.Listeners)
	inside := Inside{Look: look}
	was := subject.Was
	for i := 0; len(was) > 0 || i < len(look.Listeners); {
		order := 1
		switch {
		case i == len(look.Listeners):
			order = -1
		case len(was) > 0:
			order = state.CompareListeners(was[0], look.Listeners[i])
		}
		switch {
		case order < 0:
			inside.Moves = append(inside.Moves, Move{Kind: state.ListenerGone, Was: was[0]})
			was = was[1:]
		case order > 0:
			inside.Moves = append(inside.Moves, Move{Kind: state.ListenerNew, Now: look.Listeners[i]})
			i++
		default:
			l := &look.Listeners[i]
			l.Process = l.Process.Or(was[0].Process)
			if l.Process != was[0].Process || l.OnlyV6 != was[0].OnlyV6 {
				inside.Moves = append(inside.Moves, Move{Kind: l.Process.Change(was[0].Process), Was: was[0], Now: *l})
			}
			was, i = was[1:], i+1
		}
	}
	if !subject.Looked {
		for i := range inside.Moves {
			inside.Moves[i].Kind = ""
		}
		return inside
	}
	joinMoved(inside.Moves)
	foldEphemeral(inside.Moves, subject.Was)
	return inside
}

// Insides is Listeners for many hosts. What the changes of the outside view tell
// already is not told again: a port that opened or closed.
func Insides(subjects []state.Subject, looks []state.Look, changes []state.Change) []Inside {
	told := make(map[int64]map[state.Port]bool)
	for _, c := range changes {
		switch c.Kind {
		case state.PortOpened, state.PortFound, state.PortClosed:
			if told[c.HostID] == nil {
				told[c.HostID] = make(map[state.Port]bool)
			}
			told[c.HostID][c.Port] = true
		case state.HostNew, state.HostDown, state.HostBack, state.HostRenamed, state.PortUncertain,
			state.ServiceChanged, state.ProductChanged, state.VersionChanged, state.ServiceIdentified,
			state.ProcessChanged, state.ProcessUpdated, state.ListenerNew, state.ListenerGone, state.BindChanged:
		}
	}
	list := make([]Inside, len(looks))
	for i, look := range looks {
		list[i] = Listeners(subjects[i], look)
		for j, m := range list[i].Moves {
			if m.Kind == state.ListenerNew && told[look.HostID][m.Now.Port] || m.Kind == state.ListenerGone && told[look.HostID][m.Was.Port] {
				list[i].Moves[j].Kind = ""
			}
		}
	}
	return list
}

// Doubtful says whether a look has to be had again before it is believed: because
// it would tell a change, or a finding that somebody gets up for.
func (i Inside) Doubtful() bool {
	return slices.ContainsFunc(i.Moves, func(m Move) bool { return m.Kind != "" }) ||
		slices.ContainsFunc(i.Look.Findings, func(f state.Finding) bool { return f.Severity.Rank() <= state.High.Rank() })
}

// joinMoved makes one change of a listener that is gone from one address and there
// on another: of the same program if there is one, else of another one.
func joinMoved(moves []Move) {
	for _, kind := range []state.Kind{state.BindChanged, state.ProcessChanged} {
		for i := range moves {
			gone := &moves[i]
			if gone.Kind != state.ListenerGone {
				continue
			}
			for j := range moves {
				fresh := &moves[j]
				if fresh.Kind != state.ListenerNew || fresh.Now.Port != gone.Was.Port || same(fresh.Now.Process, gone.Was.Process) != (kind == state.BindChanged) {
					continue
				}
				fresh.Now.Process = fresh.Now.Process.Or(gone.Was.Process)
				fresh.Kind, fresh.Was.Bind, fresh.Was.Process = kind, gone.Was.Bind, gone.Was.Process
				gone.Kind = ""
				break
			}
		}
	}
}

// same says whether nothing speaks against two processes being one program.
func same(a, b state.Process) bool { return a.Change(b) != state.ProcessChanged }

// ephemeral is where the ports begin that Linux gives to whoever does not ask for
// one (ip_local_port_range); other systems begin higher.
const ephemeral = 32768

// foldEphemeral keeps quiet about the ports that known programs draw at random. A
// TCP port that is gone stands for one that is new; the UDP ports of a program
// come and go with what it asks, so having had one is enough.
func foldEphemeral(moves []Move, was []state.Listener) {
	for i := range moves {
		fresh := &moves[i]
		if fresh.Kind != state.ListenerNew || fresh.Now.Port.Number < ephemeral {
			continue
		}
		for j := range moves {
			gone := &moves[j]
			if gone.Kind == state.ListenerGone && gone.Was.Port.Number >= ephemeral && twins(fresh.Now, gone.Was) {
				fresh.Kind, gone.Kind = "", ""
				break
			}
		}
		udp := fresh.Now.Port.Protocol == state.UDP
		if udp && slices.ContainsFunc(was, func(l state.Listener) bool { return l.Port.Number >= ephemeral && twins(fresh.Now, l) }) {
			fresh.Kind = ""
		}
	}
	for i := range moves {
		gone := &moves[i]
		if gone.Kind == state.ListenerGone && gone.Was.Port.Protocol == state.UDP && gone.Was.Port.Number >= ephemeral && gone.Was.Process != (state.Process{}) {
			gone.Kind = ""
		}
	}
}

// twins says whether two listeners are of the same program and as far reachable.
func twins(a, b state.Listener) bool {
	return a.Port.Protocol == b.Port.Protocol && a.Bind == b.Bind && a.Process != (state.Process{}) && a.Process.Known() == b.Process.Known() && same(a.Process, b.Process)
}
