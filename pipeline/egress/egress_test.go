package egress

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

const canary = "canary-in-the-address"

// call returns the redacted error of a call whose path and query are secrets.
func call(t *testing.T, options Options, address string) (body string, err error) {
	t.Helper()
	client, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/"+canary+"?key="+canary, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.URL.User = nil
	response, err := client.Do(request)
	if err == nil {
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return string(text), err
	}
	if err = state.Redact(err); strings.Contains(err.Error(), canary) {
		t.Errorf("the error tells the address: %v", err)
	}
	return "", err
}

func isRefused(t *testing.T, err error, rule Rule, text string) {
	t.Helper()
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Rule != rule || !strings.HasSuffix(err.Error(), text) {
		t.Errorf("want %q by %q, got %v", text, rule, err)
	}
}

// nothing fails the test if any connection is tried.
func nothing(t *testing.T) func(netip.AddrPort) error {
	t.Helper()
	return func(address netip.AddrPort) error {
		t.Errorf("%s would be dialled", address)
		return errors.New("no connection is made in this test")
	}
}

func TestLiterals(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct {
		rule Rule
		text string
	}{
		"https://169.254.169.254":                {RuleMetadata, "169.254.169.254 is refused: no cloud metadata"},
		"https://[fd00:ec2::254]":                {RuleMetadata, "fd00:ec2::254 is refused: no cloud metadata"},
		"https://[::ffff:169.254.169.254]":       {RuleMetadata, "is refused: no cloud metadata"},
		"https://[64:ff9b::a9fe:a9fe]":           {RuleMetadata, "64:ff9b::a9fe:a9fe is refused: no cloud metadata"},
		"https://[2002:a9fe:a9fe::1]":            {RuleMetadata, "2002:a9fe:a9fe::1 is refused: no cloud metadata"},
		"https://[fe80::1%25eth0]:8080":          {RuleLinkLocal, "fe80::1%eth0 is refused: no link-local addresses"},
		"https://169.254.1.1:80":                 {RuleLinkLocal, "169.254.1.1 is refused: no link-local addresses"},
		"https://224.0.0.251":                    {RuleMulticast, "224.0.0.251 is refused: no multicast"},
		"https://255.255.255.255":                {RuleBroadcast, "255.255.255.255 is refused: no broadcast"},
		"https://0.0.0.0":                        {RuleUnspecified, "0.0.0.0 is refused: no unspecified addresses"},
		"https://[::]":                           {RuleUnspecified, ":: is refused: no unspecified addresses"},
		"https://10.0.0.7":                       {RulePrivate, "10.0.0.7 is refused: no private networks"},
		"http://203.0.113.9":                     {RuleScheme, "203.0.113.9 is refused: https only"},
		"http://hooks.example.org":               {RuleScheme, "hooks.example.org is refused: https only"},
		"ftp://hooks.example.org":                {RuleScheme, "hooks.example.org is refused: https only"},
		"http://localhost.example.org":           {RuleScheme, "localhost.example.org is refused: https only"},
		"http://127.0.0.1.example.org":           {RuleScheme, "127.0.0.1.example.org is refused: https only"},
		"https://[64:ff9b::7f00:1]":              {RuleLoopback, "64:ff9b::7f00:1 is refused: loopback only by its own name"},
		"http://user:" + canary + "@203.0.113.9": {RuleScheme, "203.0.113.9 is refused: https only"},
	} {
		_, err := call(t, Options{RefusePrivate: true, dialled: nothing(t)}, address)
		isRefused(t, err, want.rule, want.text)
	}
}

// TestNames holds that the address counts that a name leads to, whatever the name.
func TestNames(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]Rule{
		"169.254.169.254": RuleMetadata, "127.0.0.1": RuleLoopback, "0.0.0.0": RuleUnspecified, "192.168.7.7": RulePrivate, "224.0.0.1": RuleMulticast,
	} {
		_, err := call(t, Options{RefusePrivate: true, Resolver: serveNames(t, address).resolver, dialled: nothing(t)}, "https://hooks.example.org.")
		isRefused(t, err, want, fmt.Sprintf("hooks.example.org. leads to %s, which is refused: %s", address, want))
	}
}

