package load

import (
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// secretFile is where in the config a file is named that holds a secret.
type secretFile struct {
	line int
	what string
}

// maxSecret bounds a secret, in bytes: a key of RSA is shorter.
const maxSecret = 16 << 10

// secretKeys are the two keys of a secret: NAME with the secret itself or ${VARIABLE}s of
// the environment in it, and NAME_file, in whose path ${CREDENTIALS_DIRECTORY} stands for
// that of systemd (systemd.exec(5), LoadCredential).
func (p *parser) secretKeys(name, what string, into *state.Secret, file *string) []key {
	what += "." + name
	return []key{
		{name, func(n *yaml.Node) { p.secretText(n, what, into) }},
		{name + "_file", func(n *yaml.Node) {
			p.onePath(n, what+"_file", file)
			if *file == "" {
				return
			}
			if into.Reveal() != "" {
				p.add(n.Line, "%s and %s_file are both set: keep one of them", what, what)
				return
			}
			p.files = append(p.files, secretFile{n.Line, what + "_file"})
		}},
	}
}

func (p *parser) secretText(node *yaml.Node, what string, into *state.Secret) {
	text, ok := p.text(node, what)
	if !ok || text == "" {
		return
	}
	if variables().ReplaceAllString(text, "") != "" {
		p.secret = node.Line
	}
	expanded, err := expand(text, p.env)
	if err != nil {
		p.add(node.Line, "%s: %s", what, err)
		return
	}
	*into = state.NewSecret(expanded)
}

// onePath reads one path, in which ${NAME} stands for a variable of the environment.
func (p *parser) onePath(node *yaml.Node, what string, into *string) {
	if node.Kind == yaml.SequenceNode {
		p.add(node.Line, "%s is a list: it takes one path", what)
		return
	}
	if list := p.paths(node, what); len(list) == 1 {
		*into = list[0]
	}
}

// channelSecret is a secret of a channel, and the file that it may come from.
type channelSecret struct {
	key  string
	text *state.Secret
	file *string
}

func (c *Channel) secrets() []channelSecret {
	list := []channelSecret{
		{"password", &c.Password, &c.PasswordFile},
		{"webhook_url", &c.WebhookURL, &c.WebhookURLFile},
		{"token", &c.Token, &c.TokenFile},
		{"url", &c.URL, &c.URLFile},
		{"secret", &c.Secret, &c.SecretFile},
	}
	if c.DKIM != nil {
		list = append(list, channelSecret{"dkim.key", &c.DKIM.Key, &c.DKIM.KeyFile})
	}
	return list
}

// readSecrets reads the files that hold secrets, and looks at who may read them.
func (p *parser) readSecrets() {
	for name, c := range p.config.Channels {
		for _, s := range c.secrets() {
			p.readSecret("channels."+name+"."+s.key+"_file", *s.file, s.text)
		}
		p.config.Channels[name] = c
	}
	p.readSecret("watch.heartbeat_file", p.config.Watch.HeartbeatFile, &p.config.Watch.Heartbeat)
	if o := p.config.Auth.OIDC; o != nil {
		p.readSecret("auth.oidc.client_secret_file", o.ClientSecretFile, &o.ClientSecret)
	}
}

func (p *parser) readSecret(what, path string, into *state.Secret) {
	if path == "" {
		return
	}
	line := 0
	for _, f := range p.files {
		if f.what == what {
			line = f.line
		}
	}
	text, mode, err := readFile(path, maxSecret)
	if err != nil {
		p.unread(line, what, err)
		return
	}
	p.guard(line, path, mode)
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		p.add(line, "%s: %s is empty", what, path)
		return
	}
	*into = state.NewSecret(secret)
}
