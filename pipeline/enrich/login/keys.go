package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ownmap/pipeline/state"
)

// maxKeys is how many keys are offered: servers hang up after six tries
// (sshd_config(5), MaxAuthTries).
const maxKeys = 5

// signers are the keys of a login: those of files first, then the agent's.
type signers struct {
	list    []ssh.Signer
	names   []string // of each
	skipped []string // files that could not be used, and why
	agent   io.Closer
}

func (s *signers) close() {
	if s.agent != nil {
		_ = s.agent.Close()
	}
}

func (s *signers) all() ([]ssh.Signer, error) { return s.list, nil }

// tried says which keys were offered and which could not be.
func (s *signers) tried() string {
	return strings.Join(append(slices.Clone(s.names), s.skipped...), ", ")
}

// signers gathers the keys of a login. Without any it fails with state.SSHNoKeys.
func (o *Opener) signers(ctx context.Context, r Resolved) (*signers, error) {
	s := &signers{}
	var locked []ssh.PublicKey // keys of files that only the agent can use
	for _, file := range r.KeyFiles {
		signer, err := readKey(file)
		if err != nil {
			s.skipped = append(s.skipped, "not "+file+" ("+err.Error()+")")
			if public, err := readPublic(file + ".pub"); err == nil {
				locked = append(locked, public)
			}
			continue
		}
		s.add(signer, file)
	}
	if r.Agent && o.options.AgentSocket != "" {
		s.ask(ctx, o.options.AgentSocket, locked)
	}
	if len(s.list) == 0 {
		detail := "no key file and no agent"
		if len(s.skipped) > 0 {
			detail = strings.Join(s.skipped, ", ")
		}
		s.close()
		return nil, &Error{Reason: state.SSHNoKeys, Detail: state.Clean(detail), Err: errors.New("no key")}
	}
	if len(s.list) > maxKeys {
		s.list, s.names = s.list[:maxKeys], s.names[:maxKeys]
	}
	return s, nil
}

func (s *signers) add(signer ssh.Signer, name string) {
	blob := string(signer.PublicKey().Marshal())
	if slices.ContainsFunc(s.list, func(t ssh.Signer) bool { return string(t.PublicKey().Marshal()) == blob }) {
		return
	}
	s.list, s.names = append(s.list, signer), append(s.names, name)
}

// ask adds the keys of the agent; those that belong to files of the login come
// before the others.
func (s *signers) ask(ctx context.Context, socket string, first []ssh.PublicKey) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		s.skipped = append(s.skipped, "not the agent ("+err.Error()+")")
		return
	}
	s.agent = conn
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	found, err := agent.NewClient(conn).Signers()
	if err != nil {
		s.skipped = append(s.skipped, "not the agent ("+err.Error()+")")
		return
	}
	rank := func(k ssh.Signer) int {
		if slices.ContainsFunc(first, func(p ssh.PublicKey) bool { return string(p.Marshal()) == string(k.PublicKey().Marshal()) }) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(found, func(a, b ssh.Signer) int { return rank(a) - rank(b) })
	for _, signer := range found {
		s.add(signer, "the agent's "+ssh.FingerprintSHA256(signer.PublicKey()))
	}
}

// readKey reads a private key, with the certificate that lies beside it.
func readKey(file string) (ssh.Signer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	var passphrase *ssh.PassphraseMissingError
	if errors.As(err, &passphrase) {
		return nil, errors.New("it has a passphrase: put it into the agent")
	}
	if err != nil {
		return nil, err
	}
	public, err := readPublic(file + "-cert.pub")
	if err != nil {
		return signer, nil //nolint:nilerr // no certificate is the usual case
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok {
		return signer, nil
	}
	certified, err := ssh.NewCertSigner(certificate, signer)
	if err != nil {
		return nil, fmt.Errorf("%s-cert.pub: %w", file, err)
	}
	return certified, nil
}

func readPublic(file string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return key, err
}
