package load

import (
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// auth reads who is let in. The key web is read before it.
func (p *parser) auth(node *yaml.Node) {
	p.fields(node, "auth",
		key{"users", p.authUsers},
		key{"oidc", p.oidc},
		key{"proxy_header", p.proxyHeader},
	)
}

func (p *parser) authUsers(node *yaml.Node) {
	p.config.Auth.Users = map[string]AuthUser{}
	for _, pair := range p.mapping(node, "auth.users", "a name each") {
		if err := state.CheckUserName(pair.name); err != nil {
			p.add(pair.line, "auth.users: %s", err)
			continue
		}
		what := "auth.users." + pair.name
		u := AuthUser{Role: state.Viewer}
		before := len(p.list)
		p.fields(pair.value, what,
			key{"password_hash", func(n *yaml.Node) { p.passwordHash(n, what+".password_hash", &u.PasswordHash) }},
			key{"role", func(n *yaml.Node) {
				word := string(u.Role)
				p.choice(n, what+".role", []string{string(state.Viewer), string(state.Admin)}, &word)
				u.Role = state.Role(word)
			}},
		)
		if u.PasswordHash.IsZero() && len(p.list) == before {
			p.add(pair.line, "%s has no password_hash: make one with `htpasswd -nBC 12 %s`, or set the user with `ownmap passwd %s` instead", what, pair.name, pair.name)
		}
		p.config.Auth.Users[pair.name] = u
	}
}

// passwordHash reads a hash of bcrypt, "$2y$12$...". Its costs are a matter of time: below
// the least one passwords are guessed too fast, above the most nobody waits for them.
func (p *parser) passwordHash(node *yaml.Node, what string, into *state.Secret) {
	const least, most = 10, 16
	before := len(p.list)
	var hash state.Secret
	p.secretText(node, what, &hash)
	if len(p.list) > before {
		return
	}
	text := hash.Reveal()
	cost, err := bcrypt.Cost([]byte(text))
	switch {
	case err != nil || !regexp.MustCompile(`^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$`).MatchString(text):
		p.add(node.Line, "%s is no hash of bcrypt, which begins with $2y$: make one with `htpasswd -nBC 12 NAME`", what)
	case cost < least || cost > most:
		p.add(node.Line, "%s has the cost %d: it takes %d to %d, like that of `htpasswd -nBC 12 NAME`", what, cost, least, most)
	default:
		*into = hash
	}
}

func (p *parser) oidc(node *yaml.Node) {
	o := &OIDC{GroupsClaim: "groups"}
	before := len(p.list)
	keys := []key{
		{"issuer", func(n *yaml.Node) { p.issuer(n, &o.Issuer) }},
		{"client_id", func(n *yaml.Node) { p.name(n, "auth.oidc.client_id", &o.ClientID) }},
		{"groups_claim", func(n *yaml.Node) { p.name(n, "auth.oidc.groups_claim", &o.GroupsClaim) }},
		{"allow", func(n *yaml.Node) { p.people(n, "auth.oidc.allow", &o.Allow, true) }},
		{"admins", func(n *yaml.Node) { p.people(n, "auth.oidc.admins", &o.Admins, false) }},
	}
	p.fields(node, "auth.oidc", append(keys, p.secretKeys("client_secret", "auth.oidc", &o.ClientSecret, &o.ClientSecretFile)...)...)
	p.config.Auth.OIDC = o
	if len(p.list) > before {
		return
	}
	lacks := func(missing bool, text string) {
		if missing {
			p.add(node.Line, "auth.oidc: %s", text)
		}
	}
	lacks(o.Issuer == "", "it takes issuer, the address of the provider, like https://id.example.org")
	lacks(o.ClientID == "", "it takes client_id, the name that the provider knows OwnMap by")
	lacks(o.Allow.empty(), "it takes allow, for else everybody whom the provider knows would be let in: emails, domains or groups, like allow: {domains: [example.org]}")
	lacks(p.config.Web.ExternalURL == "", "it takes web.external_url, for the provider sends people back there: to oidc/callback below it")
	lacks(len(o.Allow.Groups)+len(o.Admins.Groups) > 0 && o.GroupsClaim == "", "groups without groups_claim: name the claim that lists them")
	for _, email := range o.Admins.Emails {
		_, domain, _ := strings.Cut(email, "@")
		lacks(len(o.Allow.Groups) == 0 && !slices.Contains(o.Allow.Emails, email) && !slices.Contains(o.Allow.Domains, domain),
			"the admin "+email+" is not let in: add them under allow too")
	}
}

// issuer reads the address of a provider as the provider itself writes it: with or
// without a slash at the end.
func (p *parser) issuer(node *yaml.Node, into *string) {
	text, ok := p.text(node, "auth.oidc.issuer")
	if !ok {
		return
	}
	u, err := url.Parse(text)
	loopback := false
	if err == nil {
		address, err := netip.ParseAddr(u.Hostname())
		loopback = u.Hostname() == "localhost" || err == nil && address.IsLoopback()
	}
	if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback) || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		p.add(node.Line, "auth.oidc.issuer: %s: it takes the address of the provider as its discovery document writes it, like https://id.example.org, without user, query or fragment", show(text))
		return
	}
	*into = text
}

