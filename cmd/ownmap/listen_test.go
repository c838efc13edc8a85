package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
)

// certify writes a certificate of a serial number and its key.
func certify(t *testing.T, dir string, serial int64) (web load.Web) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	web = load.Web{Listen: "127.0.0.1:0", TLSCertFile: filepath.Join(dir, "cert.pem"), TLSKeyFile: filepath.Join(dir, "key.pem")}
	for path, block := range map[string]*pem.Block{web.TLSCertFile: {Type: "CERTIFICATE", Bytes: cert}, web.TLSKeyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		// Files that change within the clock's tick have other times all the same.
		at := time.Unix(1_800_000_000+serial, 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return web
}

// TestCertificateIsReadAgain renews the certificate of a page that is served, by halves.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	web := certify(t, dir, 1)
	c := &certificate{cert: web.TLSCertFile, key: web.TLSKeyFile, log: slog.New(slog.DiscardHandler)}
	if err := c.read(); err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		t.Helper()
		c.checked = time.Time{} // as a second later
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber.Int64()
	}
	old, err := os.ReadFile(web.TLSKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	certify(t, dir, 2)
	fresh, err := os.ReadFile(web.TLSKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(web.TLSKeyFile, old, 0o600); err != nil { // of which only the certificate is written yet
		t.Fatal(err)
	}
	if got := serial(); got != 1 {
		t.Errorf("half renewed: certificate %d", got)
	}
	if err := os.WriteFile(web.TLSKeyFile, fresh, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 {
		t.Errorf("renewed: certificate %d", got)
	}
	if err := os.Remove(web.TLSCertFile); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 {
		t.Errorf("removed: certificate %d", got)
	}
}

// TestListen opens what a page can be served on, and what it cannot.
func TestListen(t *testing.T) {
	t.Parallel()
	book := booklab.Open(t)
	guard := access.New(access.Options{Store: book})
	log := slog.New(slog.DiscardHandler)
	dir, err := os.MkdirTemp("", "ownmap-listen-") //nolint:usetesting // the path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	answers := func(web load.Web, client *http.Client) {
		t.Helper()
		listener, err := listen(t.Context(), web, guard, log)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }), ErrorLog: slog.NewLogLogger(log.Handler(), 0)}
		go func() { _ = server.Serve(listener) }()
		defer server.Close()
		address := "http://" + listener.Addr().String()
		if web.TLS() {
			address = "https://" + listener.Addr().String()
		}
		if listener.Addr().Network() == "unix" {
			address = "http://ownmap"
		}
		response, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != "here" {
			t.Errorf("%s answers %q, %v", address, body, err)
		}
	}
	client := func(version uint16) *http.Client {
		config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: version}
		return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	}
	answers(load.Web{Listen: "127.0.0.1:0"}, client(0))
	secure := certify(t, dir, 1)
	answers(secure, client(0))
	answers(secure, client(tls.VersionTLS12))
	listener, err := listen(t.Context(), secure, guard, log)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	}()
	if _, err := client(tls.VersionTLS11).Get("https://" + listener.Addr().String()); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
	_ = listener.Close()

	// A unix socket: also after a process that was killed, not beside one that lives.
	path := filepath.Join(dir, "web.sock")
	socket := load.Web{Listen: "unix:" + path}
	overSocket := &http.Client{Transport: &http.Transport{Dial: func(string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	answers(socket, overSocket)
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if _, err := listen(t.Context(), socket, guard, log); err == nil || !strings.Contains(err.Error(), "another process listens") {
		t.Errorf("beside another process: %v", err)
	}
	_ = left.Close()
	answers(socket, overSocket)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t.Context(), socket, guard, log); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("where a file is: %v", err)
	}

	// Open to others.
	wide := load.Web{Listen: "0.0.0.0:0", TLSCertFile: secure.TLSCertFile, TLSKeyFile: secure.TLSKeyFile}
	if _, err := listen(t.Context(), wide, guard, log); err == nil || !strings.Contains(err.Error(), "nobody could sign in") {
		t.Errorf("without a user: %v", err)
	}
	if _, err := book.AddUser(t.Context(), state.User{Name: "alice", Role: state.Admin}, false, time.Now(), state.Actor{Name: "root", Via: "cli"}); err != nil {
		t.Fatal(err)
	}
	_, err = listen(t.Context(), load.Web{Listen: "0.0.0.0:0"}, guard, log)
	if err == nil || !strings.Contains(err.Error(), "in the clear") || strings.Contains(err.Error(), "nobody") {
		t.Errorf("with a user, without TLS: %v", err)
	}
}
