// Package webhook tells a program of the user's of a message: one POST of signed JSON,
// as the Standard Webhooks specification has it (https://www.standardwebhooks.com).
// Payload describes the body.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ownmap/pipeline/state"
)

// DefaultTimeout of a try.
const DefaultTimeout = 30 * time.Second

// Options is where the messages go.
type Options struct {
	// URL is called; what stands in its path and query is as secret as a password.
	URL state.Secret
	// Secrets sign: each adds a signature, so that a new one can be introduced before the
	// old one goes. They begin with "whsec_" and are base64 (24 to 64 bytes), as the
	// specification has them, or are any other text of at least 16 bytes, taken as it is.
	Secrets []state.Secret
	// Client makes the calls; it decides which addresses may be called at all.
	Client *http.Client
	// Organisation and Network say whose network it is; each may be empty.
	Organisation, Network string
	Now                   func() time.Time // of the try, for the signature; nil: time.Now
	Timeout               time.Duration    // of a try; 0: DefaultTimeout
}

// Channel delivers messages to one address.
type Channel struct {
	options Options
	keys    [][]byte
	client  http.Client
}

// New checks the address and the secrets. Its errors hold neither.
func New(options Options) (*Channel, error) {
	if options.Client == nil {
		return nil, errors.New("webhook: no HTTP client")
	}
	address, err := url.Parse(options.URL.Reveal())
	if err != nil || address.Scheme != "https" && address.Scheme != "http" || address.Host == "" {
		return nil, errors.New("webhook: the URL is not valid: it is to begin with https:// and a host")
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	c := &Channel{options: options, client: *options.Client}
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if len(options.Secrets) == 0 {
		return nil, errors.New("webhook: no secret to sign with")
	}
	for i, secret := range options.Secrets {
		key, err := keyOf(secret)
		if err != nil {
			return nil, fmt.Errorf("webhook: secret %d: %w", i+1, err)
		}
		c.keys = append(c.keys, key)
	}
	return c, nil
}

// Send makes one try to deliver a message. It returns nil when the receiver answered
// with 2xx, and else a *state.SendError without any secret: 408, 425, 429, 3xx, 5xx and
// no answer are worth another try, every other answer is not.
func (c *Channel) Send(ctx context.Context, m state.Message) error {
	body, err := Render(m, c.options.Organisation, c.options.Network)
	if err != nil {
		return &state.SendError{Err: fmt.Errorf("webhook: %w", err), Permanent: true}
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.options.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return &state.SendError{Err: fmt.Errorf("webhook: %w", state.Redact(err)), Permanent: true}
	}
	now := c.options.Now()
	timestamp := strconv.FormatInt(now.Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "OwnMap")
	request.Header.Set("Webhook-Id", m.ID)
	request.Header.Set("Webhook-Timestamp", timestamp)
	request.Header.Set("Webhook-Signature", sign(c.keys, m.ID, timestamp, body))
	response, err := c.client.Do(request)
	if err != nil {
		return &state.SendError{Err: fmt.Errorf("webhook: %w", state.Redact(err)), Unreachable: true}
	}
	defer response.Body.Close()
	// The answer is nobody's to read, and is only read that it is known to have come.
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	return judge(response, now)
}

// judge says what an answer means.
func judge(response *http.Response, now time.Time) error {
	status := response.StatusCode
	if status/100 == 2 {
		return nil
	}
	failure := &state.SendError{Err: fmt.Errorf("webhook: %s answered %d %s", response.Request.URL.Host, status, http.StatusText(status))}
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusInternalServerError:
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		failure.Unreachable = true
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		failure.Permanent, failure.Unreachable = true, true
	default:
		failure.Permanent = status/100 == 4
	}
	if !failure.Permanent {
		failure.After = retryAfter(response.Header.Get("Retry-After"), now)
	}
	return failure
}

// retryAfter reads the header of that name, seconds or a date (RFC 9110, 10.2.3), as a
// time from now of at most a day. What is neither, or is over, is 0.
func retryAfter(header string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(most/time.Second))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(0, at.Sub(now)), most)
}
