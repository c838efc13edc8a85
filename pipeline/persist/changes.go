package persist

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// changes writes the log of the revision.
func (k *keeping) changes(ctx context.Context) error {
	n, err := k.numbers(ctx)
	if err != nil {
		return err
	}
	hosts := []string{"rev", "host_id", "vantage_id", "kind", "was", "now"}
	if err := copyRows(ctx, k.tx, "host_change", hosts, k.hostChanges(n)); err != nil {
		return err
	}
	ports := []string{"rev", "host_id", "vantage_id", "protocol", "port", "kind", "old_state", "old_fp", "new_state", "new_fp"}
	return copyRows(ctx, k.tx, "port_change", ports, k.portChanges(n))
}

// numbers gives a number to all that the changes name. A change that was made outside of the
// database has no host number.
func (k *keeping) numbers(ctx context.Context) (numbers, error) {
	n := numbers{hosts: make(map[netip.Addr]int64)}
	vantages := make(map[string]bool)
	found := newServiceSet()
	var unknown []netip.Addr
	for _, c := range k.outcome.Changes {
		vantages[c.Vantage] = true
		if n.hosts[c.Address] = c.HostID; c.HostID == 0 {
			unknown = append(unknown, c.Address)
		}
		if kept(c.Now.State) {
			found.add(lasting(c))
		}
	}
	if err := found.keep(ctx, k.q); err != nil {
		return n, err
	}
	if len(unknown) > 0 {
		ids, err := hostIDs(ctx, k.q, unknown)
		if err != nil {
			return n, err
		}
		maps.Copy(n.hosts, ids)
	}
	names := make([]string, 0, len(vantages))
	for name := range vantages {
		names = append(names, name)
	}
	var err error
	n.vantages, err = vantageIDs(ctx, k.q, names...)
	return n, err
}

// lasting returns the service that a changed port keeps: a pass without service
// detection never takes away what an earlier one has seen.
func lasting(c state.Change) state.Service {
	if c.Was.Service.Probed && !c.Now.Service.Probed && kept(c.Was.State) {
		return c.Was.Service
	}
	return c.Now.Service
}

func (k *keeping) hostChanges(n numbers) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, c := range k.outcome.Changes {
			if !c.OfPort() && !yield([]any{k.rev.ID, n.hosts[c.Address], n.vantages[c.Vantage], string(c.Kind), c.Was.Name, c.Now.Name}) {
				return
			}
		}
	}
}

func (k *keeping) portChanges(n numbers) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, c := range k.outcome.Changes {
			if !c.OfPort() {
				continue
			}
			oldState, oldFP := side(c.Was.State, c.Was.Service)
			newState, newFP := side(c.Now.State, lasting(c))
			if !yield([]any{
				k.rev.ID, n.hosts[c.Address], n.vantages[c.Vantage], string(c.Port.Protocol), int32(c.Port.Number),
				string(c.Kind), oldState, oldFP, newState, newFP,
			}) {
				return
			}
		}
	}
}

// side is one side of a port's change in the database: nothing, or a state that
// has a row and what stood behind the port.
func side(s state.PortState, service state.Service) (*string, pgtype.UUID) {
	if !kept(s) {
		return nil, pgtype.UUID{}
	}
	text := string(s)
	return &text, uuidOf(service.Fingerprint())
}

// portSetsNamed is how many port sets that changed are told one by one. On a
// network that loses packets every host may have been looked at for other ports.
const portSetsNamed = 3

// portSetNotes says of which hosts other ports were looked at than before.
func portSetNotes(moved []queries.MovedPortSetsRow) ([]string, error) {
	var notes []string
	hosts := 0
	for _, m := range moved {
		note, err := portSetNote(m)
		if err != nil {
			return nil, err
		}
		if note != "" {
			notes, hosts = append(notes, note), hosts+int(m.Hosts)
		}
	}
	if len(notes) > portSetsNamed {
		return []string{"other ports than before were looked at on " + state.Count(hosts, "host", "hosts") + "; ports outside keep their last state"}, nil
	}
	return notes, nil
}

// portSetNote says that hosts were asked for other ports than before. It is
// empty where the sets differ by ports that were open|filtered once: these come
// and go in the ledger under one and the same profile.
func portSetNote(m queries.MovedPortSetsRow) (string, error) {
	was, err := state.ParsePortSet(m.OldPorts)
	if err != nil {
		return "", fmt.Errorf("stored port set: %w", err)
	}
	now, err := state.ParsePortSet(m.NewPorts)
	if err != nil {
		return "", fmt.Errorf("stored port set: %w", err)
	}
	numbers := make([]uint16, len(m.Uncertain))
	for i, n := range m.Uncertain {
		numbers[i] = uint16(n)
	}
	if uncertain := state.PortsOf(numbers...); was.Union(uncertain).Equal(now.Union(uncertain)) {
		return "", nil
	}
	other := ""
	if was.Len() == now.Len() {
		other = "other "
	}
	return fmt.Sprintf("port set of %s changed from %s to %s %s%s ports; ports outside keep their last state",
		state.Count(int(m.Hosts), "host", "hosts"), thousands(was.Len()), thousands(now.Len()), other, m.Protocol), nil
}

// thousands writes a number from 0 to 999,999 as a reader does: 1,000.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// departedNote says that hosts left the targets, and what nobody watches from
// now on.
func departedNote(d queries.DepartedRow) string {
	note := state.Count(int(d.Hosts), "host is no target", "hosts are no targets") + " any more"
	if d.Open > 0 {
		note += fmt.Sprintf("; %s, %d unapproved, not watched from now on", state.Count(int(d.Open), "open port", "open ports"), d.Unapproved)
	}
	return note
}

// blindNote says that the scanner's own side is the likely fault.
func blindNote(b diff.Blind) string {
	var from string
	if len(b.Vantages) > 0 {
		from = " seen from " + strings.Join(b.Vantages, ", ")
	}
	return fmt.Sprintf("%d of %d hosts%s fell silent at once: more likely the scanner's own network than theirs, so none of them is told as down", b.Silent, b.Up, from)
}
