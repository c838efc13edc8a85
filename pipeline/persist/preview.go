package persist

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// ChangedError says that a scope selects other ports than its author saw, or that
// something else is seen behind one of them: nothing was done, and the author is to look
// again.
type ChangedError struct {
	Now state.Preview
}

// Error tells what to do.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("the ports have changed since you looked: it would be %s on %s now; look again and repeat",
		state.Count(e.Now.Ports, "port", "ports"), state.Count(e.Now.Hosts, "host", "hosts"))
}

// Preview says what Approve would do with a scope, and fails as it does. A scope that
// names nothing is everything.
func (b *Book) Preview(ctx context.Context, scope state.Scope) (state.Preview, error) {
	var p state.Preview
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		hosts, err := v.selected(ctx, scope)
		if err != nil {
			return err
		}
		p = previewOf(scope, hosts)
		return checkOpen(scope, hosts)
	})
	if err != nil {
		return state.Preview{}, fmt.Errorf("preview: %w", err)
	}
	return p, nil
}

// PreviewRevoke says what Revoke would do with a scope, and fails as it does, also where
// there is nothing to revoke. Approvals of ports that are closed by now count as ports.
func (b *Book) PreviewRevoke(ctx context.Context, scope state.Scope) (state.Preview, error) {
	var p state.Preview
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		approved, err := v.revocable(ctx, scope)
		p = previewOfApprovals(approved)
		return err
	})
	if err != nil {
		return state.Preview{}, fmt.Errorf("preview: %w", err)
	}
	return p, nil
}

// previewOf counts the ports that a scope approves.
func previewOf(scope state.Scope, hosts []*standing) state.Preview {
	var p state.Preview
	d := digest{sha256.New()}
	seen := make(map[int64]bool)
	for _, h := range hosts {
		for _, port := range h.ports {
			if !due(scope, port) {
				continue
			}
			p.Ports++
			if port.Approved() {
				p.Approved++
			}
			seen[h.ID] = true
			d.port(h.seat, port)
		}
	}
	p.Hosts, p.Digest = len(seen), d.String()
	return p
}

func previewOfApprovals(rows []queries.AllApprovalsRow) state.Preview {
	p := state.Preview{Ports: len(rows), Approved: len(rows)}
	d := digest{sha256.New()}
	seen := make(map[int64]bool)
	for _, row := range rows {
		seen[row.Approval.HostID] = true
		d.add(strconv.FormatInt(row.Approval.ID, 10))
	}
	p.Hosts, p.Digest = len(seen), d.String()
	return p
}

// digest is a hash over fields.
type digest struct{ h hash.Hash }

func (d digest) add(fields ...string) {
	for _, field := range fields {
		d.h.Write([]byte(strconv.Itoa(len(field)) + ":" + field))
	}
}

// port adds a port with all that an approval of it would be bound to.
func (d digest) port(at seat, p standingPort) {
	var pin state.Approval
	pin.Pin(p.Service, p.Behind())
	process := pin.Behind()
	d.add(strconv.FormatInt(at.host, 10), strconv.Itoa(int(at.vantage)), p.Port.String(), pin.Service, pin.Family, strconv.FormatBool(pin.Probed),
		process.Exe, process.User, process.Unit, process.Container, process.Package)
}

// String returns 16 bytes in hexadecimal.
func (d digest) String() string { return hex.EncodeToString(d.h.Sum(nil)[:16]) }
