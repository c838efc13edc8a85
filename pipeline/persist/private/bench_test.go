package private_test

import (
	"log/slog"
	"testing"

	"ownmap/pipeline/persist/private"
)

// durable starts the server as users have it, synced.
func durable(b *testing.B, dir string) *private.Server {
	b.Helper()
	server, err := private.Start(b.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	return server
}

func BenchmarkFirstStart(b *testing.B) {
	for b.Loop() {
		dir := stateDir(b)
		server := durable(b, dir)
		b.StopTimer()
		stop(b, server)
		b.StartTimer()
	}
}

func BenchmarkWarmStart(b *testing.B) {
	dir := stateDir(b)
	stop(b, durable(b, dir))
	for b.Loop() {
		server := durable(b, dir)
		b.StopTimer()
		stop(b, server)
		b.StartTimer()
	}
}

func BenchmarkAdopt(b *testing.B) {
	dir := stateDir(b)
	defer stop(b, durable(b, dir))
	for b.Loop() {
		stop(b, durable(b, dir))
	}
}
