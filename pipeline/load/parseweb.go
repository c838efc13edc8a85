package load

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

func (p *parser) web(node *yaml.Node) {
	w := &p.config.Web
	p.fields(node, "web",
		key{"listen", func(n *yaml.Node) { p.listen(n, &w.Listen) }},
		key{"external_url", func(n *yaml.Node) { p.externalURL(n, &w.ExternalURL) }},
		key{"tls_cert_file", func(n *yaml.Node) { p.onePath(n, "web.tls_cert_file", &w.TLSCertFile) }},
		key{"tls_key_file", func(n *yaml.Node) { p.onePath(n, "web.tls_key_file", &w.TLSKeyFile) }},
		key{"trusted_proxies", p.trustedProxies},
	)
	external := w.External()
	switch {
	case (w.TLSCertFile == "") != (w.TLSKeyFile == ""):
		p.add(node.Line, "web: a certificate needs its key and a key its certificate: set both tls_cert_file and tls_key_file, or none")
	case w.TLS() && external != nil && external.Scheme != "https":
		p.add(node.Line, "web.external_url begins with http, but the page has a certificate: write https")
	}
}

func (p *parser) listen(node *yaml.Node, into *string) {
	text, ok := p.text(node, "web.listen")
	if !ok {
		return
	}
	listen, err := ParseListen(text)
	if err != nil {
		p.add(node.Line, "web.listen: %s", err)
		return
	}
	*into = listen
}

// ParseListen reads "ADDRESS:PORT" or "unix:/PATH". A name would be looked up, and might
// say another address tomorrow.
func ParseListen(text string) (string, error) {
	if path, socket := strings.CutPrefix(text, unixListen); socket {
		if !filepath.IsAbs(path) || path != state.Clean(path) || len(path) > 100 {
			return "", fmt.Errorf("%s: the path of a unix socket is absolute and has at most 100 bytes", show(text))
		}
		return unixListen + filepath.Clean(path), nil
	}
	host, port, err := net.SplitHostPort(text)
	if err == nil && host != "" && host != "localhost" {
		_, err = netip.ParseAddr(host)
	}
	if number, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || strconv.FormatUint(number, 10) != port {
		return "", fmt.Errorf(`%s: it takes an address and a port, like 127.0.0.1:8480, "[::1]:8480" or ":8480" for all addresses, or unix:/run/ownmap/web.sock`, show(text))
	}
	return text, nil
}

func (p *parser) externalURL(node *yaml.Node, into *string) {
	text, ok := p.text(node, "web.external_url")
	if !ok || text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		strings.Contains(u.Path, "//") || u.RawPath != "" {
		p.add(node.Line, "web.external_url: it takes the address of the page in a browser, like https://ownmap.example.org/ or https://tools.example.org/ownmap/, without user, query or fragment")
		return
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	*into = u.String()
}

func (p *parser) trustedProxies(node *yaml.Node) {
	p.each(node, func(n *yaml.Node) {
		text, ok := p.text(n, "web.trusted_proxies")
		if !ok {
			return
		}
		word := text
		if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
			word = netip.PrefixFrom(address, address.BitLen()).String()
		} else if prefix, err := netip.ParsePrefix(text); err == nil {
			if prefix != prefix.Masked() {
				p.add(n.Line, "web.trusted_proxies: %s has bits beyond its length: write %s", show(text), prefix.Masked())
				return
			}
			if prefix.Bits() == 0 {
				p.add(n.Line, "web.trusted_proxies: %s is everybody: name the address of the proxy", show(text))
				return
			}
			word = prefix.String()
		} else if text != ProxyOnSocket {
			p.add(n.Line, "web.trusted_proxies: %s: it takes addresses and prefixes of proxies, like 10.20.0.2 or 10.20.0.0/28, or unix for whoever connects to the unix socket", show(text))
			return
		}
		if !slices.Contains(p.config.Web.TrustedProxies, word) {
			p.config.Web.TrustedProxies = append(p.config.Web.TrustedProxies, word)
		}
	})
}
