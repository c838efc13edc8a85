package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"ownmap/pipeline/egress"
	"ownmap/pipeline/load"
	"ownmap/pipeline/outbox"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/email"
	"ownmap/reports/slack"
	"ownmap/reports/webhook"
)

// channels makes the channels of the config, by name.
func (h *house) channels() (map[string]outbox.Channel, error) {
	channels := make(map[string]outbox.Channel, len(h.config.Channels))
	for name, c := range h.config.Channels {
		channel, err := h.channel(name, c)
		if err != nil {
			return nil, fmt.Errorf("channel %s: %w", name, err)
		}
		channels[name] = channel
	}
	return channels, nil
}

func (h *house) channel(name string, c load.Channel) (outbox.Channel, error) {
	organisation := h.config.Reports.Organisation
	switch c.Type {
	case load.ChannelEmail:
		return h.mail(c)
	case load.ChannelSlack:
		client, err := caller(c)
		if err != nil {
			return nil, err
		}
		o := slack.Options{
			Names: slack.Names{Organisation: organisation}, Name: name, WebhookURL: c.WebhookURL, Token: c.Token, Channel: c.Channel,
			Threads: memos{h.book, name}, Client: client, Log: h.log,
		}
		if c.PDF {
			o.PDF = h.pdf
		}
		return slack.New(o)
	case load.ChannelWebhook:
		client, err := caller(c)
		if err != nil {
			return nil, err
		}
		return webhook.New(webhook.Options{URL: c.URL, Secrets: []state.Secret{c.Secret}, Client: client, Organisation: organisation, Now: h.app.now})
	}
	return nil, fmt.Errorf("unknown type %s", c.Type)
}

// mail makes a channel of mail.
func (h *house) mail(c load.Channel) (outbox.Channel, error) {
	options := h.look.mailOptions()
	options.From, options.ReplyTo = c.From, c.ReplyTo
	if c.DKIM != nil {
		options.DKIM = email.DKIM{Domain: c.DKIM.Domain, Selector: c.DKIM.Selector, Key: c.DKIM.Key}
	}
	return email.NewChannel(options, email.Server{
		Host: c.Host, Port: c.Port, TLS: email.TLS(c.TLS), CAFile: c.CAFile, User: c.User, Password: c.Password, Auth: email.Auth(c.Auth), Helo: c.Helo,
	})
}

// caller returns what calls the address of a channel, and no other.
func caller(c load.Channel) (*http.Client, error) {
	return egress.New(egress.Options{RefusePrivate: !c.Private(), CAFile: c.CAFile})
}

// pdf makes the PDF that goes beside a message.
func (h *house) pdf(_ context.Context, report state.Report) ([]byte, error) {
	var b bytes.Buffer
	err := h.look.pdf(&b, report)
	return b.Bytes(), err
}

// memos is what a channel remembers from message to message.
type memos struct {
	book    *persist.Book
	channel string
}

// Get returns what is remembered under a key; empty: nothing.
func (m memos) Get(ctx context.Context, key string) (string, error) {
	return m.book.Memo(ctx, m.channel, key)
}

// Set has something remembered under a key.
func (m memos) Set(ctx context.Context, key, value string) error {
	return m.book.SetMemo(ctx, m.channel, key, value)
}
