package site

import (
	"testing"

	"ownmap/pipeline/lab/demo"
)

// BenchmarkWrite writes an archive of 1,000 hosts with 5 ports each: whole, and
// again when nothing has changed.
func BenchmarkWrite(b *testing.B) {
	d := demo.Large(1000, 5, 1)
	report := d.At(1)
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
