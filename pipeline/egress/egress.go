// Package egress makes the HTTP client for every address that the config names and
// OwnMap calls: webhooks, chats, heartbeats. Whoever can write such an address, or can
// answer for its name, must not reach what only this machine can: the metadata service
// of a cloud, a device on the same link, a service on loopback (server-side request
// forgery, CWE-918). The address that is really dialled is judged at the moment of
// connecting, so a name that resolves to something else the second time gains nothing.
package egress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"
)

// What a client keeps to.
const (
	DefaultTimeout = 30 * time.Second // of a whole call, reading the answer included
	MaxBody        = 64 << 10         // bytes of an answer's body
	dialTimeout    = 10 * time.Second
	maxHeader      = 64 << 10 // bytes of an answer's header
)

// Options is what may be called, and how. The zero value allows https to public and
// private networks.
type Options struct {
	// PlainHTTP allows http to every host; without it only to loopback.
	PlainHTTP bool
	// RefusePrivate refuses private networks too: RFC 1918, unique local addresses (RFC
	// 4193), shared address space (RFC 6598).
	RefusePrivate bool
	// Proxy takes the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. The proxy then
	// resolves names and opens connections: only its own address, and one that stands in
	// the URL itself, are judged here.
	Proxy bool
	// CAFile holds certificates (PEM) that are trusted besides the system's.
	CAFile string
	// Timeout of a whole call; 0: DefaultTimeout.
	Timeout time.Duration
	// Resolver resolves names; nil: the system's.
	Resolver *net.Resolver

	// dialled is told each address that passed, just before the connection; its error
	// prevents that. Tests look there, and dial nothing that is not theirs.
	dialled func(netip.AddrPort) error
	// proxy stands for http.ProxyFromEnvironment, which reads the environment only once.
	proxy func(*http.Request) (*url.URL, error)
}

// New returns a client that keeps to the rules of the package. It fails if the file with
// certificates cannot be used.
//
// An error of a call is a *url.Error, as always, and prints the whole URL: state.Redact
// takes out what may be secret. The error within says *RefusedError where a rule of
// the package stood against the call. An answer longer than MaxBody ends in ErrBody.
func New(options Options) (*http.Client, error) {
	config, err := TLS(options.CAFile)
	if err != nil {
		return nil, err
	}
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	transport := &http.Transport{
		DialContext:            options.dial,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    dialTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // else a short answer may become a long one
		DisableKeepAlives:      true, // each call is judged anew
	}
	if options.Proxy {
		transport.Proxy = options.proxy
		if transport.Proxy == nil {
			transport.Proxy = http.ProxyFromEnvironment
		}
	}
	return &http.Client{Transport: &guard{options, transport}, Timeout: options.Timeout}, nil
}

// TLS returns how a server is spoken to whose certificate the system trusts, or one of
// the authorities in a file (PEM), if one is named.
func TLS(caFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return config, nil
	}
	pool, err := trusted(caFile)
	config.RootCAs = pool
	return config, err
}

func trusted(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("trusted certificates: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any trusts those of the file
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("trusted certificates: %s holds no certificate in PEM", file)
	}
	return pool, nil
}

// ErrBody says that an answer is longer than MaxBody.
var ErrBody = errors.New("the answer is longer than 64 KiB")
