package load

import (
	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// LinkMode says what links to approve in messages may do. Without an address that people
// know the page by there are none.
func (c Config) LinkMode() state.LinkMode {
	if c.Web.ExternalURL == "" {
		return state.LinksOff
	}
	return state.LinkMode(c.ApprovalLinks)
}

func (p *parser) approvalLinks(node *yaml.Node) {
	p.choice(node, "approval_links", []string{string(state.LinksOn), string(state.LinksLogin), string(state.LinksOff)}, &p.config.ApprovalLinks)
}
