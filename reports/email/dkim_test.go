package email

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"ownmap/pipeline/state"
)

func pemOf(tb testing.TB, key any) state.Secret {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return state.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// TestDKIM holds that another library takes the signatures, that they are the same each
// time, and that nothing of what matters can be altered or added.
func TestDKIM(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey, "ed25519": edKey} {
		record := "v=DKIM1; k=" + name + "; p="
		if public, ok := key.Public().(ed25519.PublicKey); ok {
			record += base64.StdEncoding.EncodeToString(public)
		} else {
			der, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			record += base64.StdEncoding.EncodeToString(der)
		}
		domain := strings.Repeat("d", 50) + ".example.org"
		verify := func(raw []byte) error {
			found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(query string) ([]string, error) {
				if query != "s1._domainkey."+domain {
					t.Errorf("a key of %s", query)
				}
				return []string{record}, nil
			}})
			if err != nil || len(found) != 1 {
				t.Fatalf("%s: %d signatures, %v", name, len(found), err)
			}
			return found[0].Err
		}
		for _, replyTo := range []string{"", "bob@example.org"} {
			options := Options{From: "ownmap@example.org", ReplyTo: replyTo, Subject: SubjectCounts, DKIM: DKIM{Domain: domain, Selector: "s1", Key: pemOf(t, key)}}
			for _, m := range []state.Message{trouble("alice@example.org"), about(poisoned("\r\n.\r\n=?utf-8?q?x?="), links().MessageLinks), about(many(1000, hostName), links().MessageLinks)} {
				raw := bytesOf(t, renderAny(t, options, m))
				if err := verify(raw); err != nil {
					t.Errorf("%s: %v:\n%.1500s", name, err, raw)
				}
				if !bytes.Contains(raw, fmt.Appendf(nil, " t=%d;", m.At.Unix())) {
					t.Errorf("%s: not signed as of the message's time", name)
				}
				if !bytes.Equal(raw, bytesOf(t, renderAny(t, options, m))) || len(raw) >= Limit {
					t.Errorf("%s: the second try differs, or %d bytes", name, len(raw))
				}
				for _, header := range []string{"Subject: approved", "From: bob@example.org", "To: bob@example.org", "Reply-To: eve@example.org"} {
					if err := verify(append([]byte(header+"\r\n"), raw...)); err == nil {
						t.Errorf("%s: %q can be added", name, header)
					}
				}
				altered := bytes.Replace(raw, []byte("OwnMap"), []byte("OwnNap"), 1)
				if bytes.Equal(altered, raw) || verify(altered) == nil {
					t.Errorf("%s: a letter can be changed", name)
				}
			}
		}
	}
}

func TestDKIMMistakes(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, good, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]DKIM{
		"domain":       {Selector: "s", Key: pemOf(t, good)},
		"selector":     {Domain: "example.org", Key: pemOf(t, good)},
		"the selector": {Domain: "example.org", Selector: "s; d=evil.example", Key: pemOf(t, good)},
		"the key":      {Domain: "example.org", Selector: "s"},
		"no RSA":       {Domain: "example.org", Selector: "s", Key: state.NewSecret("-----BEGIN PRIVATE KEY-----\n" + canary)},
		"in PEM":       {Domain: "example.org", Selector: "s", Key: pemOf(t, odd)},
		"1024 bits":    {Domain: "example.org", Selector: "s", Key: pemOf(t, weak)},
	} {
		if _, err := New(Options{From: "ownmap@example.org", DKIM: d}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
