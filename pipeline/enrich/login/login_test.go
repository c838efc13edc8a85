package login

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"ownmap/pipeline/lab/sshlab"
	"ownmap/pipeline/state"
)

// must returns a value or ends the test.
func must[T any](tb testing.TB, value T, err error) T {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	return value
}

func newKey(tb testing.TB) (ed25519.PrivateKey, ssh.Signer) {
	tb.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return private, signerOf(tb, private)
}

func signerOf(tb testing.TB, key any) ssh.Signer {
	tb.Helper()
	signer, err := ssh.NewSignerFromKey(key)
	return must(tb, signer, err)
}

// write writes a file into a directory and returns its path.
func write(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}

// server is an SSH server with host keys of the test's choice, that lets one key in.
func server(tb testing.TB, user ssh.PublicKey, hostKeys ...ssh.Signer) netip.AddrPort {
	tb.Helper()
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(user.Marshal()) {
			return nil, errors.New("another key")
		}
		return &ssh.Permissions{}, nil
	}}
	for _, key := range hostKeys {
		config.AddHostKey(key)
	}
	return sshlab.Raw(tb, func(conn net.Conn) {
		c, channels, requests, err := ssh.NewServerConn(conn, config)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for channel := range channels {
			_ = channel.Reject(ssh.Prohibited, "")
		}
		_ = c.Close()
	}).Address
}

// reasonOf is why a login failed, empty if it did not.
func reasonOf(err error) string {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Reason
	}
	return "no *Error: " + err.Error()
}

func TestKnownHosts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	private, user := newKey(t)
	keyFile := write(t, dir, "key", mustBlock(t, private))
	_, host := newKey(t)
	_, other := newKey(t)
	_, ca := newKey(t)
	rsaKey := signerOf(t, mustRSA(t))
	ecKey := signerOf(t, mustEC(t))
	cert := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"web.example.org"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	certified, err := ssh.NewCertSigner(cert, host)
	if err != nil {
		t.Fatal(err)
	}

	plain := server(t, user.PublicKey(), host)
	many := server(t, user.PublicKey(), host, rsaKey, ecKey)
	certifies := server(t, user.PublicKey(), certified)
	name := func(at netip.AddrPort) string { return knownhosts.Normalize(at.String()) }
	line := func(host string, key ssh.PublicKey) string { return knownhosts.Line([]string{host}, key) + "\n" }
	opener := New(Options{Handshake: 10 * time.Second, Home: dir, User: "me"})
	for _, tc := range []struct {
		name   string
		at     netip.AddrPort
		known  string
		dns    string
		reason string
		detail string
	}{
		{"known", plain, line(name(plain), host.PublicKey()), "", "", ""},
		{"hashed", plain, line(knownhosts.HashHostname(name(plain)), host.PublicKey()), "", "", ""},
		{"by its name", plain, line("[web.example.org]:"+strings.Split(plain.String(), ":")[1], host.PublicKey()), "web.example.org", "", ""},
		{"nothing known", plain, "", "", state.SSHKeyUnknown, "ownmap hostkeys accept 127.0.0.1"},
		{"only another host known", plain, line("[127.0.0.2]:22", host.PublicKey()), "", state.SSHKeyUnknown, "SHA256:"},
		{"changed", plain, line(name(plain), other.PublicKey()), "", state.SSHKeyChanged, "known_hosts:1 has SHA256:"},
		{"changed, hashed", plain, line(knownhosts.HashHostname(name(plain)), other.PublicKey()), "", state.SSHKeyChanged, "known_hosts:1 has"},
		{"revoked", plain, "@revoked * " + strings.TrimPrefix(line("x", host.PublicKey()), "x "), "", state.SSHKeyChanged, "is revoked at"},
		{"revoked and known", plain, line(name(plain), host.PublicKey()) + "@revoked * " + strings.TrimPrefix(line("x", host.PublicKey()), "x "), "", state.SSHKeyChanged, "is revoked"},
		{"only the RSA key known", many, line(name(many), rsaKey.PublicKey()), "", "", ""},
		{"only the ECDSA key known", many, line(name(many), ecKey.PublicKey()), "", "", ""},
		{"a line that cannot be read", plain, line(name(plain), host.PublicKey()) + "host ssh-ed25519 nonsense\n", "", state.SSHKeyUnknown, "known_hosts:2"},
		{"of an authority", certifies, "@cert-authority *.example.org,[*.example.org]:" + strings.Split(certifies.String(), ":")[1] + " " + strings.TrimPrefix(line("x", ca.PublicKey()), "x "), "web.example.org", "", ""},
		{"of an authority, another name", certifies, "@cert-authority * " + strings.TrimPrefix(line("x", ca.PublicKey()), "x "), "mail.example.org", state.SSHKeyUnknown, "SHA256:"},
		{"of another authority", certifies, "@cert-authority * " + strings.TrimPrefix(line("x", other.PublicKey()), "x "), "web.example.org", state.SSHKeyUnknown, "SHA256:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			file := write(t, t.TempDir(), "known_hosts", tc.known)
			conn, err := opener.Open(t.Context(), state.Login{
				Address: tc.at.Addr(), Port: tc.at.Port(), Name: tc.dns, User: "u", KeyFiles: []string{keyFile}, KnownHosts: []string{file, "/nonexistent"},
			})
			if err == nil {
				conn.Close()
			}
			if reasonOf(err) != tc.reason || err != nil && !strings.Contains(err.Error(), tc.detail) {
				t.Errorf("%v, want %q with %q", err, tc.reason, tc.detail)
			}
		})
	}
}

