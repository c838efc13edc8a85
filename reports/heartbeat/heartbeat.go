// Package heartbeat tells a service that watches for silence that a run began, ended or
// failed: healthchecks.io (https://healthchecks.io/docs/http_api/) and what speaks as it
// does, and services that only want to be called when all is well.
package heartbeat

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// Style is what a service wants to be told.
type Style string

// The styles.
const (
	// Healthchecks is called at the start (URL/start), at success (URL) and at failure
	// (URL/fail), by POST, with ?rid= of the run and a text in the body.
	Healthchecks Style = "healthchecks"
	// Plain is called at success only, by GET, as Uptime Kuma's push monitors and Better
	// Stack's heartbeats want it: a failure is silence.
	Plain Style = "plain"
)

// What a ping keeps to.
const (
	MaxBody        = 10_000 // bytes of the text, all that healthchecks.io keeps
	DefaultTimeout = 5 * time.Second
	DefaultTotal   = 10 * time.Second
	DefaultBackoff = 300 * time.Millisecond
	tries          = 3
)

// Options is who is called.
type Options struct {
	// URL is that of a success; its path and query are as secret as a password.
	URL    state.Secret
	Style  Style // empty: Healthchecks
	Client *http.Client
	// Timeout of a try, Total of all three with the pauses between them: no run waits
	// longer. Backoff is the first pause; the second is twice as long. 0: the defaults.
	Timeout, Total, Backoff time.Duration
}

// Heart pings one address.
type Heart struct {
	options Options
	address *url.URL
	client  http.Client
}

// New checks the address. Its errors do not hold it.
func New(options Options) (*Heart, error) {
	address, err := url.Parse(options.URL.Reveal())
	switch {
	case err != nil || address.Scheme != "https" && address.Scheme != "http" || address.Host == "":
		return nil, errors.New("heartbeat: the URL is not valid: it is to begin with https:// and a host")
	case options.Client == nil:
		return nil, errors.New("heartbeat: no HTTP client")
	}
	switch options.Style {
	case "":
		options.Style = Healthchecks
	case Healthchecks, Plain:
	default:
		return nil, fmt.Errorf("heartbeat: style %q is none of healthchecks, plain", options.Style)
	}
	for _, d := range []struct {
		to    *time.Duration
		value time.Duration
	}{{&options.Timeout, DefaultTimeout}, {&options.Total, DefaultTotal}, {&options.Backoff, DefaultBackoff}} {
		if *d.to == 0 {
			*d.to = d.value
		}
	}
	h := &Heart{options, address, *options.Client}
	h.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return h, nil
}

// Start tells that a run begins.
func (h *Heart) Start(ctx context.Context, run state.Run) error { return h.ping(ctx, "start", run, "") }

// Success tells that a run ended well, with its verdict.
func (h *Heart) Success(ctx context.Context, run state.Run, verdict string) error {
	return h.ping(ctx, "", run, verdict)
}

// Fail tells that a run failed, and why. The zero Run stands for one that did not even
// begin.
func (h *Heart) Fail(ctx context.Context, run state.Run, why string) error {
	return h.ping(ctx, "fail", run, why)
}

// RunID identifies a run for the service: a UUID of version 8 (RFC 9562, 5.8) of its
// number and its start, the same at each ping.
func RunID(run state.Run) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "ownmap run %d %s", run.ID, run.StartedAt.UTC().Format(time.RFC3339Nano)))
	id := sum[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// ping tries three times. Its error is redacted; it costs the run nothing but a note.
func (h *Heart) ping(ctx context.Context, event string, run state.Run, text string) error {
	if h.options.Style == Plain && event != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.options.Total)
	defer cancel()
	pause := h.options.Backoff
	var err error
	for try := range tries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return fmt.Errorf("heartbeat: %w", err)
			case <-time.After(pause):
				pause *= 2
			}
		}
		var again bool
		if again, err = h.call(ctx, event, run, text); err == nil {
			return nil
		}
		if !again {
			break
		}
	}
	return fmt.Errorf("heartbeat: %w", err)
}

// call makes one try, and says whether another one may help.
func (h *Heart) call(ctx context.Context, event string, run state.Run, text string) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.options.Timeout)
	defer cancel()
	request, err := h.request(ctx, event, run, text)
	if err != nil {
		return false, state.Redact(err)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return true, state.Redact(err)
	}
	defer response.Body.Close()
	const longest = 256 // "OK (rate limited)"
	answer, err := io.ReadAll(io.LimitReader(response.Body, longest))
	switch status := response.StatusCode; {
	case status/100 == 5 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests:
		return true, fmt.Errorf("%s answered %d %s", h.address.Host, status, http.StatusText(status))
	case status/100 != 2:
		return false, fmt.Errorf("%s answered %d %s", h.address.Host, status, http.StatusText(status))
	case err != nil:
		return true, fmt.Errorf("the answer of %s broke off: %w", h.address.Host, state.Redact(err))
	case h.options.Style == Healthchecks && strings.HasPrefix(string(answer), "OK (not found)"):
		return false, fmt.Errorf("%s knows no such check", h.address.Host)
	case h.options.Style == Healthchecks && strings.HasPrefix(string(answer), "OK (rate limited)"):
		return false, fmt.Errorf("%s took too many pings, and not this one", h.address.Host)
	}
	return false, nil
}

func (h *Heart) request(ctx context.Context, event string, run state.Run, text string) (*http.Request, error) {
	address := *h.address
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if h.options.Style == Healthchecks {
		method, body = http.MethodPost, strings.NewReader(bounded(text))
		if event != "" {
			address = *h.address.JoinPath(event)
		}
		if run.ID != 0 {
			query := address.Query()
			query.Set("rid", RunID(run))
			address.RawQuery = query.Encode()
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "OwnMap")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	return request, nil
}

// bounded makes a text of any length one that can be seen, of MaxBody bytes at most.
func bounded(text string) string {
	if len(text) > MaxBody {
		text = strings.ToValidUTF8(text[:MaxBody], "")
	}
	if text = state.Visible(text); len(text) > MaxBody {
		text = strings.ToValidUTF8(text[:MaxBody-len("…")], "") + "…"
	}
	return text
}
