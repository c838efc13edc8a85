package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"ownmap/pipeline/state"
)

// watch is the transport of a try: it ends with the context that shoutrrr does not know,
// and remembers what the service answered, which shoutrrr's errors often lose.
type watch struct {
	ctx  context.Context // of one Send
	own  *http.Client
	base http.RoundTripper

	mu     sync.Mutex
	last   int           // status of the last answer
	after  time.Duration // that it asks to wait
	reason string        // what else it says
	broken error         // why there was no answer
}

const (
	longestAnswer = 1 << 16 // bytes
	longestReason = 1000
	longestWait   = 24 * time.Hour
)

func newWatch(ctx context.Context, client *http.Client) *watch {
	if client == nil {
		client = &http.Client{}
	}
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	return &watch{ctx: ctx, own: client, base: base}
}

// client returns the client that is watched. It follows no redirect: a token must not.
func (w *watch) client() *http.Client {
	return &http.Client{Transport: w, Jar: w.own.Jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// RoundTrip sends a request, but for those that follow one that failed: when to try again
// is not for shoutrrr to say.
func (w *watch) RoundTrip(request *http.Request) (*http.Response, error) {
	w.mu.Lock()
	again := w.broken != nil || w.last >= http.StatusBadRequest
	w.mu.Unlock()
	if again {
		return nil, errors.New("the try before this one failed")
	}
	answer, err := w.base.RoundTrip(request.WithContext(w.ctx))
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.broken = err
		return nil, err
	}
	w.last, w.after = answer.StatusCode, retryAfter(answer.Header)
	var start []byte
	if answer.StatusCode >= http.StatusMultipleChoices {
		start, _ = io.ReadAll(io.LimitReader(answer.Body, longestReason)) // what cannot be read says nothing
		w.reason = string(start)
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), io.LimitReader(answer.Body, longestAnswer)), answer.Body}
	return answer, nil
}

func (w *watch) status() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// awake lets nobody sleep: the next request fails at once, and the outbox waits instead.
type awake struct{}

// Sleep returns at once.
func (awake) Sleep(time.Duration) {}

// retryAfter reads the header of that name, in seconds or as a date (RFC 9110, 10.2.3). A
// date is told by the date of the answer itself, whatever the clocks.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	seconds, err := strconv.ParseFloat(text, 64) // Discord's has a fraction
	wait := time.Duration(0)
	if err == nil && seconds > 0 {
		wait = time.Duration(min(seconds, longestWait.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(text); err == nil {
		if now, err := http.ParseTime(header.Get("Date")); err == nil {
			wait = at.Sub(now)
		}
	}
	return min(max(0, wait), longestWait)
}

// asks says whether the query of a URL has a key, in whatever case.
func asks(secret state.Secret, key string) bool {
	u, err := url.Parse(secret.Reveal())
	if err != nil {
		return false
	}
	for name := range u.Query() {
		if strings.EqualFold(name, key) {
			return true
		}
	}
	return false
}
