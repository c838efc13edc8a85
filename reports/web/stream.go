package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// The bounds of streams. Each holds a connection and no more: one look at the database
// serves all of them.
const (
	streamsAtMost  = 200
	streamsOfOne   = 10 // person
	streamLook     = time.Second
	streamBeat     = 15 * time.Second // a proxy ends what is silent for a minute
	streamPatience = 10 * time.Second // with who does not read
)

// hub looks at what is under way while somebody watches, and tells all of them.
type hub struct {
	look     func(context.Context) (live, error)
	now      func() time.Time
	stopping <-chan struct{}

	mu       sync.Mutex
	watchers map[*watcher]bool
	looking  bool
	last     []byte // what was told last
}

// watcher is an open stream.
type watcher struct {
	name string
	next chan []byte // the newest that was not told yet
}

// join adds a stream. The caller calls leave in the end.
func (h *hub) join(ctx context.Context, name string) (w *watcher, leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := 0
	for other := range h.watchers {
		if other.name == name {
			of++
		}
	}
	if len(h.watchers) >= streamsAtMost || of >= streamsOfOne {
		return nil, nil, &fault{Status: http.StatusServiceUnavailable, Text: "Too many pages are watching.", Hint: "Close some of them, or load the page again now and then.", After: time.Minute}
	}
	w = &watcher{name, make(chan []byte, 1)}
	if h.last != nil {
		w.next <- h.last
	}
	h.watchers[w] = true
	if !h.looking {
		h.looking = true
		go h.watch(ctx)
	}
	return w, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers, w)
	}, nil
}

// watch looks again and again, until nobody watches or the page ends.
func (h *hub) watch(ctx context.Context) {
	var pace pace
	ticker := time.NewTicker(streamLook)
	defer ticker.Stop()
	for {
		inTime, cancel := outlive(ctx, h.stopping, streamPatience)
		now, err := h.look(inTime)
		cancel()
		if !h.tell(now, &pace, err) {
			return
		}
		select {
		case <-ticker.C:
		case <-h.stopping:
			return
		}
	}
}

// tell tells what is new, and says whether somebody watches. While the database does not
// answer nothing is told.
func (h *hub) tell(now live, pace *pace, fault error) bool {
	var text []byte
	if fault == nil {
		text, fault = json.Marshal(event{now.Shape(), now.Percent(), now.Step(), now.Words(), pace.left(now.Progress, h.now())})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.watchers) == 0 {
		h.last, h.looking = nil, false
		return false
	}
	if fault != nil || string(text) == string(h.last) {
		return true
	}
	h.last = text
	for w := range h.watchers {
		select {
		case <-w.next: // what was not told yet is old
		default:
		}
		w.next <- text
	}
	return true
}

// scanEvents streams what is under way as server-sent events (HTML, section 9.2).
func (s *server) scanEvents(w http.ResponseWriter, r *http.Request) error {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // nginx hands it on as it comes
	if r.Method == http.MethodHead {
		return nil
	}
	watcher, leave, err := s.hub.join(r.Context(), identity(r).Name)
	if err != nil {
		return err
	}
	defer leave()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	send := func(text string) error {
		_ = control.SetWriteDeadline(time.Now().Add(streamPatience))
		if _, err := w.Write([]byte(text)); err != nil {
			return err
		}
		return control.Flush()
	}
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	for err = send("retry: 3000\n\n"); err == nil; {
		select {
		case text := <-watcher.next:
			err = send("data: " + string(text) + "\n\n")
		case <-beat.C:
			if _, known, fault := s.Gate.Identify(r); fault != nil || !known {
				return nil // they have signed out
			}
			err = send(": still here\n\n")
		case <-r.Context().Done():
			return nil
		case <-s.Stopping:
			return nil
		}
	}
	return nil // who watched has gone
}
