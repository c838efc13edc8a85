package queue

import (
	"context"
	"io"
	"testing"
	"time"
)

// BenchmarkWorkers does a run of 16 shards that wait for the network, with one
// worker and with four: the second should take about a quarter of the first.
func BenchmarkWorkers(b *testing.B) {
	const latency = 500 * time.Millisecond
	one, four := time.Duration(0), time.Duration(0)
	for b.Loop() {
		one += bench(b, 1, latency)
		four += bench(b, 4, latency)
	}
	b.ReportMetric(one.Seconds()/float64(b.N), "one-s")
	b.ReportMetric(four.Seconds()/float64(b.N), "four-s")
	b.ReportMetric(one.Seconds()/four.Seconds(), "speedup")
}

// bench returns how long workers that scan one shard at a time take for a run.
func bench(b *testing.B, workers int, latency time.Duration) time.Duration {
	b.Helper()
	w := newWorld(b)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	for range workers {
		worker := w.worker("local", sleeper{latency, io.Discard})
		worker.Parallel = 1
		go func() { ended <- worker.Run(ctx) }()
	}
	w.wait("workers", workers, "select count(*) from worker")
	run := w.run(16, "local")
	begin := time.Now()
	if err := w.crew().Work(b.Context(), run); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	cancel()
	for range workers {
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
	w.once(16)
	return took
}
