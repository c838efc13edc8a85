package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"ownmap/pipeline/egress"
	"ownmap/pipeline/load"
	"ownmap/reports/web/access"
)

// guard returns what lets people in to the page.
func (h *house) guard() (*access.Guard, error) {
	web, auth := h.config.Web, h.config.Auth
	o := access.Options{Store: h.book, Users: auth.StateUsers(), Secure: web.TLS(), Now: h.app.now, Log: h.log}
	o.Proxy.Trusted, o.Proxy.Socket = web.Proxies()
	if p := auth.ProxyHeader; p != nil {
		o.Proxy.Header, o.Proxy.Admins = p.Name, p.Admins
	}
	if external := web.External(); external != nil {
		o.Secure = external.Scheme == "https"
		o.Base = external.Path[:len(external.Path)-1] // which ends with a slash
	}
	if p := auth.OIDC; p != nil {
		client, err := egress.New(egress.Options{Proxy: true})
		if err != nil {
			return nil, err
		}
		o.OIDC = &access.OIDC{
			Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: web.ExternalURL + access.CallbackPath[1:],
			Allow: access.People(p.Allow), Admins: access.People(p.Admins), GroupsClaim: p.GroupsClaim, Client: client,
		}
	}
	return access.New(o), nil
}

// listen opens what the page is served on: an address or a unix socket, with TLS where
// the config has a certificate. It refuses to be open to others.
func listen(ctx context.Context, web load.Web, guard *access.Guard, log *slog.Logger) (net.Listener, error) {
	signIn, err := guard.Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := web.MayListen(signIn); err != nil {
		return nil, err
	}
	listener, err := open(ctx, web)
	if err != nil {
		return nil, fmt.Errorf("web.listen %s: %w", web.Listen, err)
	}
	if !web.TLS() {
		return listener, nil
	}
	pair := &certificate{cert: web.TLSCertFile, key: web.TLSKeyFile, log: log}
	if err := pair.read(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"}}), nil
}

// socketMode lets the group of the process connect, such as a proxy in it.
const socketMode = 0o660

func open(ctx context.Context, web load.Web) (net.Listener, error) {
	var config net.ListenConfig
	path, socket := web.Socket()
	if !socket {
		return config.Listen(ctx, "tcp", web.Listen)
	}
	if err := dropStale(ctx, path); err != nil {
		return nil, err
	}
	listener, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// dropStale removes a socket that nobody listens on: of a process that was killed.
func dropStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("%s is there and is no socket: remove it, or name another path", path)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("another process listens on %s", path), conn.Close())
	}
	return os.Remove(path)
}

// certificate is the page's own, read again when its files change: certificates are
// renewed while the page is served.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	of      [2]time.Time // when the files were changed that the pair is of
	checked time.Time
}

// recheck is how long a certificate is good without looking at its files.
const recheck = time.Second

// get returns the certificate. While new files do not fit, such as between writing one
// and the other, the old pair stays.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= recheck {
		c.checked = now
		if of, err := c.changed(); err != nil || of != c.of {
			if err := c.readLocked(); err != nil {
				c.log.Warn("new certificate cannot be used: the old one stays", "error", err)
			}
		}
	}
	return c.pair, nil
}

func (c *certificate) read() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readLocked()
}

func (c *certificate) readLocked() error {
	of, err := c.changed()
	if err != nil {
		return fmt.Errorf("web.tls_cert_file and web.tls_key_file: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("web.tls_cert_file %s and web.tls_key_file %s: %w", c.cert, c.key, err)
	}
	c.pair, c.of = &pair, of
	return nil
}

func (c *certificate) changed() (of [2]time.Time, err error) {
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return of, err
		}
		of[i] = info.ModTime()
	}
	return of, nil
}
