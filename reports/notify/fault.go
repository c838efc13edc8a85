package notify

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// failed makes the fault of a try. What the service answered goes before what shoutrrr
// makes of it.
func (c *Channel) failed(ctx context.Context, w *watch, err error) *state.SendError {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &state.SendError{Err: fmt.Errorf("%s: %w", c.scheme, context.Canceled)}
	}
	status, after, reason, broken := 0, time.Duration(0), "", error(nil)
	if w != nil {
		w.mu.Lock()
		status, after, reason, broken = w.last, w.after, w.reason, w.broken
		w.mu.Unlock()
	}
	switch {
	case broken != nil:
		return &state.SendError{Err: errors.New(c.scheme + ": " + redacted(c.options.URL, without(broken))), Unreachable: true}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &state.SendError{Err: errors.New(c.scheme + ": no answer in time; the message may have arrived"), Unreachable: true}
	case status == 0:
		status = statusIn(err.Error())
		reason = without(err)
	}
	text, seconds := described(reason)
	e := &state.SendError{After: max(after, min(longestWait, time.Duration(seconds)*time.Second))}
	said := redacted(c.options.URL, cmp.Or(text, without(err)))
	switch {
	case status >= http.StatusBadRequest || status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		e.Err = fmt.Errorf("%s: status %d: %s", c.scheme, status, said)
	default:
		e.Err = errors.New(c.scheme + ": " + said)
	}
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
	case status >= http.StatusInternalServerError, status >= http.StatusMultipleChoices && status < http.StatusBadRequest, status == http.StatusUnauthorized:
		e.Unreachable = true
	case status >= http.StatusBadRequest:
		e.Permanent, e.After = true, 0
	}
	return e
}

// without is the text of an error without the URL that net/http puts into it.
func without(err error) string {
	if wrapped := new(url.Error); errors.As(err, &wrapped) {
		return wrapped.Err.Error()
	}
	return err.Error()
}

// statusIn reads a status of HTTP from an error of shoutrrr's: "unexpected status: 404",
// "got unexpected HTTP status: 500 Internal Server Error", "HTTP 400". 0: there is none.
func statusIn(text string) int {
	found := regexp.MustCompile(`(?i)(?:status|http|code)[ a-z"':]{0,24}\b([345]\d\d)\b`).FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1]) // three digits
	return n
}

// redacted is a text of a library or of a service in one inert line, in which nothing of
// the URL is left but the scheme, and no address at all.
func redacted(secret state.Secret, text string) string {
	for _, part := range parts(secret) {
		text = strings.ReplaceAll(text, part, "***")
	}
	text = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"']*`).ReplaceAllString(text, "(an address)")
	return state.Inert(text, 200)
}

// parts returns the URL and whatever of it could be a secret, as it stands there, decoded,
// and as it goes over HTTP; the longest first.
func parts(secret state.Secret) []string {
	const short = 4 // no secret is so short, and it could stand in any word
	whole := secret.Reveal()
	all := []string{whole}
	if u, err := url.Parse(whole); err == nil {
		password, _ := u.User.Password()
		both := u.User.Username() + ":" + password
		all = append(all, u.User.Username(), password, both, base64.StdEncoding.EncodeToString([]byte(both)), u.Host, u.Hostname(), u.Path, u.RawQuery, u.Fragment)
		all = append(all, strings.FieldsFunc(u.Path+"/"+u.Host, func(r rune) bool { return r == '/' || r == '@' })...)
		for _, values := range u.Query() {
			all = append(all, values...)
			for _, value := range values {
				all = append(all, strings.Split(value, ",")...)
			}
		}
	}
	// A URL that cannot be read is taken apart by its signs.
	all = append(all, strings.FieldsFunc(whole, func(r rune) bool { return strings.ContainsRune(":/@?&=,#", r) })...)
	for _, part := range all {
		all = append(all, url.QueryEscape(part), url.PathEscape(part), strconv.Quote(part))
	}
	scheme := schemeOf(secret)
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.DeleteFunc(all, func(part string) bool {
		return len(part) < short || part == scheme || strings.HasPrefix(part, scheme+"+") && !strings.Contains(part, "/")
	})
}
