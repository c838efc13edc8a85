package banner

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net"
	"net/netip"
)

// lookTLS speaks TLS with a port and has the same conversation inside. It is false
// when the port does not speak TLS. What stays the same is the version, the public
// key of the certificate (a new key is worth a look, a certificate renewed for the
// same key is not) and what is said inside.
func (t *taker) lookTLS(ctx context.Context, port netip.AddrPort) (voice, bool) {
	plain, ok := t.connect(ctx, port)
	if !ok {
		return voice{}, false
	}
	defer plain.Close()
	if !t.pace.take(ctx, costTLS) {
		return voice{}, false
	}
	v := voice{kind: "tls", sure: true}
	first := &firstBytes{Conn: plain}
	conn := tls.Client(first, clientConfig(func(state tls.ConnectionState) error {
		// Before the handshake ends, since a service that wants a certificate of ours ends it.
		v.parts = []string{tls.VersionName(state.Version)}
		if len(state.PeerCertificates) > 0 {
			key := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
			v.parts = append(v.parts, string(key[:]))
		}
		return nil
	}))
	handshake, cancel := context.WithTimeout(ctx, 2*t.Patience)
	defer cancel()
	if err := conn.HandshakeContext(handshake); err != nil {
		// Refused by alert: it speaks TLS, but not with us. Anything else is not TLS.
		return v, len(v.parts) > 0 || first.record()
	}
	inside := t.converse(ctx, conn, t.Patience, true)
	v.parts = append(append(v.parts, inside.kind), inside.parts...)
	v.sure = inside.sure || inside.silent()
	v.busy = inside.busy
	return v, true
}

// clientConfig speaks with as many services as crypto/tls can, and calls seen with
// what they are. No protocol is offered by ALPN: a service that knows others only
// would refuse.
func clientConfig(seen func(tls.ConnectionState) error) *tls.Config {
	var suites []uint16
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		suites = append(suites, suite.ID)
	}
	return &tls.Config{
		InsecureSkipVerify: true,             //nolint:gosec // the key is only compared with that of other nights; nothing said is trusted
		MinVersion:         tls.VersionTLS10, // old services have to be told apart as well
		CipherSuites:       suites,
		VerifyConnection:   seen,
	}
}

// firstBytes remembers how what a connection says begins.
type firstBytes struct {
	net.Conn
	said []byte
}

// Read implements net.Conn.
func (f *firstBytes) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if missing := 3 - len(f.said); missing > 0 {
		f.said = append(f.said, p[:min(n, missing)]...)
	}
	return n, err
}

// record says whether it began with a TLS record: an alert or a handshake.
func (f *firstBytes) record() bool { return len(f.said) == 3 && tlsRecord(f.said) }

// tlsRecord says whether bytes begin with a TLS record (RFC 8446, section 5.1).
func tlsRecord(said []byte) bool {
	return len(said) >= 3 && (said[0] == 21 || said[0] == 22) && said[1] == 3 && said[2] <= 4
}
