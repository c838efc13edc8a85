// Package slack tells a run in a channel of Slack's: over an incoming webhook, or by a
// bot, which keeps what belongs together in one thread and puts the PDF beside it.
package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"ownmap/pipeline/state"
)

// Threads keeps which thread a message belongs to. A key has at most 700 bytes.
type Threads interface {
	// Get returns the time stamp of a thread's first message ("1503435956.000247"), or
	// nothing where there is none.
	Get(ctx context.Context, key string) (ts string, err error)
	// Set puts a thread in the place of the one before it.
	Set(ctx context.Context, key, ts string) error
}

// Options is how a channel sends. Either WebhookURL or Token is set.
type Options struct {
	Names

	Name       string        // of the channel in the configuration
	WebhookURL state.Secret  // of an incoming webhook
	Token      state.Secret  // of a bot with the scope chat:write, and files:write for the PDF
	Channel    string        // id of the channel that the bot writes to: "C0123456789"
	Threads    Threads       // of a bot; nil: each message stands alone
	ThreadAge  time.Duration // after which a thread is not gone on with; 0: a week
	// PDF makes the report of a run for a bot to put beside its message; nil: none.
	PDF func(ctx context.Context, report state.Report) ([]byte, error)

	Client  *http.Client  // nil: one of its own. Redirects are not followed, and its Timeout is not needed
	Timeout time.Duration // of one Send; 0: 30 s
	APIURL  string        // of Slack's Web API; empty: https://slack.com/api/
	Log     *slog.Logger  // told of what went wrong beside a message that was taken; nil: nobody
}

// Channel is one channel of Slack's. It may be used by several goroutines.
type Channel struct {
	options Options
	client  *http.Client
	api     *slackgo.Client // nil: it sends over the webhook
}

const (
	defaultTimeout   = 30 * time.Second
	defaultThreadAge = 7 * 24 * time.Hour
)

// channelID is what Slack calls a channel, a private one or a direct message.
const channelID = `^[CGD][A-Z0-9]{2,20}$`

// New returns a channel. Its errors say what is wrong with the options; they hold no
// secret.
func New(options Options) (*Channel, error) {
	webhook, token := options.WebhookURL.Reveal(), options.Token.Reveal()
	c := &Channel{options: options, client: withoutRedirects(options.Client)}
	if c.options.Timeout <= 0 {
		c.options.Timeout = defaultTimeout
	}
	if c.options.ThreadAge <= 0 {
		c.options.ThreadAge = defaultThreadAge
	}
	if c.options.Log == nil {
		c.options.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case (webhook == "") == (token == ""):
		return nil, errors.New("slack: either the URL of an incoming webhook or the token of a bot is needed")
	case webhook != "":
		if err := checkURL(webhook); err != nil {
			return nil, fmt.Errorf("slack: the URL of the incoming webhook %w", err)
		}
		return c, nil
	case strings.ContainsAny(token, " \r\n\t"):
		return nil, errors.New("slack: there is a space or a line end in the token")
	case !regexp.MustCompile(channelID).MatchString(options.Channel):
		return nil, errors.New("slack: the bot needs the id of its channel (C0123456789: in Slack, at the end of the channel's details), not its name")
	}
	settings := []slackgo.Option{slackgo.OptionHTTPClient(bounded{c.client})}
	if options.APIURL != "" {
		if err := checkURL(options.APIURL); err != nil {
			return nil, fmt.Errorf("slack: the URL of the API %w", err)
		}
		settings = append(settings, slackgo.OptionAPIURL(strings.TrimSuffix(options.APIURL, "/")+"/"))
	}
	c.api = slackgo.New(token, settings...)
	return c, nil
}

// checkURL says what is wrong with a URL, without any of it. HTTP without TLS would tell
// the secret to the network, and is for a server on this machine alone.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("is no URL")
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("is not complete, or has what does not belong there")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("must begin with https://")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// withoutRedirects returns a client that takes a redirect for an answer: none of Slack's
// answers is one, and a secret must not follow it.
func withoutRedirects(client *http.Client) *http.Client {
	own := http.Client{}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Send returns nil when Slack took the message, and else a *state.SendError. It ends with
// ctx, and after the Timeout in any case.
func (c *Channel) Send(ctx context.Context, m state.Message) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	if c.api == nil {
		return c.viaWebhook(ctx, m)
	}
	return c.viaBot(ctx, m)
}
