package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"ownmap/pipeline/state"
)

// longestWait bounds what Slack may ask to wait: a message must not sleep for years.
const longestWait = 24 * time.Hour

// forAdministrator are the reasons that are not the message's fault: the channel as a
// whole does not work until somebody sees to the token or the webhook
// (https://docs.slack.dev/reference/methods/chat.postMessage and
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
func forAdministrator(reason string) bool {
	return slices.Contains([]string{
		"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "invalid_token", "no_permission", "missing_scope",
		"not_allowed_token_type", "org_login_required", "ekm_access_denied", "access_denied", "team_disabled", "team_access_not_granted", "two_factor_setup_required",
	}, reason)
}

// passing are the reasons that go away by themselves.
func passing(reason string) bool {
	return slices.Contains([]string{
		"ratelimited", "rate_limited", "message_limit_exceeded", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "rollup_error",
	}, reason)
}

// threadGone are the reasons for which a message finds no thread to stand in.
func threadGone(reason string) bool {
	return slices.Contains([]string{"thread_not_found", "message_not_found", "cannot_reply_to_message", "restricted_action_thread_locked", "invalid_thread_ts"}, reason)
}

// refused makes the fault of an answer: its status of HTTP, and Slack's word for the
// reason, which may be anything.
func (c *Channel) refused(what string, status int, reason string, after time.Duration) *state.SendError {
	known := state.Inert(reason, 100)
	if word := strings.Trim(reason, "abcdefghijklmnopqrstuvwxyz0123456789_"); word == "" && len(reason) <= 100 {
		known = reason // one of Slack's words
	}
	text := what
	if status != http.StatusOK {
		text += fmt.Sprintf(": status %d", status)
	}
	if known != "" {
		text += ": " + known
	}
	e := &state.SendError{Err: c.redacted(text), After: min(max(0, after), longestWait)}
	switch {
	case forAdministrator(reason):
		e.Unreachable = true
		e.Err = c.redacted(text + " (the token or the webhook has to be renewed in Slack)")
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || passing(reason):
	case status >= http.StatusInternalServerError || status < http.StatusOK || status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		e.Unreachable = true
	case status == http.StatusOK && known == "":
		// It is not Slack that answers so.
	default:
		e.Permanent = true
	}
	return e
}

// failed makes the fault of a request that got no answer, or none that can be read.
func (c *Channel) failed(ctx context.Context, what string, err error) *state.SendError {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &state.SendError{Err: fmt.Errorf("%s: %w", what, context.Canceled)}
	}
	var limited *slackgo.RateLimitedError
	if errors.As(err, &limited) {
		return c.refused(what, http.StatusTooManyRequests, "ratelimited", limited.RetryAfter)
	}
	var told slackgo.SlackErrorResponse
	if errors.As(err, &told) {
		return c.refused(what, http.StatusOK, told.Err, 0)
	}
	var status slackgo.StatusCodeError
	if errors.As(err, &status) {
		return c.refused(what, status.Code, "", 0)
	}
	if wrapped := new(url.Error); errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL, which is a secret
	}
	text := what + ": " + state.OneLine(err.Error(), 300)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		text = what + ": no answer in time"
	}
	return &state.SendError{Err: c.redacted(text), Unreachable: true}
}

// redacted is an error of a text in which no secret is left, whoever put it there. It
// wraps nothing: what it would wrap could print one.
func (c *Channel) redacted(text string) error {
	for _, secret := range c.secrets() {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return errors.New(text)
}

// secrets returns what must not be printed, the longest first: the token, the URL of the
// webhook, and each part of its path.
func (c *Channel) secrets() []string {
	const short = 6 // a part so short is no secret, and could stand in any word
	all := []string{c.options.Token.Reveal(), c.options.WebhookURL.Reveal()}
	if u, err := url.Parse(c.options.WebhookURL.Reveal()); err == nil {
		all = append(all, u.Path, u.EscapedPath(), u.RawQuery)
		all = append(all, strings.Split(u.Path, "/")...)
	}
	for _, secret := range all {
		all = append(all, state.Inert(secret, state.MaxText))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.DeleteFunc(all, func(secret string) bool { return len(secret) < short })
}

// retryAfter reads the header of that name (RFC 9110, 10.2.3), in seconds: Slack sends no
// dates.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, int(longestWait/time.Second))) * time.Second
}
