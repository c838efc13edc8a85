package load

import (
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// The types of channels.
const (
	ChannelEmail   = "email"
	ChannelSlack   = "slack"
	ChannelWebhook = "webhook"
	ChannelNotify  = "notify" // Teams, Discord, Telegram, Matrix, ntfy and others, by shoutrrr's addresses
	ChannelSyslog  = "syslog"
	ChannelJSONL   = "jsonl" // a line of JSON for each event, in a file
	ChannelFile    = "file"  // a file for each message, in a folder
)

// Channel is one entry under channels: how messages leave. Which keys it has depends on
// its type.
type Channel struct {
	Type     string `yaml:"type"`
	Fallback string `yaml:"fallback,omitempty"` // the channel for what this one refuses for good

	Host         string       `yaml:"host,omitempty"` // email: the mail server
	Port         int          `yaml:"port,omitempty"`
	TLS          string       `yaml:"tls,omitempty"`  // starttls, tls, opportunistic, none
	Auth         string       `yaml:"auth,omitempty"` // auto, plain, login, cram-md5, scram-sha-256
	User         string       `yaml:"user,omitempty"`
	Password     state.Secret `yaml:"password,omitempty"`
	PasswordFile string       `yaml:"password_file,omitempty"`
	From         string       `yaml:"from,omitempty"`
	ReplyTo      string       `yaml:"reply_to,omitempty"`
	To           []string     `yaml:"to,omitempty"`
	Helo         string       `yaml:"helo,omitempty"`
	DKIM         *DKIM        `yaml:"dkim,omitempty"`

	WebhookURL     state.Secret `yaml:"webhook_url,omitempty"` // slack
	WebhookURLFile string       `yaml:"webhook_url_file,omitempty"`
	Token          state.Secret `yaml:"token,omitempty"`
	TokenFile      string       `yaml:"token_file,omitempty"`
	Channel        string       `yaml:"channel,omitempty"`
	PDF            bool         `yaml:"pdf,omitempty"`
	APIURL         string       `yaml:"api_url,omitempty"` // of Slack's Web API; empty: that of slack.com

	URL         state.Secret `yaml:"url,omitempty"` // webhook, notify
	URLFile     string       `yaml:"url_file,omitempty"`
	Secret      state.Secret `yaml:"secret,omitempty"` // webhook
	SecretFile  string       `yaml:"secret_file,omitempty"`
	PrivateNets *bool        `yaml:"private,omitempty"` // whether it may lead into private networks; nil: yes

	Address  string `yaml:"address,omitempty"` // syslog
	Facility string `yaml:"facility,omitempty"`
	CAFile   string `yaml:"ca_file,omitempty"` // email, webhook, syslog
	Path     string `yaml:"path,omitempty"`    // jsonl
	Dir      string `yaml:"dir,omitempty"`     // file
	Format   string `yaml:"format,omitempty"`  // file: text, json

	line int
}

// DKIM signs mails (RFC 6376).
type DKIM struct {
	Domain   string `yaml:"domain"`
	Selector string `yaml:"selector"`
	KeyFile  string `yaml:"key_file"`

	Key state.Secret `yaml:"-"` // what stands in KeyFile
}

// Private says whether the channel may lead into private networks.
func (c Channel) Private() bool { return c.PrivateNets == nil || *c.PrivateNets }

func (p *parser) channels(node *yaml.Node) {
	p.config.Channels = map[string]Channel{}
	for _, pair := range p.mapping(node, "channels", "a name each") {
		if err := checkName("channel", pair.name); err != nil {
			p.addErr(pair.line, err)
			continue
		}
		p.config.Channels[pair.name] = p.channel(pair, "channels."+pair.name)
	}
}

// channel reads one channel. Its type comes first, whatever the order in the file: it
// says which keys there are.
func (p *parser) channel(at pair, what string) Channel {
	c := Channel{line: at.line}
	types := []string{ChannelEmail, ChannelSlack, ChannelWebhook, ChannelNotify, ChannelSyslog, ChannelJSONL, ChannelFile}
	if at.value.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(at.value.Content); i += 2 {
			if at.value.Content[i].Value == "type" {
				p.choice(follow(at.value.Content[i+1]), what+".type", types, &c.Type)
				if c.Type == "" {
					return c
				}
			}
		}
	}
	if c.Type == "" {
		p.add(at.line, "%s has no type: %s", what, "it takes one of "+strings.Join(types, ", "))
		return c
	}
	keys := []key{{"type", func(*yaml.Node) {}}, {"fallback", func(n *yaml.Node) { p.name(n, what+".fallback", &c.Fallback) }}}
	p.fields(at.value, what, append(keys, p.channelKeys(&c, what)...)...)
	p.wholeChannel(&c, what)
	return c
}

