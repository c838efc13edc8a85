package persist

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
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
		c, err := b.choose(ctx, q, scope)
		if err != nil {
			return err
		}
		p = c.preview()
		return c.checkOpen()
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
		approved, err := b.revocable(ctx, q, scope)
		p = previewOfApprovals(approved)
		return err
	})
	if err != nil {
		return state.Preview{}, fmt.Errorf("preview: %w", err)
	}
	return p, nil
}

// preview counts the ports that the scope approves.
func (c *chosen) preview() state.Preview {
	var p state.Preview
	d := digest{sha256.New()}
	pins := make(map[[2]uint32][sha256.Size]byte) // few even of many ports
	last := -1
	for host, at := range c.due {
		port := c.Port(at)
		if p.Ports++; port.Approval != 0 {
			p.Approved++
		}
		if host != last {
			last = host
			p.Hosts++
		}
		behind := [2]uint32{port.Service, port.Process}
		pin, known := pins[behind]
		if !known {
			pin = pinned(c.Services[port.Service], c.Processes[port.Process])
			pins[behind] = pin
		}
		h := &c.Hosts[host]
		var key [13]byte
		binary.BigEndian.PutUint64(key[:], uint64(h.ID))
		binary.BigEndian.PutUint16(key[8:], uint16(h.VantageID))
		binary.BigEndian.PutUint16(key[10:], port.Number)
		key[12] = byte(port.Protocol)
		d.h.Write(key[:])
		d.h.Write(pin[:])
	}
	p.Digest = d.String()
	return p
}

// pinned is a hash of all that an approval would be bound to.
func pinned(service state.Service, process state.Process) [sha256.Size]byte {
	var pin state.Approval
	pin.Pin(service, process)
	d, process := digest{sha256.New()}, pin.Behind()
	d.add(pin.Service, pin.Family, strconv.FormatBool(pin.Probed), process.Exe, process.User, process.Unit, process.Container, process.Package)
	return [sha256.Size]byte(d.h.Sum(nil))
}

func previewOfApprovals(rows []queries.ApprovalsByIDRow) state.Preview {
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

// String returns 16 bytes in hexadecimal.
func (d digest) String() string { return hex.EncodeToString(d.h.Sum(nil)[:16]) }
