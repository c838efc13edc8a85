package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	slackgo "github.com/slack-go/slack"

	"ownmap/pipeline/state"
)

// longestAnswer is how much of an answer is read, in bytes.
const longestAnswer = 1 << 20

// viaWebhook posts a message to the incoming webhook
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). slack-go's
// own PostWebhook would lose the reason that stands in the body of an answer.
func (c *Channel) viaWebhook(ctx context.Context, m state.Message) error {
	const what = "slack webhook"
	message, never := Render(c.options.Names, m), false
	body, err := json.Marshal(slackgo.WebhookMessage{
		Text: message.Text, Blocks: &slackgo.Blocks{BlockSet: message.Blocks}, UnfurlLinks: &never, UnfurlMedia: &never, Parse: "none",
	})
	if err != nil {
		return &state.SendError{Err: c.redacted(what + ": " + err.Error()), Permanent: true}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.options.WebhookURL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return c.failed(ctx, what, err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := c.client.Do(request)
	if err != nil {
		return c.failed(ctx, what, err)
	}
	defer answer.Body.Close()
	const longestReason = 1000
	text, err := io.ReadAll(io.LimitReader(answer.Body, longestReason))
	reason := strings.TrimSpace(string(text))
	switch {
	case answer.StatusCode != http.StatusOK:
		return c.refused(what, answer.StatusCode, reason, retryAfter(answer.Header))
	case err != nil:
		return c.failed(ctx, what, err)
	case reason != "ok":
		return c.refused(what+": an answer that is not Slack's", http.StatusOK, "", 0)
	}
	return nil
}

// bounded is a client whose answers end: slack-go reads them whole.
type bounded struct{ client *http.Client }

// Do sends a request.
func (b bounded) Do(request *http.Request) (*http.Response, error) {
	answer, err := b.client.Do(request) //nolint:gosec // G704: the administrator chose the address, or Slack did
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, longestAnswer), answer.Body}
	return answer, nil
}