func (p *parser) channelKeys(c *Channel, what string) []key {
	text := func(name string, into *string) key {
		return key{name, func(n *yaml.Node) { p.name(n, what+"."+name, into) }}
	}
	path := func(name string, into *string) key {
		return key{name, func(n *yaml.Node) { p.onePath(n, what+"."+name, into) }}
	}
	switch c.Type {
	case ChannelEmail:
		return append(p.secretKeys("password", what, &c.Password, &c.PasswordFile),
			key{"port", func(n *yaml.Node) { p.whole(n, what+".port", 1, 65535, &c.Port) }},
			text("host", &c.Host), text("user", &c.User), text("from", &c.From), text("reply_to", &c.ReplyTo), text("helo", &c.Helo), path("ca_file", &c.CAFile),
			key{"tls", func(n *yaml.Node) {
				p.choice(n, what+".tls", []string{"starttls", "tls", "opportunistic", "none"}, &c.TLS)
			}},
			key{"auth", func(n *yaml.Node) {
				p.choice(n, what+".auth", []string{"auto", "plain", "login", "cram-md5", "scram-sha-256"}, &c.Auth)
			}},
			key{"to", func(n *yaml.Node) { c.To = p.addresses(n, what+".to") }},
			key{"dkim", func(n *yaml.Node) { c.DKIM = p.dkim(n, what+".dkim") }},
		)
	case ChannelSlack:
		return append(append(p.secretKeys("webhook_url", what, &c.WebhookURL, &c.WebhookURLFile), p.secretKeys("token", what, &c.Token, &c.TokenFile)...),
			text("channel", &c.Channel), text("api_url", &c.APIURL), key{"pdf", func(n *yaml.Node) { p.flag(n, what+".pdf", &c.PDF) }})
	case ChannelWebhook:
		return append(append(p.secretKeys("url", what, &c.URL, &c.URLFile), p.secretKeys("secret", what, &c.Secret, &c.SecretFile)...),
			path("ca_file", &c.CAFile), key{"private", func(n *yaml.Node) {
				var may bool
				p.flag(n, what+".private", &may)
				c.PrivateNets = &may
			}})
	case ChannelNotify:
		return p.secretKeys("url", what, &c.URL, &c.URLFile)
	case ChannelSyslog:
		return []key{text("address", &c.Address), text("facility", &c.Facility), path("ca_file", &c.CAFile)}
	case ChannelJSONL:
		return []key{path("path", &c.Path)}
	case ChannelFile:
		return []key{path("dir", &c.Dir), {"format", func(n *yaml.Node) { p.choice(n, what+".format", []string{"text", "json"}, &c.Format) }}}
	}
	return nil
}

func (p *parser) dkim(node *yaml.Node, what string) *DKIM {
	d := &DKIM{}
	p.fields(node, what,
		key{"domain", func(n *yaml.Node) { p.name(n, what+".domain", &d.Domain) }},
		key{"selector", func(n *yaml.Node) { p.name(n, what+".selector", &d.Selector) }},
		key{"key_file", func(n *yaml.Node) { p.onePath(n, what+".key_file", &d.KeyFile) }},
	)
	if d.Domain == "" || d.Selector == "" || d.KeyFile == "" {
		p.add(node.Line, "%s: it takes domain, selector and key_file", what)
	}
	return d
}
