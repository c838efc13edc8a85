// Package notify sends short messages to the many services that shoutrrr knows: Teams,
// Discord, Telegram, Matrix, ntfy, Gotify, PagerDuty, Opsgenie and others, each named by
// one URL (https://shoutrrr.nickfedor.com/services/overview/).
package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"ownmap/pipeline/state"
)

// Options is how a channel sends.
type Options struct {
	URL state.Secret // of the service, as shoutrrr has it: "ntfy://ntfy.example.org/alerts"
	// Render makes the text of a message, not longer than LimitOf(URL). It must be inert
	// in any chat.
	Render  func(m state.Message) (string, error)
	Client  *http.Client  // nil: one of its own. For the services that can be given one
	Timeout time.Duration // of one Send; 0: 30 s
	// TelegramURL is where the Bot API of Telegram is; empty: https://api.telegram.org.
	TelegramURL string
}

// Channel is one service. It may be used by several goroutines.
type Channel struct {
	options Options
	scheme  string

	mu   sync.Mutex
	late *try // one that outlived its Send
}

const defaultTimeout = 30 * time.Second

// New returns a channel. Its errors name the service and hold nothing else of the URL.
func New(options Options) (*Channel, error) {
	if err := Check(options.URL); err != nil {
		return nil, err
	}
	if options.Render == nil {
		return nil, errors.New("notify: nothing makes the text")
	}
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	return &Channel{options: options, scheme: schemeOf(options.URL)}, nil
}

// Check says what is wrong with a URL without sending anything, and without any part of
// it but the scheme.
func Check(secret state.Secret) error {
	scheme := schemeOf(secret)
	if _, known := limits()[scheme]; !known {
		if instead := insteadOf(scheme); instead != "" {
			return fmt.Errorf("notify: %s:// is not sent to; %s", scheme, instead)
		}
		return fmt.Errorf("notify: the URL does not begin with a service that is known: %s", strings.Join(slices.Sorted(maps.Keys(limits())), ", "))
	}
	if scheme == "matrix" { // it would sign in
		if u, err := url.Parse(secret.Reveal()); err != nil || u.Host == "" {
			return errors.New("notify: the matrix:// URL cannot be read; it is matrix://user:password@host/?rooms=#room")
		}
		return nil
	}
	if _, err := service(secret); err != nil {
		return fmt.Errorf("notify: the %s:// URL cannot be used: %s", scheme, redacted(secret, err.Error()))
	}
	return nil
}

// service reads the URL. Some services speak to their server for that.
func service(secret state.Secret) (found types.Service, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it makes shoutrrr fail: %v", r)
		}
	}()
	u, err := url.Parse(secret.Reveal())
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	scheme := schemeOf(secret)
	if found, err = new(router.ServiceRouter).NewService(scheme); err != nil {
		return nil, err
	}
	if u.Scheme != scheme {
		custom, ok := found.(types.CustomURLService)
		if !ok {
			return nil, errors.New("a URL of the service's own cannot stand behind the scheme")
		}
		if u, err = custom.GetConfigURLFromCustom(u); err != nil {
			return nil, err
		}
	}
	return found, found.Initialize(u, log.New(io.Discard, "", 0))
}

// Send returns nil when the service took the message, and else a *state.SendError. It ends
// with ctx, and after the Timeout in any case.
func (c *Channel) Send(ctx context.Context, m state.Message) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	text, err := c.options.Render(m)
	if err != nil {
		return &state.SendError{Err: errors.New(c.scheme + ": the text could not be made: " + redacted(c.options.URL, err.Error()))}
	}
	text = cut(text, limits()[c.scheme])
	if c.scheme == "telegram" {
		return c.telegram(ctx, text)
	}
	return c.viaShoutrrr(ctx, m, text)
}

// cut holds the limit, whoever made the text.
func cut(text string, limit Limit) string {
	runes := []rune(text)
	if limit.Characters > 0 && len(runes) > limit.Characters {
		runes = append(runes[:limit.Characters-1], '…')
	}
	for limit.Bytes > 0 && len(string(runes)) > limit.Bytes {
		over := len(string(runes)) - limit.Bytes
		runes = append(runes[:max(0, len(runes)-2-over/4)], '…')
	}
	return string(runes)
}
