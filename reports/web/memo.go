package web

import (
	"context"
	"sync"
	"time"
)

// memo remembers what was made of something that never changes, and makes it once for all
// who ask at the same time.
type memo[V any] struct {
	limit    int // how many are remembered; those asked for least lately go
	stopping <-chan struct{}

	mu    sync.Mutex
	of    map[string]*memory[V]
	clock int64
}

type memory[V any] struct {
	ready chan struct{} // closed once the rest is set
	value V
	err   error
	used  int64
}

func newMemo[V any](limit int, stopping <-chan struct{}) *memo[V] {
	return &memo[V]{limit: limit, stopping: stopping, of: make(map[string]*memory[V])}
}

// stopGrace is how long what many wait for goes on when the page is about to end.
const stopGrace = 5 * time.Second

// outlive returns a context for what is made for all who ask: whoever asked first may
// leave. It ends after a time, or soon after the page begins to.
func outlive(ctx context.Context, stopping <-chan struct{}, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	go func() {
		select {
		case <-stopping:
			select {
			case <-time.After(stopGrace):
			case <-ctx.Done():
			}
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// get returns what stands under a key, made if it is not there. What failed is not
// remembered.
func (m *memo[V]) get(ctx context.Context, key string, produce func(context.Context) (V, error)) (V, error) {
	m.mu.Lock()
	entry, found := m.of[key]
	if !found {
		entry = &memory[V]{ready: make(chan struct{})}
		m.forget()
		m.of[key] = entry
		go m.fill(ctx, key, entry, produce)
	}
	m.clock++
	entry.used = m.clock
	m.mu.Unlock()
	select {
	case <-entry.ready:
		return entry.value, entry.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (m *memo[V]) fill(ctx context.Context, key string, entry *memory[V], produce func(context.Context) (V, error)) {
	ctx, cancel := outlive(ctx, m.stopping, makingLimit)
	defer cancel()
	entry.err = safely(func() (err error) {
		entry.value, err = produce(ctx)
		return err
	})
	close(entry.ready)
	if entry.err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.of[key] == entry {
			delete(m.of, key)
		}
	}
}

// forget makes room for another one.
func (m *memo[V]) forget() {
	for len(m.of) >= m.limit {
		oldest := ""
		for key, entry := range m.of {
			if oldest == "" || entry.used < m.of[oldest].used {
				oldest = key
			}
		}
		delete(m.of, oldest)
	}
}