func (p *parser) people(node *yaml.Node, what string, into *People, domains bool) {
	keys := []key{
		{"emails", func(n *yaml.Node) {
			for _, text := range p.words(n, what+".emails") {
				a, err := mail.ParseAddress(text)
				if err != nil || a.Address != text {
					p.add(n.Line, "%s.emails: %s is no mail address, like alice@example.org", what, show(text))
					continue
				}
				into.Emails = append(into.Emails, strings.ToLower(text))
			}
		}},
		{"groups", func(n *yaml.Node) { into.Groups = p.words(n, what+".groups") }},
	}
	if domains {
		keys = append(keys, key{"domains", func(n *yaml.Node) {
			for _, text := range p.words(n, what+".domains") {
				if !regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`).MatchString(text) {
					p.add(n.Line, "%s.domains: %s is no domain of mail addresses, like example.org", what, show(text))
					continue
				}
				into.Domains = append(into.Domains, strings.ToLower(text))
			}
		}})
	}
	p.fields(node, what, keys...)
}

// words reads one line or a list of them.
func (p *parser) words(node *yaml.Node, what string) []string {
	var list []string
	p.each(node, func(n *yaml.Node) {
		text := ""
		if p.name(n, what, &text); text != "" {
			list = append(list, text)
		}
	})
	return list
}

func (p *parser) proxyHeader(node *yaml.Node) {
	h := &ProxyHeader{}
	before := len(p.list)
	p.fields(node, "auth.proxy_header",
		key{"name", func(n *yaml.Node) {
			text, ok := p.text(n, "auth.proxy_header.name")
			if !ok {
				return
			}
			taken := []string{"authorization", "cookie", "host", "origin", "referer", "user-agent", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
			if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`).MatchString(text) || slices.Contains(taken, strings.ToLower(text)) {
				p.add(n.Line, "auth.proxy_header.name: %s: it takes the name of a header that holds nothing but the user, like X-Forwarded-User", show(text))
				return
			}
			h.Name = text
		}},
		key{"admins", func(n *yaml.Node) { h.Admins = p.words(n, "auth.proxy_header.admins") }},
	)
	p.config.Auth.ProxyHeader = h
	switch {
	case h.Name == "" && len(p.list) == before:
		p.add(node.Line, "auth.proxy_header: it takes name, the header in which the proxy names the user, like X-Forwarded-User")
	case len(p.config.Web.TrustedProxies) == 0:
		p.add(node.Line, "auth.proxy_header: without web.trusted_proxies nobody is believed: name the address of the proxy there")
	}
}
