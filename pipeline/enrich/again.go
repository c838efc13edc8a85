package enrich

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"ownmap/pipeline/state"
)

// Again waits a little, looks at hosts once more, and returns what both looks
// agree on: what one of them alone saw was on its way, as a service is that
// restarts. Ports that are open for nobody on the host are asked from outside, too.
// A host that cannot be looked at again was not looked inside.
func (i *Insider) Again(ctx context.Context, subjects []state.Subject, first []state.Look) []state.Look {
	if len(subjects) == 0 {
		return nil
	}
	select {
	case <-ctx.Done(): // none of them can be looked at then
	case <-time.After(i.options.Pause):
	}
	second := i.Look(ctx, subjects)
	for n, subject := range subjects {
		if second[n].Complete() {
			second[n].Listeners = agreed(subject.Was, first[n], second[n])
		}
		second[n].Findings = slices.DeleteFunc(second[n].Findings, func(f state.Finding) bool {
			return !held(first[n], f) || !stillOpen(ctx, f)
		})
	}
	return second
}

// agreed returns what listens by the second of two looks, less what the first speaks
// against.
func agreed(was []state.Listener, first, second state.Look) []state.Listener {
	var list []state.Listener
	for _, l := range second.Listeners {
		before, seen := find(first.Listeners, l)
		known, old := find(was, l)
		switch {
		case !seen && !old: // new in this moment: the next run tells it
		case seen && old && before.Process.Change(known.Process) == "" && l.Process.Change(known.Process) != "":
			list = append(list, before)
		default:
			list = append(list, l)
		}
	}
	for _, l := range first.Listeners { // gone in this moment
		if _, still := find(second.Listeners, l); !still {
			if _, old := find(was, l); old {
				list = append(list, l)
			}
		}
	}
	slices.SortFunc(list, state.CompareListeners)
	return list
}

// held says whether the first look made a finding of the second, too. One that
// nobody gets up for need not be seen twice.
func held(first state.Look, f state.Finding) bool {
	return f.Severity.Rank() > state.High.Rank() || slices.ContainsFunc(first.Findings, func(g state.Finding) bool {
		return g.Kind == f.Kind && g.Port == f.Port && g.Vantage == f.Vantage
	})
}

func find(list []state.Listener, l state.Listener) (state.Listener, bool) {
	at, found := slices.BinarySearchFunc(list, l, state.CompareListeners)
	if !found {
		return state.Listener{}, false
	}
	return list[at], true
}

// knock is how long a port has to answer that was open a moment ago.
const knock = 3 * time.Second

// stillOpen asks a TCP port of the default vantage again that nothing on its host
// listens on. Of what cannot be asked from here nothing is said against the finding.
func stillOpen(ctx context.Context, f state.Finding) bool {
	if f.Kind != state.OpenWithoutListener && f.Kind != state.OpenBoundElsewhere {
		return true
	}
	if f.Vantage != state.DefaultVantage || f.Port.Protocol != state.TCP {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, knock)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address(f.Address, f.Port.Number))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func address(a netip.Addr, port uint16) string {
	return net.JoinHostPort(a.String(), strconv.Itoa(int(port)))
}
