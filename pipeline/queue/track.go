package queue

import (
	"context"
	"sync"
	"time"

	"ownmap/pipeline/state"
)

// trackEvery is the least time between two words about a shard's progress.
const trackEvery = 500 * time.Millisecond

// scan tells the store whose the shard is, scans it and tells how far it is, which
// the scan never waits for. A word about the progress that is lost is no fault of the scan.
func (w *Worker) scan(ctx context.Context, shard state.Shard) (state.ShardResult, error) {
	var t tracked
	ctx, cancel := context.WithCancel(ctx)
	tell := func(fraction float64, hosts, open int) {
		if err := w.Store.Track(ctx, shard.RunID, shard.No, w.ID, fraction, hosts, open); err != nil {
			w.Log.DebugContext(ctx, "progress was not kept", "run", shard.RunID, "shard", shard.No, "error", err)
		}
	}
	tell(0, 0, 0)
	var told sync.WaitGroup
	told.Go(func() {
		ticker := time.NewTicker(trackEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if fraction, hosts, open, news := t.take(); news {
				tell(fraction, hosts, open)
			}
		}
	})
	defer told.Wait()
	defer cancel()
	return w.Scanner.Scan(ctx, shard, t.put)
}

// tracked is the latest that a scan said about its progress.
type tracked struct {
	mu          sync.Mutex
	fraction    float64
	hosts, open int
	news        bool
}

func (t *tracked) put(fraction float64, hosts, open int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fraction, t.hosts, t.open, t.news = fraction, hosts, open, true
}

func (t *tracked) take() (fraction float64, hosts, open int, news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	news, t.news = t.news, false
	return t.fraction, t.hosts, t.open, news
}
