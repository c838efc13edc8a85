package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
)

// guard is a transport that keeps to the rules, and whose errors say nothing of a URL
// but its host.
type guard struct {
	options Options
	next    http.RoundTripper
}

// RoundTrip makes one call.
func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := g.options.judge(request); err != nil {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, err
	}
	response, err := g.next.RoundTrip(request)
	if err != nil {
		return nil, told(request.URL.Hostname(), err)
	}
	// http.Client must not see a redirect at all: it prints the place it cannot parse.
	if response.StatusCode/100 == 3 && response.Header.Get("Location") != "" {
		_ = response.Body.Close()
		return nil, &RefusedError{Rule: RuleRedirect, Host: request.URL.Hostname()}
	}
	response.Body = &bounded{response.Body, MaxBody}
	return response, nil
}

// judge looks at what stands in the URL itself: behind a proxy nobody else does.
func (o Options) judge(request *http.Request) error {
	host := request.URL.Hostname()
	named := loopbackName(host)
	if scheme := request.URL.Scheme; scheme != "https" && (scheme != "http" || !o.PlainHTTP && !named) {
		return &RefusedError{Rule: RuleScheme, Host: host}
	}
	if address, err := netip.ParseAddr(host); err == nil {
		if rule := o.refused(address, named); rule != "" {
			return &RefusedError{rule, host, address}
		}
	}
	return nil
}

// dial connects to a host and port, if the address to which it leads is allowed.
func (o Options) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	named := loopbackName(host)
	dialer := net.Dialer{Timeout: dialTimeout, Resolver: o.Resolver, ControlContext: func(_ context.Context, _, target string, _ syscall.RawConn) error {
		address, err := netip.ParseAddrPort(target)
		if err != nil {
			return err
		}
		if rule := o.refused(address.Addr(), named); rule != "" {
			return &RefusedError{rule, host, address.Addr().Unmap()}
		}
		if o.dialled != nil {
			return o.dialled(address)
		}
		return nil
	}}
	return dialer.DialContext(ctx, network, hostPort)
}

// told returns what may be said of an error of the transport: its own rules, the network,
// TLS, time. Whatever else there is may quote the answer, and a peer can send back the
// URL that it was asked for.
func told(host string, err error) error {
	var (
		refused     *RefusedError
		network     net.Error
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case strings.HasPrefix(err.Error(), "net/http: request canceled"): // the time-out of http.Client, which has no type
		return context.DeadlineExceeded
	case errors.As(err, &network), errors.As(err, &certificate), errors.As(err, &alert):
		return err
	case errors.As(err, &record):
		return errors.New("the answer is not TLS")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "server closed idle connection"):
		return fmt.Errorf("%s closed the connection: %w", host, io.ErrUnexpectedEOF)
	}
	return errors.New("the answer is not HTTP")
}

// bounded reads as many bytes of a body as are left, and then fails.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if n > b.left {
		n, b.left = b.left, 0
		return n, ErrBody
	}
	b.left -= n
	return n, err
}
