package load

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"ownmap/pipeline/state"
)

// Web says where the page of `ownmap serve` listens, and how people reach it.
type Web struct {
	Listen         string   `yaml:"listen"`        // "ADDRESS:PORT" or "unix:/PATH"
	ExternalURL    string   `yaml:"external_url"`  // with a slash at its end; empty: the address it listens on
	TLSCertFile    string   `yaml:"tls_cert_file"` // absolute; PEM, with the chain
	TLSKeyFile     string   `yaml:"tls_key_file"`  // absolute; PEM
	TrustedProxies []string `yaml:"trusted_proxies,flow"`
}

// DefaultListen is where the page listens unless the config says otherwise.
const DefaultListen = "127.0.0.1:8480"

// ProxyOnSocket stands among trusted proxies for whoever connects to a unix socket.
const ProxyOnSocket = "unix"

// unixListen is how a listen begins that is a unix socket.
const unixListen = "unix:"

// Socket returns the path of the unix socket to listen on; ok is false where it is none.
func (w Web) Socket() (path string, ok bool) { return strings.CutPrefix(w.Listen, unixListen) }

// TLS says whether the page has a certificate of its own.
func (w Web) TLS() bool { return w.TLSCertFile != "" }

// Proxies returns the networks of the trusted proxies, and whether whoever connects to a
// unix socket is one.
func (w Web) Proxies() (networks []netip.Prefix, socket bool) {
	for _, text := range w.TrustedProxies {
		if text == ProxyOnSocket {
			socket = true
		} else if prefix, err := netip.ParsePrefix(text); err == nil {
			networks = append(networks, prefix)
		}
	}
	return networks, socket
}

// External returns the address that people know the page by; nil: the one that it
// listens on.
func (w Web) External() *url.URL {
	if w.ExternalURL == "" {
		return nil
	}
	u, err := url.Parse(w.ExternalURL)
	if err != nil { // which Parse has refused
		return nil
	}
	return u
}

// Loopback says whether nobody but this machine can reach the page.
func (w Web) Loopback() bool {
	if _, socket := w.Socket(); socket {
		return true
	}
	host, _, err := net.SplitHostPort(w.Listen)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// MayListen returns an error, of one line with its remedy, if the page would be open to
// others: it can be reached from other machines, and either nobody has to sign in
// (signIn: there is a user, a provider or a proxy that names users), or passwords would
// travel in the clear.
func (w Web) MayListen(signIn bool) error {
	if w.Loopback() {
		return nil
	}
	var why []string
	if !signIn {
		why = append(why, "nobody could sign in: set a user with `ownmap passwd NAME`, or auth.users, auth.oidc or auth.proxy_header in the config")
	}
	if !w.TLS() && len(w.TrustedProxies) == 0 {
		why = append(why, "passwords would travel in the clear: set web.tls_cert_file and web.tls_key_file, or web.trusted_proxies if a proxy in front of it speaks TLS")
	}
	if len(why) == 0 {
		return nil
	}
	return errors.New("web.listen " + w.Listen + " can be reached from other machines, but " + strings.Join(why, "; and ") + "; or listen on " + DefaultListen)
}

// Auth says who is let in to the page.
type Auth struct {
	Users       map[string]AuthUser `yaml:"users"`
	OIDC        *OIDC               `yaml:"oidc,omitempty"`
	ProxyHeader *ProxyHeader        `yaml:"proxy_header,omitempty"`
}

// AuthUser is a user of the config. Nothing but the config changes them.
type AuthUser struct {
	PasswordHash state.Secret `yaml:"password_hash"` // bcrypt
	Role         state.Role   `yaml:"role"`
}

// OIDC is a provider of OpenID Connect.
type OIDC struct {
	Issuer           string       `yaml:"issuer"`
	ClientID         string       `yaml:"client_id"`
	ClientSecret     state.Secret `yaml:"client_secret,omitempty"`
	ClientSecretFile string       `yaml:"client_secret_file,omitempty"` // absolute
	Allow            People       `yaml:"allow"`                        // who is let in; never empty
	Admins           People       `yaml:"admins,omitempty"`             // who of them is an admin
	GroupsClaim      string       `yaml:"groups_claim"`                 // that lists the groups of a user
}

// People are users of a provider. Domains are those of mail addresses.
type People struct {
	Emails  []string `yaml:"emails,flow,omitempty"`
	Domains []string `yaml:"domains,flow,omitempty"`
	Groups  []string `yaml:"groups,flow,omitempty"`
}

// empty says whether that is nobody.
func (p People) empty() bool { return len(p.Emails)+len(p.Domains)+len(p.Groups) == 0 }

// ProxyHeader is the header in which trusted proxies name the user.
type ProxyHeader struct {
	Name   string   `yaml:"name"`
	Admins []string `yaml:"admins,flow,omitempty"` // users who are admins; the others are viewers
}

// StateUsers returns the users of the config.
func (a Auth) StateUsers() []state.User {
	users := make([]state.User, 0, len(a.Users))
	for name, u := range a.Users {
		users = append(users, state.User{Name: name, PasswordHash: u.PasswordHash, Role: u.Role, Origin: state.ByConfig})
	}
	return users
}
