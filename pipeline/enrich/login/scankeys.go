package login

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"ownmap/pipeline/state"
)

// errSeen ends a handshake that was only made to see the host key.
var errSeen = errors.New("host key seen")

// ScanKeys returns the host keys that a host shows, one of each kind, without
// logging in. The error is an *Error.
func (o *Opener) ScanKeys(ctx context.Context, l state.Login) ([]ssh.PublicKey, error) {
	r, err := o.Resolve(l)
	if err != nil {
		return nil, err
	}
	var keys []ssh.PublicKey
	var first error
	for _, kinds := range [][]string{
		{ssh.KeyAlgoED25519},
		{ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521},
		{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256},
	} {
		key, err := o.scanKey(ctx, r, kinds)
		switch {
		case err == nil:
			keys = append(keys, key)
		case !strings.Contains(err.Error(), "no common algorithm"):
			first = cmp.Or(first, err)
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	return nil, cmp.Or(first, error(&Error{Reason: state.SSHFault, Detail: "no kind of host key in common", Err: errSeen}))
}

func (o *Opener) scanKey(ctx context.Context, r Resolved, kinds []string) (ssh.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, o.options.Handshake)
	defer cancel()
	through := &Conn{}
	defer through.Close()
	for _, hop := range r.Jump {
		client, err := o.hop(ctx, through, hop)
		if err != nil {
			return nil, throughJump(err, hop, r)
		}
		through.chain, through.client = append(through.chain, client), client
	}
	wire, err := dial(ctx, through, r.dial())
	if err != nil {
		return nil, dialError(ctx, err)
	}
	defer context.AfterFunc(ctx, func() { _ = wire.Close() })()
	defer func() { _ = wire.Close() }()
	var seen ssh.PublicKey
	ear := &listener{Conn: wire}
	_, _, _, err = ssh.NewClientConn(ear, r.dial(), &ssh.ClientConfig{
		User: r.User, ClientVersion: clientVersion, HostKeyAlgorithms: kinds,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			seen = key
			return errSeen
		},
	})
	if seen != nil {
		return seen, nil
	}
	return nil, handshakeError(ctx, cmp.Or(err, errSeen), &hostKeys{}, &signers{}, ear)
}

// Standing says how keys stand to the known_hosts files of a login: each is
// "known", "unknown" or "changed".
func (o *Opener) Standing(l state.Login, keys []ssh.PublicKey) ([]string, error) {
	r, err := o.Resolve(l)
	if err != nil {
		return nil, err
	}
	known, err := readKnownHosts(r)
	if err != nil {
		return nil, err
	}
	list := make([]string, len(keys))
	for i, key := range keys {
		var e *Error
		switch err := known.judge(&net.TCPAddr{}, key); {
		case err == nil:
			list[i] = "known"
		case errors.As(err, &e) && e.Reason == state.SSHKeyChanged && slices.ContainsFunc(known.algorithms(), func(a string) bool { return sameKind(a, key.Type()) }):
			list[i] = "changed"
		default:
			list[i] = "unknown" // perhaps a key of another kind than the known one
		}
	}
	return list, nil
}

// sameKind says whether a signature algorithm is one of keys of a type: there are
// three for RSA.
func sameKind(algorithm, keyType string) bool {
	return algorithm == keyType || keyType == ssh.KeyAlgoRSA && strings.HasPrefix(algorithm, "rsa-sha2-")
}