func mustBlock(tb testing.TB, private ed25519.PrivateKey) string {
	tb.Helper()
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func mustRSA(tb testing.TB) *rsa.PrivateKey {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return must(tb, key, err)
}

func mustEC(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return must(tb, key, err)
}

// startAgent serves keys like ssh-agent and returns its socket.
func startAgent(tb testing.TB, keys ...ed25519.PrivateKey) string {
	tb.Helper()
	ring := agent.NewKeyring()
	for _, key := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			tb.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // a socket's path may have 107 bytes only
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "unix", socket)
	if err != nil {
		tb.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				_ = agent.ServeAgent(ring, conn)
				_ = conn.Close()
			})
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return socket
}

// TestKeysAndAgent holds that key files and the agent are tried in one and the same
// login, that a locked key finds its other half in the agent, and that a server which
// hangs up early still sees the right key.
func TestKeysAndAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	right, signer := newKey(t)
	_, host := newKey(t)
	at := server(t, signer.PublicKey(), host)
	known := write(t, dir, "known_hosts", knownhosts.Line([]string{knownhosts.Normalize(at.String())}, host.PublicKey())+"\n")
	wrong, _ := newKey(t)
	wrongFile, rightFile := write(t, dir, "wrong", mustBlock(t, wrong)), write(t, dir, "right", mustBlock(t, right))
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(right, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	lockedFile := write(t, dir, "locked", string(pem.EncodeToMemory(locked)))
	write(t, dir, "locked.pub", string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	var crowd []ed25519.PrivateKey
	for range 8 {
		key, _ := newKey(t)
		crowd = append(crowd, key)
	}
	for _, tc := range []struct {
		name   string
		files  []string
		agent  string
		reason string
		detail string
	}{
		{"a file", []string{rightFile}, "", "", ""},
		{"the second file", []string{wrongFile, rightFile}, "", "", ""},
		{"the agent alone", []string{"/nonexistent"}, startAgent(t, right), "", ""},
		{"a wrong file and the agent", []string{wrongFile}, startAgent(t, right), "", ""},
		{"a wrong agent and a file", []string{rightFile}, startAgent(t, wrong), "", ""},
		{"a locked file and its key among many in the agent", []string{lockedFile}, startAgent(t, append(crowd, right)...), "", ""},
		{"an agent that is gone and a file", []string{rightFile}, "/nonexistent", "", ""},
		{"wrong ones", []string{wrongFile}, startAgent(t, crowd...), state.SSHLoginRefused, "tried " + wrongFile},
		{"a locked file", []string{lockedFile}, "", state.SSHNoKeys, "it has a passphrase"},
		{"none", []string{"/nonexistent"}, "", state.SSHNoKeys, "no such file"},
	} {
		opener := New(Options{Handshake: 10 * time.Second, Home: dir, User: "me", AgentSocket: tc.agent})
		conn, err := opener.Open(t.Context(), state.Login{
			Address: at.Addr(), Port: at.Port(), User: "u", KeyFiles: tc.files, Agent: true, KnownHosts: []string{known},
		})
		if err == nil {
			conn.Close()
		}
		if reasonOf(err) != tc.reason || err != nil && !strings.Contains(err.Error(), tc.detail) {
			t.Errorf("%s: %v, want %q with %q", tc.name, err, tc.reason, tc.detail)
		}
	}
}

// TestJumps goes through two real hosts to a third, as the config of the user says
// and as the login itself says.
func TestJumps(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{}, sshlab.Options{}, sshlab.Options{})
	a, b, c := f.Hosts[0].Address.String(), f.Hosts[1].Address.String(), f.Hosts[2].Address
	dir := home(t, map[string]string{"config": "Match exec \"touch " + t.TempDir() + "/ran\"\n User wrong\nHost inner\n HostName " + b + "\n User root\nHost target." + "*\n User root\n ProxyJump root@" + a + ",inner\nHost *\n UserKnownHostsFile " + f.KnownHosts + "\n IdentityFile " + f.KeyFile + "\n"})
	text := string(mustRead(t, f.KnownHosts))
	for line := range strings.Lines(text) { // the jump host is known by its alias
		if rest, ok := strings.CutPrefix(line, b+" "); ok {
			write(t, filepath.Dir(f.KnownHosts), "known_hosts", text+"inner "+rest)
		}
	}
	opener := New(Options{Handshake: 20 * time.Second, Home: dir, User: "me"})
	for name, l := range map[string]state.Login{
		"the user's config": {Address: c, Name: "target.example.org", UserConfig: true},
		"the login":         {Address: c, User: "root", KeyFiles: []string{f.KeyFile}, KnownHosts: []string{f.KnownHosts}, Jump: []string{"root@" + a, "root@" + b + ":22"}},
	} {
		conn, err := opener.Open(t.Context(), l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		session, err := conn.Client().NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if out, err := session.Output("ip -o -4 address show eth0; echo $SSH_CLIENT"); err != nil || !strings.Contains(string(out), c.String()+"/") || !strings.Contains(string(out), b+" ") {
			t.Errorf("%s: it did not come from the last jump host: %v\n%s", name, err, out)
		}
		conn.Close()
	}
	_, err := opener.Open(t.Context(), state.Login{Address: c, User: "root", KeyFiles: []string{f.KeyFile}, KnownHosts: []string{"/nonexistent"}, Jump: []string{"root@" + a}})
	if reasonOf(err) != state.SSHJumpFailed || !strings.Contains(err.Error(), a) {
		t.Errorf("an unknown jump host: %v", err)
	}
	resolved, err := opener.Resolve(state.Login{Address: c, Name: "target.example.org", UserConfig: true})
	if err != nil || resolved.User != "root" || resolved.Host != c.String() || len(resolved.Jump) != 2 || resolved.Jump[1].Host != b {
		t.Errorf("resolved %+v, %v", resolved, err)
	}
}

func TestHostKeysAreScannedAndAccepted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	private, user := newKey(t)
	_, host := newKey(t)
	rsaKey := signerOf(t, mustRSA(t))
	at := server(t, user.PublicKey(), host, rsaKey)
	file := filepath.Join(dir, "sub", "known_hosts")
	l := state.Login{Address: at.Addr(), Port: at.Port(), Name: "web.example.org", User: "u", KeyFiles: []string{write(t, dir, "key", mustBlock(t, private))}, KnownHosts: []string{file}}
	opener := New(Options{Home: dir, User: "me"})
	keys, err := opener.ScanKeys(t.Context(), l)
	if err != nil || len(keys) != 2 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	standing := func() string {
		t.Helper()
		list, err := opener.Standing(l, keys)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(list, " ")
	}
	if got := standing(); !strings.HasPrefix(got, "unknown") || strings.Contains(got, "changed") || strings.Contains(got, " known") {
		t.Errorf("before: %s", got)
	}
	for range 2 { // the second time changes nothing
		if _, err := opener.Accept(l, keys[:1], false); err != nil {
			t.Fatal(err)
		}
	}
	if text := string(mustRead(t, file)); strings.Count(text, "\n") != 1 || standing() != "known unknown" {
		t.Errorf("%s; known_hosts:\n%s", standing(), text)
	}
	conn, err := opener.Open(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()

	_, other := newKey(t)
	stays := "# mine\n" + knownhosts.Line([]string{"10.0.0.1", knownhosts.Normalize(at.String())}, other.PublicKey())
	write(t, filepath.Dir(file), "known_hosts", stays+"\n"+knownhosts.Line([]string{knownhosts.Normalize(at.String())}, other.PublicKey())) // no end of line
	if err := errors.Join(os.Chmod(file, 0o640), os.Chown(file, 1234, 1234)); err != nil {
		t.Fatal(err)
	}
	if got := standing(); got != "changed unknown" {
		t.Errorf("with another key: %s", got)
	}
	if _, err := opener.Accept(l, keys, true); err != nil {
		t.Fatal(err)
	}
	text := string(mustRead(t, file))
	if !strings.HasPrefix(text, stays+"\n[") || strings.Count(text, "\n") != 4 {
		t.Errorf("replaced:\n%s", text)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := opener.Open(cancelled, l); reasonOf(err) != state.InsideInterrupted {
		t.Errorf("a cancelled login: %v", err)
	}
}

func mustRead(tb testing.TB, file string) []byte {
	tb.Helper()
	text, err := os.ReadFile(file)
	return must(tb, text, err)
}
