package banner

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen serves every connection to a new port of an address of loopback until the
// test ends.
func listen(tb testing.TB, address string, serve service) netip.AddrPort {
	tb.Helper()
	listener, err := net.Listen("tcp", address+":0")
	if err != nil {
		tb.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for nth := 0; ; nth++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				serve(conn, nth)
			})
		}
	})
	tb.Cleanup(func() { listener.Close(); wg.Wait() })
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// web is a handler whose every answer is another one and says the same.
func web(server string) http.Handler {
	var mu sync.Mutex
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n++
		w.Header().Set("Server", server)
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, n))
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: strconv.Itoa(n)})
		fmt.Fprintf(w, "<title>Office, %s</title>%0*d", time.Unix(int64(n)*100000, 0).UTC().Format(time.RFC1123), n, n)
	})
}

// serveWeb serves HTTP on loopback, in TLS when there is a configuration for it.
func serveWeb(t *testing.T, handler http.Handler, secure *tls.Config) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, TLSConfig: secure, ErrorLog: log.New(io.Discard, "", 0)}
	var wg sync.WaitGroup
	wg.Go(func() {
		if secure == nil {
			_ = server.Serve(listener)
		} else {
			_ = server.ServeTLS(listener, "", "")
		}
	})
	t.Cleanup(func() { server.Close(); wg.Wait() })
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certificate is a new certificate for a key.
func certificate(t *testing.T, key *ecdsa.PrivateKey, serial int64) *tls.Config {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// inTLS speaks TLS from the first byte and plays a service inside.
func inTLS(config *tls.Config, inside service) service {
	return func(conn net.Conn, nth int) {
		secured := tls.Server(conn, config)
		if err := secured.Handshake(); err == nil {
			inside(secured, nth)
		}
	}
}

// TestTake takes the banners of real services twice, and those of services that
// differ in one thing each.
func TestTake(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	askingFor := func(client tls.ClientAuthType, version uint16) *tls.Config {
		config := certificate(t, key, 3)
		config.ClientAuth, config.MaxVersion = client, version
		return config
	}
	imap := func(version string) service {
		return says("* OK [CAPABILITY IMAP4rev1] Dovecot " + version + " ready.\r\n")
	}
	ports := map[string]netip.AddrPort{
		"ssh":            listen(t, "127.0.0.1", says("SSH-2.0-OpenSSH_9.2p1\r\n")),
		"ssh, newer":     listen(t, "127.0.0.1", says("SSH-2.0-OpenSSH_9.3p1\r\n")),
		"web":            serveWeb(t, web("nginx/1.22.1"), nil),
		"web, newer":     serveWeb(t, web("nginx/1.24.0"), nil),
		"https":          serveWeb(t, web("nginx/1.22.1"), certificate(t, key, 1)),
		"https, newer":   serveWeb(t, web("nginx/1.24.0"), certificate(t, key, 1)),
		"https, new key": serveWeb(t, web("nginx/1.22.1"), certificate(t, newKey(t), 1)),
		"imaps":          listen(t, "127.0.0.1", inTLS(certificate(t, key, 1), imap("2.3"))),
		"imaps, newer":   listen(t, "127.0.0.1", inTLS(certificate(t, key, 1), imap("2.4"))),
		"mutual 1.2":     listen(t, "127.0.0.1", inTLS(askingFor(tls.RequireAnyClientCert, tls.VersionTLS12), mute)),
		"mutual 1.3":     listen(t, "127.0.0.1", inTLS(askingFor(tls.RequireAnyClientCert, 0), mute)),
		"refuses TLS":    listen(t, "127.0.0.1", inTLS(&tls.Config{}, mute)),
		"mysql":          listen(t, "127.0.0.1", saysSalted("8.0.36")),
		"mysql, newer":   listen(t, "127.0.0.1", saysSalted("8.0.37")),
		"redis":          listen(t, "127.0.0.1", answers("-ERR wrong number of arguments for 'get' command\r\n")),
		"silent":         listen(t, "127.0.0.1", mute),
		"garbage":        listen(t, "127.0.0.1", garbage),
	}
	renewed := serveWeb(t, web("nginx/1.22.1"), certificate(t, key, 2))
	refused := listen(t, "127.0.0.2", mute)
	refused = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.3"), refused.Port()) // nobody listens there
	all := []netip.AddrPort{renewed, refused}
	for _, port := range ports {
		all = append(all, port)
	}
	o := Options{Patience: 400 * time.Millisecond}
	first, second := Take(t.Context(), all, o), Take(t.Context(), all, o)
	owner := map[string]string{}
	for name, port := range ports {
		one, ok := first[port]
		if two := second[port]; !ok || one != two {
			t.Errorf("%s: %+v, and then %+v", name, one, two)
		}
		if one.Silent != (name == "silent") {
			t.Errorf("%s: silent %t", name, one.Silent)
		}
		if other, taken := owner[one.Hash]; taken {
			t.Errorf("%s has the banner of %s", name, other)
		}
		owner[one.Hash] = name
	}
	if first[renewed] != first[ports["https"]] {
		t.Error("a certificate renewed for the same key is another banner")
	}
	if got, ok := first[refused]; ok {
		t.Errorf("a port that refuses has the banner %+v", got)
	}
}

// saysSalted greets as MySQL, with another thread and salt each time.
func saysSalted(version string) service {
	return func(conn net.Conn, nth int) {
		says(hello(version, string([]byte{byte(nth), 1, 0, 0}), rand.Text()[:8]))(conn, nth)
	}
}

// garbage says as many random bytes as it likes, after the same first eight.
func garbage(conn net.Conn, _ int) {
	salt := make([]byte, 100)
	_, _ = rand.Read(salt)
	_, _ = conn.Write(append([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"), salt...))
	_, _ = io.Copy(io.Discard, conn)
}

// BenchmarkTake takes the banners of 2,000 listeners on 250 addresses of loopback:
// half greet, the others are asked.
func BenchmarkTake(b *testing.B) {
	ports := make([]netip.AddrPort, 0, 2000)
	for i := range cap(ports) {
		serve := says("SSH-2.0-OpenSSH_9.2p1\r\n")
		if i%2 == 1 {
			serve = answers("HTTP/1.0 200 OK\r\nServer: nginx/1.22.1\r\n\r\n")
		}
		ports = append(ports, listen(b, fmt.Sprintf("127.0.1.%d", 1+i%250), serve))
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := Take(b.Context(), ports, Options{}); len(got) != len(ports) {
			b.Fatalf("%d banners of %d", len(got), len(ports))
		}
	}
}
