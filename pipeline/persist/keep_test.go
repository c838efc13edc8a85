package persist

import (
	"maps"
	"testing"

	"ownmap/pipeline/state"
)

// model is the state that the rules of the design ask for, kept without any
// database or diff: an answer replaces what it covers, nothing else does.
type model map[string]map[state.Port]state.Service

func (m model) see(n night) {
	for _, hosts := range n {
		for _, h := range hosts {
			if h.Status() != state.Answered {
				continue
			}
			known := m[h.Address.String()]
			if known == nil {
				known = map[state.Port]state.Service{}
				m[h.Address.String()] = known
			}
			for p := range known {
				if _, open := h.Find(p); !open && h.Covered(p.Protocol).Conclusive(p) {
					delete(known, p)
				}
			}
			for _, p := range h.Ports {
				if was, open := known[p.Port]; !open || p.Service.Probed {
					if open && was.Fingerprint() == p.Service.Fingerprint() {
						continue
					}
					known[p.Port] = p.Service
				}
			}
		}
	}
}

// current reads what the database says is open.
func current(tb testing.TB, book *Book) model {
	tb.Helper()
	rows, err := book.pool.Query(tb.Context(), `
		select host(h.address), c.protocol, c.port, f.service, f.product, f.version, f.tunnel, f.cpe, f.probed
		from port_current c join host h on h.id = c.host_id join fingerprint f on f.id = c.fp`)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	m := model{}
	for rows.Next() {
		var address string
		var p state.Port
		var s state.Service
		if err := rows.Scan(&address, &p.Protocol, &p.Number, &s.Name, &s.Product, &s.Version, &s.Tunnel, &s.CPE, &s.Probed); err != nil {
			tb.Fatal(err)
		}
		if m[address] == nil {
			m[address] = map[state.Port]state.Service{}
		}
		m[address][p] = s
	}
	if rows.Err() != nil {
		tb.Fatal(rows.Err())
	}
	return m
}

// equal compares two models by fingerprints.
func (m model) equal(other model) bool {
	return maps.EqualFunc(m.full(), other.full(), func(a, b map[state.Port]state.Service) bool {
		return maps.EqualFunc(a, b, func(x, y state.Service) bool { return x.Fingerprint() == y.Fingerprint() })
	})
}

// full leaves hosts without ports out.
func (m model) full() model {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(_ string, ports map[state.Port]state.Service) bool { return len(ports) == 0 })
	return m
}

func TestNightsFollowTheRules(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	w, want := newWorld(7, 24), model{}
	for i := range 40 {
		n := w.next()
		n.pass(t, book)
		want.see(n)
		if got := current(t, book); !got.equal(want) {
			t.Fatalf("night %d:\n got %v\nwant %v", i, got, want)
		}
	}
	checkInvariants(t, book)
}
