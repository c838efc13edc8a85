package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ownmap/pipeline/state"
)

// checkLinks says what links to approve there are in messages, or why there are none.
func checkLinks(ctx context.Context, h *house) (string, error) {
	switch mode := h.config.LinkMode(); {
	case len(h.policy.Channels) == 0:
		return "none: nobody is told", nil
	case state.LinkMode(h.config.ApprovalLinks) == state.LinksOff:
		return "none: approval_links is off", nil
	case mode == state.LinksOff:
		return "none: messages say how to approve on the command line; set web.external_url", nil
	}
	keys, err := h.ring.Keys()
	if err != nil {
		return "", err
	}
	last, good, err := h.book.LinksOfKeys(ctx, h.app.now())
	if err != nil {
		return "", err
	}
	messages := 0
	known := make(map[string]bool, len(keys))
	for _, k := range keys {
		known[k.Name()] = true
		messages += good[k.Name()]
	}
	for name := range last {
		if good[name] > 0 && !known[name] {
			err = errors.Join(err, fmt.Errorf("%s has no key %s, which signed the links of %s: copy the file from the machine that made it, or let them end with `ownmap keys revoke --all`",
				h.ring.Path(), name, state.Count(good[name], "message", "messages")))
		}
	}
	found := fmt.Sprintf("%s, to %s; %s", h.config.ApprovalLinks, h.config.Web.ExternalURL+"a/...", state.Count(messages, "message has links that are good", "messages have links that are good"))
	if strings.HasPrefix(h.config.Web.ExternalURL, "http:") && !h.config.Web.Loopback() {
		found += "; who listens on the way can use them: external_url is not https"
	}
	return found, err
}
