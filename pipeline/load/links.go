package load

import (
	"net/url"
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// Web says where people reach the web page.
type Web struct {
	ExternalURL string `yaml:"external_url"` // ends in a slash; empty: nobody reaches it by a link
}

// LinkMode says what links to approve in messages may do. Without an address that people
// reach the web page by there are none.
func (c Config) LinkMode() state.LinkMode {
	if c.Web.ExternalURL == "" {
		return state.LinksOff
	}
	return state.LinkMode(c.ApprovalLinks)
}

func (p *parser) web(node *yaml.Node) {
	p.fields(node, "web", key{"external_url", func(n *yaml.Node) {
		text, ok := p.text(n, "web.external_url")
		if !ok || text == "" {
			return
		}
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			p.add(n.Line, "web.external_url: it takes the address that people use for the web page, like https://ownmap.example.org/, without user, query or fragment")
			return
		}
		p.config.Web.ExternalURL = strings.TrimRight(u.String(), "/") + "/"
	}})
}

func (p *parser) approvalLinks(node *yaml.Node) {
	p.choice(node, "approval_links", []string{string(state.LinksOn), string(state.LinksLogin), string(state.LinksOff)}, &p.config.ApprovalLinks)
}
