package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// figures are the times of the requests for one page.
type figures struct {
	times []time.Duration // sorted
	bytes int             // of one answer
}

// at returns the time within which a share of the requests were answered, 0.95 of them.
func (f figures) at(share float64) time.Duration {
	if len(f.times) == 0 {
		return 0
	}
	return f.times[min(len(f.times)-1, int(share*float64(len(f.times))))]
}

// ask has clients ask for addresses for a while, each client one after the other and the
// next one of the list each time. Any answer but 200 ends it.
func ask(ctx context.Context, client *http.Client, token string, addresses []string, clients int, each time.Duration) (figures, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	end := time.Now().Add(each)
	var mu sync.Mutex
	var f figures
	var group sync.WaitGroup
	for n := range clients {
		group.Go(func() {
			for i := n; time.Now().Before(end) && ctx.Err() == nil; i++ {
				began := time.Now()
				size, err := get(ctx, client, token, addresses[i%len(addresses)])
				took := time.Since(began)
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				f.times, f.bytes = append(f.times, took), size
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(f.times)
	return f, context.Cause(ctx)
}

func get(ctx context.Context, client *http.Client, token, address string) (size int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", address, response.Status)
	}
	return int(n), err
}
