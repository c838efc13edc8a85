package load

import (
	"net/mail"
	"net/url"
	"slices"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// wholeChannel says what a channel lacks, and fills in what goes without saying.
func (p *parser) wholeChannel(c *Channel, what string) {
	lacks := func(missing bool, text string) {
		if missing {
			p.add(c.line, "%s: %s", what, text)
		}
	}
	given := func(s state.Secret, file string) bool { return s.Reveal() != "" || file != "" }
	switch c.Type {
	case ChannelEmail:
		p.wholeEmail(c, what, lacks)
	case ChannelSlack:
		webhook, token := given(c.WebhookURL, c.WebhookURLFile), given(c.Token, c.TokenFile)
		lacks(webhook == token, "it takes either webhook_url (or webhook_url_file) or token (or token_file), which is a bot's")
		lacks(token && c.Channel == "", "a bot needs channel, the number of a channel like C024BE91L")
		lacks(webhook && c.Channel != "", "a webhook writes to the channel that it was made for: remove channel")
		lacks(webhook && c.APIURL != "", "a webhook is an address of its own: remove api_url")
		lacks(webhook && c.PDF, "a webhook takes no files: pdf needs a token")
	case ChannelWebhook:
		lacks(!given(c.URL, c.URLFile), "it takes url or url_file, where messages are posted")
		lacks(!given(c.Secret, c.SecretFile), "it takes secret or secret_file, by which the receiver knows who sends")
	case ChannelNotify:
		lacks(!given(c.URL, c.URLFile), "it takes url or url_file, an address of shoutrrr like ntfy://ntfy.sh/TOPIC")
	case ChannelSyslog:
		u, err := url.Parse(c.Address)
		known := err == nil && slices.Contains([]string{"udp", "tcp", "tls", "unix"}, u.Scheme)
		lacks(!known, "it takes an address like tls://siem.example.org:6514, tcp://..., udp://... or unix:///dev/log")
	case ChannelJSONL:
		lacks(c.Path == "", "it takes path, the file that lines are added to")
	case ChannelFile:
		lacks(c.Dir == "", "it takes dir, the folder that messages are put into")
		if c.Format == "" {
			c.Format = "text"
		}
	}
}

func (p *parser) wholeEmail(c *Channel, what string, lacks func(bool, string)) {
	lacks(c.Host == "", "it takes host, the mail server")
	lacks(c.From == "", "it takes from, the sender's address")
	lacks(len(c.To) == 0, "it takes to, the recipients' addresses")
	lacks(c.User == "" && (c.Password.Reveal() != "" || c.PasswordFile != ""), "a password without user: name the user")
	lacks(c.User != "" && c.Password.Reveal() == "" && c.PasswordFile == "", "a user without password: add password_file")
	for _, address := range []string{c.From, c.ReplyTo} {
		if _, err := mail.ParseAddress(address); address != "" && err != nil {
			p.add(c.line, "%s: %s is no mail address, like ownmap@example.org", what, show(address))
		}
	}
	if c.TLS == "" {
		c.TLS = "starttls"
	}
	if c.Auth == "" {
		c.Auth = "auto"
	}
	if c.Port == 0 {
		c.Port = map[string]int{"starttls": 587, "tls": 465, "opportunistic": 25, "none": 25}[c.TLS]
	}
}

// checkChannels looks at what channels say of one another, once all are read.
func (p *parser) checkChannels() {
	for name, c := range p.config.Channels {
		if c.Fallback == "" {
			continue
		}
		if c.Fallback == name {
			p.add(c.line, "channels.%s.fallback: a channel cannot make up for itself: name another one", name)
			continue
		}
		p.knownChannel(c.line, "channels."+name+".fallback", c.Fallback)
	}
}

// addresses reads one mail address or a list.
func (p *parser) addresses(node *yaml.Node, what string) []string {
	var list []string
	p.each(node, func(n *yaml.Node) {
		text, ok := p.text(n, what)
		if !ok {
			return
		}
		a, err := mail.ParseAddress(text)
		switch {
		case err != nil:
			p.add(n.Line, "%s: %s is no mail address, like ops@example.org", what, show(text))
		case slices.Contains(list, a.Address):
			p.add(n.Line, "%s: %s is named twice: keep one of them", what, show(text))
		default:
			list = append(list, a.Address)
		}
	})
	return list
}

// choice reads one of some words.
func (p *parser) choice(node *yaml.Node, what string, words []string, into *string) {
	text, ok := p.text(node, what)
	switch {
	case !ok:
	case !slices.Contains(words, text):
		p.add(node.Line, "%s: unknown %s: %s", what, show(text), remedy(text, words))
	default:
		*into = text
	}
}
