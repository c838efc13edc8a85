package load

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

func (p *parser) ssh(node *yaml.Node) {
	s := &p.config.SSH
	keys := append(p.doorKeys(&s.Door, "ssh"),
		key{"look", func(n *yaml.Node) { p.look(n, &s.Look) }},
		key{"max_parallel", func(n *yaml.Node) { p.whole(n, "ssh.max_parallel", 1, 256, &s.MaxParallel) }},
		key{"timeout", func(n *yaml.Node) {
			p.duration(n, "ssh.timeout", Duration(5*time.Second), Duration(10*time.Minute), &s.Timeout)
		}},
		key{"handshake_timeout", func(n *yaml.Node) {
			p.duration(n, "ssh.handshake_timeout", Duration(time.Second), Duration(2*time.Minute), &s.HandshakeTimeout)
		}},
		key{"confirm_after", func(n *yaml.Node) {
			p.duration(n, "ssh.confirm_after", Duration(100*time.Millisecond), Duration(5*time.Minute), &s.ConfirmAfter)
		}},
		key{"tags", p.sshTags},
	)
	p.fields(node, "ssh", keys...)
}

// look reads which hosts are looked inside. YAML takes a bare off for a word, and
// some people take it for a flag.
func (p *parser) look(node *yaml.Node, into *string) {
	words := []string{LookOff, LookNamed, LookAll}
	if node.Kind != yaml.ScalarNode || !slices.Contains(words, node.Value) {
		p.add(node.Line, "ssh.look is %s: it takes one of %s", valueOf(node), strings.Join(words, ", "))
		return
	}
	*into = node.Value
}

func (p *parser) sshTags(node *yaml.Node) {
	p.config.SSH.Tags = map[string]Door{}
	for _, pair := range p.mapping(node, "ssh.tags", "a tag each") {
		var door Door
		p.fields(pair.value, "ssh.tags."+pair.name, p.doorKeys(&door, "ssh.tags."+pair.name)...)
		p.config.SSH.Tags[pair.name] = door
	}
}

// targetSSH reads what a target says: keys, or just yes or no.
func (p *parser) targetSSH(node *yaml.Node) *TargetSSH {
	own := &TargetSSH{}
	if node.Kind == yaml.ScalarNode {
		switch strings.ToLower(node.Value) {
		case "off", "false", "no":
			own.Off = true
		case "on", "true", "yes":
		default:
			p.add(node.Line, "ssh is %s: it takes on, off, or keys like {user: ownmap, key_file: /etc/ownmap/id_ed25519}", valueOf(node))
		}
		return own
	}
	p.fields(node, "ssh of a target", p.doorKeys(&own.Door, "ssh")...)
	return own
}

func (p *parser) doorKeys(d *Door, what string) []key {
	flag := func(name string, into **bool) key {
		return key{name, func(n *yaml.Node) {
			var value bool
			p.flag(n, what+"."+name, &value)
			*into = &value
		}}
	}
	return []key{
		{"user", func(n *yaml.Node) { p.sshUser(n, what, &d.User) }},
		{"port", func(n *yaml.Node) { p.whole(n, what+".port", 0, 65535, &d.Port) }},
		{"key_file", func(n *yaml.Node) { d.KeyFile = p.paths(n, what+".key_file") }},
		flag("agent", &d.Agent),
		{"known_hosts", func(n *yaml.Node) { d.KnownHosts = p.paths(n, what+".known_hosts") }},
		flag("user_config", &d.UserConfig),
		{"jump", func(n *yaml.Node) { d.Jump = p.jumps(n, what) }},
		flag("sudo", &d.Sudo),
		flag("hash", &d.Hash),
	}
}

func (p *parser) sshUser(node *yaml.Node, what string, into *string) {
	text, ok := p.text(node, what+".user")
	if ok && !isUser(text) && text != "" {
		p.add(node.Line, "%s.user %s: it takes the name of a user, without blanks and not beginning with a dash", what, show(text))
		return
	}
	*into = text
}

func isUser(text string) bool {
	return text != "" && len(text) <= 64 && text == state.Clean(text) && text[0] != '-' && !strings.ContainsAny(text, " @:/\\")
}

// paths reads one path or a list. ${NAME} stands for that variable of the
// environment, such as systemd's CREDENTIALS_DIRECTORY.
func (p *parser) paths(node *yaml.Node, what string) []string {
	var list []string
	p.each(node, func(n *yaml.Node) {
		text, ok := p.text(n, what)
		if !ok {
			return
		}
		expanded, err := expand(text, p.env)
		if err != nil {
			p.add(n.Line, "%s: %s", what, err)
			return
		}
		var file string
		p.path(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: expanded, Line: n.Line}, what, &file)
		if file != "" {
			list = append(list, file)
		}
	})
	return list
}

// jumps reads jump hosts, "[user@]host[:port]".
func (p *parser) jumps(node *yaml.Node, what string) []string {
	var list []string
	p.each(node, func(n *yaml.Node) {
		text, ok := p.text(n, what+".jump")
		if !ok {
			return
		}
		if err := checkJump(text); err != nil {
			p.add(n.Line, "%s.jump %s: %s", what, show(text), err)
			return
		}
		list = append(list, text)
	})
	return list
}

func checkJump(text string) error {
	user, host, found := strings.Cut(text, "@")
	if !found {
		host = text
	} else if !isUser(user) {
		return fmt.Errorf("%s is no name of a user", show(user))
	}
	if name, port, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("%s is no port from 1 to 65535", show(port))
		}
		host = name
	}
	spec, err := state.ParseSpec(strings.Trim(host, "[]"))
	if err != nil {
		return err
	}
	if !spec.Single() {
		return errors.New("write one host, like bastion.example.org or admin@10.0.0.1:2222")
	}
	return nil
}
