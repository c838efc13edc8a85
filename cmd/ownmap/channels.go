package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"ownmap/pipeline/egress"
	"ownmap/pipeline/load"
	"ownmap/pipeline/outbox"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/email"
	"ownmap/reports/filedrop"
	"ownmap/reports/notify"
	"ownmap/reports/short"
	"ownmap/reports/siem"
	"ownmap/reports/slack"
	"ownmap/reports/webhook"
)

// channels makes the channels of the config, by name. One that cannot be made, because a
// file that it needs is not there, holds up no other: it is a channel that does not work.
func (h *house) channels() map[string]outbox.Channel {
	channels := make(map[string]outbox.Channel, len(h.config.Channels))
	for name, c := range h.config.Channels {
		channel, err := h.channel(name, c)
		if err != nil {
			channel = brokenChannel{err}
		}
		channels[name] = channel
	}
	return channels
}

// brokenChannel stands for one that cannot be made. Its messages wait until it can.
type brokenChannel struct{ err error }

// Send says why the channel cannot be made.
func (b brokenChannel) Send(context.Context, state.Message) error {
	return &state.SendError{Err: b.err, Unreachable: true}
}

// Check says the same.
func (b brokenChannel) Check(context.Context) error { return b.err }

func (h *house) channel(name string, c load.Channel) (outbox.Channel, error) {
	organisation := h.config.Reports.Organisation
	switch c.Type {
	case load.ChannelEmail:
		return h.mail(c)
	case load.ChannelSlack:
		client, err := h.app.caller(c)
		if err != nil {
			return nil, err
		}
		o := slack.Options{
			Names: slack.Names{Organisation: organisation}, Name: name, WebhookURL: c.WebhookURL, Token: c.Token, Channel: c.Channel, APIURL: c.APIURL,
			Threads: memos{h.book, name}, Client: client, Log: h.log,
		}
		if c.PDF {
			o.PDF = h.pdf
		}
		return slack.New(o)
	case load.ChannelWebhook:
		client, err := h.app.caller(c)
		if err != nil {
			return nil, err
		}
		return webhook.New(webhook.Options{URL: c.URL, Secrets: []state.Secret{c.Secret}, Client: client, Organisation: organisation, Now: h.app.now})
	}
	return h.plainChannel(c)
}

// plainChannel makes a channel of those that tell it in plain text or by events.
func (h *house) plainChannel(c load.Channel) (outbox.Channel, error) {
	words := short.Options{Templates: h.look.set(), Organisation: h.config.Reports.Organisation}
	switch c.Type {
	case load.ChannelNotify:
		limit := notify.LimitOf(c.URL)
		client, err := h.app.caller(c)
		if err != nil {
			return nil, err
		}
		words.Limit, words.Bytes = cmp.Or(limit.Characters, manyCharacters), limit.Bytes
		return notify.New(notify.Options{URL: c.URL, Render: short.New(words).Render, Client: client})
	case load.ChannelSyslog:
		return syslog(c)
	case load.ChannelJSONL:
		return siem.NewFile(siem.FileOptions{Path: c.Path})
	case load.ChannelFile:
		words.Limit = manyCharacters
		o := filedrop.Options{Folder: c.Dir, Extension: "txt", Render: textOf(short.New(words))}
		if c.Format == "json" {
			o.Extension, o.Render = "json", func(m state.Message) ([]byte, error) { return webhook.Render(m, words.Organisation, "") }
		}
		return filedrop.New(o)
	}
	return nil, fmt.Errorf("unknown type %s", c.Type)
}

// manyCharacters is the limit of a short message where the service has none.
const manyCharacters = 10_000

func textOf(w *short.Writer) func(state.Message) ([]byte, error) {
	return func(m state.Message) ([]byte, error) {
		text, err := w.Render(m)
		return []byte(text + "\n"), err
	}
}

// syslog makes a channel to the address of a syslog server, "tls://siem.example.org:6514".
func syslog(c load.Channel) (outbox.Channel, error) {
	u, err := url.Parse(c.Address)
	if err != nil {
		return nil, err
	}
	o := siem.Options{Transport: siem.Transport(u.Scheme), Address: u.Host, Facility: c.Facility}
	switch u.Scheme {
	case "unix":
		o.Transport, o.Address = siem.Local, u.Path
	case "tls":
		if o.TLS, err = egress.TLS(c.CAFile); err != nil {
			return nil, err
		}
	}
	return siem.New(o)
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
func (a *app) caller(c load.Channel) (*http.Client, error) {
	return egress.New(egress.Options{RefusePrivate: !c.Private(), CAFile: c.CAFile, Resolver: a.resolver})
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
