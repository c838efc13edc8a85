package site

import (
	"net/netip"
	"testing"

	"ownmap/pipeline/state"
)

// BenchmarkWrite writes an archive of 1,000 hosts with 5 ports each: whole, and
// again when nothing has changed.
func BenchmarkWrite(b *testing.B) {
	d := demo{nights: 1}
	address := netip.MustParseAddr("10.0.0.0")
	for id := range int64(1000) {
		address = address.Next()
		h := demoHost{id: id + 1, address: address.String(), names: []string{"host.example.org"}, from: 1}
		for n := range uint16(5) {
			h.ports = append(h.ports, tcp(8000+n, nil, since(1, state.Service{Name: "http", Product: "nginx", Version: "1.26.0"})))
		}
		d.hosts = append(d.hosts, h)
	}
	report := d.report(1)
	dir := b.TempDir()
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			if err := New(Options{Dir: b.TempDir(), Source: d}).Write(b.Context(), report); err != nil {
				b.Fatal(err)
			}
		}
	})
	s := New(Options{Dir: dir, Source: d})
	if err := s.Write(b.Context(), report); err != nil {
		b.Fatal(err)
	}
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			if err := s.Write(b.Context(), report); err != nil {
				b.Fatal(err)
			}
		}
	})
}