// TestRebinding holds that a name that was harmless once is judged again.
func TestRebinding(t *testing.T) {
	t.Parallel()
	names := serveNames(t, "203.0.113.9", "169.254.169.254")
	stop := errors.New("stopped before the connection")
	var passed []string
	options := Options{Resolver: names.resolver, dialled: func(a netip.AddrPort) error {
		passed = append(passed, a.String())
		return &net.OpError{Op: "dial", Err: stop}
	}}
	if _, err := call(t, options, "https://hooks.example.org.:8443"); !errors.Is(err, stop) {
		t.Errorf("the first call: %v", err)
	}
	for range 2 {
		_, err := call(t, options, "https://hooks.example.org.:8443")
		isRefused(t, err, RuleMetadata, "hooks.example.org. leads to 169.254.169.254, which is refused: no cloud metadata")
	}
	if len(passed) != 1 || passed[0] != "203.0.113.9:8443" || names.asked.Load() != 3 {
		t.Errorf("dialled %q, asked %d times", passed, names.asked.Load())
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "taken") }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST.", "[::ffff:127.0.0.1]"} {
		options := Options{RefusePrivate: true, Resolver: serveNames(t, "127.0.0.1").resolver}
		if body, err := call(t, options, "http://"+host+":"+port); body != "taken" {
			t.Errorf("%s: %q, %v", host, body, err)
		}
	}
	// A name that leads to this machine is not its name.
	_, err := call(t, Options{PlainHTTP: true, Resolver: serveNames(t, "127.0.0.1").resolver}, "http://hooks.example.org.:"+port)
	isRefused(t, err, RuleLoopback, "hooks.example.org. leads to 127.0.0.1, which is refused: loopback only by its own name")
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	for _, place := range []string{
		"http://169.254.169.254/latest/meta-data/", "/" + canary, "https://hooks.example.org/" + canary, "http://[::1", "%zz" + canary, "//" + canary,
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.Header().Set("Location", place)
				w.WriteHeader(status)
			}))
			_, err := call(t, Options{}, server.URL)
			isRefused(t, err, RuleRedirect, "127.0.0.1 is refused: no redirects")
			server.Close()
		}
	}
	if calls.Load() != 30 {
		t.Errorf("%d calls, want one for each redirect", calls.Load())
	}
}

// TestPeers holds what is said of peers that do not speak as they should: nothing that
// they send.
func TestPeers(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		answer func(net.Conn)
		text   string
	}{
		"echo": {func(c net.Conn) {
			request := make([]byte, 4096)
			n, _ := c.Read(request)
			c.Write(append(request[:n], "\r\n\r\n"...))
		}, "the answer is not HTTP"},
		"end":     {func(c net.Conn) { c.Read(make([]byte, 4096)) }, "closed the connection: unexpected EOF"},
		"silence": {func(c net.Conn) { io.Copy(io.Discard, c) }, "context deadline exceeded"},
		"header":  {func(c net.Conn) { fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX: %s\r\n\r\n", strings.Repeat(canary, 10_000)) }, "the answer is not HTTP"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				want.answer(c)
				c.Close()
			}
		}()
		_, err = call(t, Options{Timeout: 300 * time.Millisecond}, "http://"+listener.Addr().String())
		if err == nil || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%s: want %q, got %v", name, want.text, err)
		}
		listener.Close()
		if name == "silence" {
			if _, err = call(t, Options{}, "http://"+listener.Addr().String()); err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("nobody there: %v", err)
			}
		}
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]error{0: nil, 1: nil, MaxBody: nil, MaxBody + 1: ErrBody, 10 * MaxBody: ErrBody} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("x"), size)) }))
		body, err := call(t, Options{}, server.URL)
		if !errors.Is(err, want) || len(body) != min(size, MaxBody) {
			t.Errorf("%d bytes: got %d, %v", size, len(body), err)
		}
		server.Close()
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	start := func(most uint16) *httptest.Server {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "taken") }))
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: most}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	server, old := start(tls.VersionTLS13), start(tls.VersionTLS11)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if body, err := call(t, Options{CAFile: file}, server.URL); body != "taken" {
		t.Errorf("with the file: %q, %v", body, err)
	}
	if _, err := call(t, Options{}, server.URL); err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("without the file: %v", err)
	}
	if _, err := call(t, Options{CAFile: file}, old.URL); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	if _, err := call(t, Options{}, strings.Replace(plain.URL, "http:", "https:", 1)); err == nil || !strings.HasSuffix(err.Error(), "not TLS") && !strings.Contains(err.Error(), "HTTP response to HTTPS client") {
		t.Errorf("no TLS: %v", err)
	}
	if err := os.WriteFile(file, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{file, file + ".missing"} {
		if _, err := New(Options{CAFile: file}); err == nil {
			t.Errorf("%s is taken", file)
		}
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "proxied "+r.URL.Host) }))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	options := Options{PlainHTTP: true, Proxy: true, proxy: http.ProxyURL(address)}
	if body, err := call(t, options, "http://hooks.example.org"); body != "proxied hooks.example.org" {
		t.Errorf("with the option: %q, %v", body, err)
	}
	_, err = call(t, options, "http://169.254.169.254")
	isRefused(t, err, RuleMetadata, "no cloud metadata")
	stop := errors.New("stopped")
	options.Proxy, options.Resolver = false, serveNames(t, "203.0.113.9").resolver
	options.dialled = func(a netip.AddrPort) error {
		if a.Addr().IsLoopback() {
			t.Error("the proxy is called without the option")
		}
		return &net.OpError{Op: "dial", Err: stop}
	}
	if _, err := call(t, options, "http://hooks.example.org."); !errors.Is(err, stop) {
		t.Errorf("without the option: %v", err)
	}
	for _, with := range []bool{false, true} {
		client, err := New(Options{Proxy: with})
		if err != nil {
			t.Fatal(err)
		}
		if transport := client.Transport.(*guard).next.(*http.Transport); (transport.Proxy != nil) != with {
			t.Errorf("option %v, and the environment is asked: %v", with, transport.Proxy != nil)
		}
	}
}
