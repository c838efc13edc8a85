package load

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

const webConfig = `
web:
  listen: "[::1]:0"
  external_url: https://tools.example.org/ownmap
  tls_cert_file: /etc/ownmap/cert.pem
  tls_key_file: ${KEYS}/key.pem
  trusted_proxies: [10.20.0.2, 10.20.1.0/28, "2001:db8::/64", unix, 10.20.0.2]
auth:
  users:
    alice: {password_hash: "${HASH}", role: admin}
    bob: {password_hash: "$2y$12$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
  oidc:
    issuer: https://id.example.org/
    client_id: ownmap
    client_secret: geheim
    allow: {emails: [Carol@Example.org], domains: Example.com, groups: [staff, audit]}
    admins: {emails: carol@example.org, groups: admins}
  proxy_header: {name: X-Forwarded-User, admins: [alice]}
`

func TestWeb(t *testing.T) {
	t.Parallel()
	env := func(name string) string {
		return map[string]string{"KEYS": "/run/credentials", "HASH": "$2b$10$" + strings.Repeat("b", 53)}[name]
	}
	c, err := Parse("ownmap.yaml", []byte(webConfig), env)
	if err != nil {
		t.Fatal(err)
	}
	networks, socket := c.Web.Proxies()
	if !socket || len(networks) != 3 || networks[0].String() != "10.20.0.2/32" || networks[2].String() != "2001:db8::/64" {
		t.Errorf("proxies %v, %v", networks, socket)
	}
	if u := c.Web.External(); u == nil || u.String() != "https://tools.example.org/ownmap/" || u.Path != "/ownmap/" {
		t.Errorf("external %v", u)
	}
	if !c.Web.TLS() || c.Web.TLSKeyFile != "/run/credentials/key.pem" || !c.Web.Loopback() {
		t.Errorf("web %+v", c.Web)
	}
	users := c.Auth.StateUsers()
	if len(users) != 2 || c.Auth.Users["alice"].Role != state.Admin || c.Auth.Users["bob"].Role != state.Viewer || users[0].Origin != state.ByConfig {
		t.Errorf("users %+v", users)
	}
	o := c.Auth.OIDC
	want := OIDC{
		Issuer: "https://id.example.org/", ClientID: "ownmap", ClientSecret: state.NewSecret("geheim"), GroupsClaim: "groups",
		Allow:  People{Emails: []string{"carol@example.org"}, Domains: []string{"example.com"}, Groups: []string{"staff", "audit"}},
		Admins: People{Emails: []string{"carol@example.org"}, Groups: []string{"admins"}},
	}
	if diff := cmp.Diff(want, *o, cmp.Comparer(func(a, b state.Secret) bool { return a.Reveal() == b.Reveal() })); diff != "" {
		t.Errorf("oidc (-want +got):\n%s", diff)
	}
	if text := dump(t, c); strings.Contains(text, "geheim") || strings.Contains(text, "aaaa") || strings.Contains(text, "bbbb") || !strings.Contains(text, "password_hash: '***'") {
		t.Errorf("dumped:\n%s", text)
	}
	if d := Default(); d.Web.Listen != DefaultListen || d.Web.External() != nil || d.Web.TLS() || !d.Web.Loopback() {
		t.Errorf("defaults %+v", d.Web)
	}
}

// A hash in the config is a secret of it, and so is a client secret in a file.
func TestWebSecrets(t *testing.T) {
	t.Parallel()
	const hash = `auth: {users: {bob: {password_hash: "$2y$12$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}}`
	const oidc = "web: {external_url: 'https://ownmap.example.org/'}\nauth: {oidc: {issuer: 'https://id.example.org', client_id: x, client_secret_file: oidc, allow: {domains: example.org}}}"
	for _, test := range []struct {
		name, config string
		mode         os.FileMode
		secret       string
		secretMode   os.FileMode
		want         string
	}{
		{"hash", hash, 0o640, "", 0, ""},
		{"hash, all read", hash, 0o644, "", 0, "ownmap.yaml:1: "},
		{"secret", oidc, 0o644, "geheim\n", 0o600, ""},
		{"secret, all read", oidc, 0o644, "geheim\n", 0o644, "everybody can read it"},
		{"secret, empty", oidc, 0o644, "\n", 0o600, "ownmap.yaml:2: auth.oidc.client_secret_file: "},
		{"secret, missing", oidc, 0o644, "", 0, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.secret != "" {
				file(t, dir, "oidc", test.secret, test.secretMode)
			}
			c, err := Read(file(t, dir, "ownmap.yaml", test.config, test.mode), noEnv)
			if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "geheim")) {
				t.Fatalf("%v, want %q", err, test.want)
			}
			if err == nil && c.Auth.OIDC != nil {
				if c.Auth.OIDC.ClientSecret.Reveal() != "geheim" {
					t.Error("the secret was not read")
				}
				if text := dump(t, c); strings.Contains(text, "client_secret:") || !strings.Contains(text, "client_secret_file:") {
					t.Errorf("dumped:\n%s", text)
				}
			}
		})
	}
}

func TestMayListen(t *testing.T) {
	t.Parallel()
	const nobody, clear = "nobody could sign in", "passwords would travel in the clear"
	tls, proxied := Web{TLSCertFile: "/c", TLSKeyFile: "/k"}, Web{TrustedProxies: []string{"10.0.0.1/32"}}
	for _, test := range []struct {
		listen string
		web    Web
		signIn bool
		want   []string
	}{
		{"127.0.0.1:8480", Web{}, false, nil},
		{"127.9.9.9:8480", Web{}, false, nil},
		{"[::1]:8480", Web{}, false, nil},
		{"[::ffff:127.0.0.1]:8480", Web{}, false, nil},
		{"localhost:8480", Web{}, false, nil},
		{"unix:/run/ownmap/web.sock", Web{}, false, nil},
		{"0.0.0.0:8480", Web{}, false, []string{nobody, clear}},
		{":8480", Web{}, false, []string{nobody, clear}},
		{"[::]:8480", Web{}, false, []string{nobody, clear}},
		{"10.20.0.7:8480", Web{}, true, []string{clear}},
		{"10.20.0.7:8480", tls, false, []string{nobody}},
		{"10.20.0.7:8480", proxied, false, []string{nobody}},
		{"10.20.0.7:8480", tls, true, nil},
		{"10.20.0.7:8480", proxied, true, nil},
		{"169.254.1.1:8480", Web{}, true, []string{clear}},
		{"[fe80::1]:8480", Web{}, true, []string{clear}},
	} {
		test.web.Listen = test.listen
		err := test.web.MayListen(test.signIn)
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s, %+v, %v: %v", test.listen, test.web, test.signIn, err)
			continue
		}
		for _, why := range test.want {
			if !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, want %q", test.listen, err, why)
			}
		}
		if len(test.want) == 1 && strings.Contains(err.Error(), nobody) == strings.Contains(err.Error(), clear) {
			t.Errorf("%s: %v", test.listen, err)
		}
	}
}
