package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/discord"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/rocketchat"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/pushover"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"ownmap/pipeline/state"
)

// try is one attempt of shoutrrr's to send a message. Most of its services know no
// context: they go on when nobody waits for them any more.
type try struct {
	message string // its id
	done    chan struct{}
	err     error
	watch   *watch
	watched bool // the service uses the client of watch, and a success can be seen
}

// viaShoutrrr sends a text. A try that outlives its Send is waited for by the next one,
// which counts its success: else the message would arrive twice, and the tries of a dead
// service would pile up.
func (c *Channel) viaShoutrrr(ctx context.Context, m state.Message, text string) error {
	c.mu.Lock()
	late := c.late
	c.mu.Unlock()
	if late != nil {
		select {
		case <-late.done:
		case <-ctx.Done():
			return c.failed(ctx, nil, errors.New("the try before this one has not ended"))
		}
		c.mu.Lock()
		if c.late == late {
			c.late = nil
		}
		c.mu.Unlock()
		if late.message == m.ID && late.err == nil {
			return nil
		}
	}
	t := &try{message: m.ID, done: make(chan struct{}), watch: newWatch(ctx, c.options.Client)}
	go func() {
		defer close(t.done)
		t.err = t.send(c.options.URL, m, text)
	}()
	select {
	case <-t.done:
	case <-ctx.Done():
		c.mu.Lock()
		c.late = t
		c.mu.Unlock()
		return c.failed(ctx, t.watch, ctx.Err())
	}
	if t.err != nil {
		return c.failed(ctx, t.watch, t.err)
	}
	return nil
}

func (t *try) send(secret state.Secret, m state.Message, text string) (err error) {
	defer func() {
		if r := recover(); r != nil { // zulip's does where nobody answers
			err = fmt.Errorf("shoutrrr failed: %v", r)
		}
	}()
	to, err := service(secret)
	if err != nil {
		return err
	}
	t.watched = t.watch.bind(to)
	params := paramsOf(secret, m)
	if err := to.Send(text, &params); err != nil {
		return err
	}
	if status := t.watch.status(); t.watched && (status < http.StatusOK || status >= http.StatusMultipleChoices) {
		return errors.New("the service did not take it")
	}
	return nil
}

// paramsOf returns what a service is told beside the text, unless the URL says it.
func paramsOf(secret state.Secret, m state.Message) types.Params {
	wanted := map[string][2]string{
		"discord":    {"splitlines", "No"}, // one message, not one for each line
		"gotify":     {"title", "OwnMap"},
		"opsgenie":   {"alias", m.ID}, // a repeated try opens no second alert
		"pagerduty":  {"dedup_key", m.ID},
		"pushbullet": {"title", "OwnMap"},
	}
	params := types.Params{}
	if p, found := wanted[schemeOf(secret)]; found && p[1] != "" && !asks(secret, p[0]) {
		params[p[0]] = p[1]
	}
	return params
}

// bind gives a service the client that is watched, where it takes one.
func (w *watch) bind(to types.Service) bool {
	client := w.client()
	switch to := to.(type) {
	case *ntfy.Service:
		if to.Config.DisableTLSVerification { // its own client does that
			return false
		}
		to.SetHTTPClient(client)
	case interface{ SetHTTPClient(*http.Client) }:
		to.SetHTTPClient(client)
	case interface{ GetHTTPClient() *http.Client }: // whose transport has the settings of its URL
		own := to.GetHTTPClient()
		if own == nil {
			return false
		}
		w.base = own.Transport
		*own = *client
	case *discord.Service:
		to.HTTPClient, to.Sleeper = client, awake{}
	case *rocketchat.Service:
		to.Client = client
	case *pushover.Service:
		to.Client = client
	default:
		return false
	}
	return true
}
