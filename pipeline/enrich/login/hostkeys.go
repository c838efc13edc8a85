package login

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	cryptohosts "golang.org/x/crypto/ssh/knownhosts"

	"ownmap/pipeline/state"
)

// hostKeys checks the host key of one login against the known_hosts files. It holds
// the names under which they may have the host.
type hostKeys struct {
	db    *knownhosts.HostKeyDB
	names []string // host:port
	err   error    // why the key was refused
}

// readKnownHosts reads the known_hosts files of a login. Those that are missing are
// empty; one that cannot be read to its last line is no ground to trust anybody.
func readKnownHosts(r Resolved) (*hostKeys, error) {
	h := &hostKeys{}
	for _, name := range r.Names {
		h.names = append(h.names, net.JoinHostPort(name, strconv.Itoa(int(r.Port))))
	}
	var files []string
	for _, file := range r.KnownHosts {
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			files = append(files, file)
		}
	}
	var err error
	if h.db, err = knownhosts.NewDB(files...); err != nil {
		return nil, &Error{Reason: state.SSHKeyUnknown, Detail: state.Clean("known_hosts cannot be read: " + strings.TrimPrefix(err.Error(), "knownhosts: ")), Err: err}
	}
	return h, nil
}

// algorithms returns the kinds of keys that are known of the host, so that it shows
// one of them; nil if none is.
func (h *hostKeys) algorithms() []string {
	var list []string
	for _, name := range h.names {
		for _, algorithm := range h.db.HostKeyAlgorithms(name) {
			if !slices.Contains(list, algorithm) {
				list = append(list, algorithm)
			}
		}
	}
	return list
}

// check is an ssh.HostKeyCallback. One name under which the key is known is enough;
// a key that is known under none, while another one is, has changed.
func (h *hostKeys) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	h.err = h.judge(remote, key)
	return h.err
}

func (h *hostKeys) judge(remote net.Addr, key ssh.PublicKey) error {
	shown := "it shows " + key.Type() + " " + ssh.FingerprintSHA256(key)
	callback := h.db.HostKeyCallback()
	var known []cryptohosts.KnownKey
	var other error
	for _, name := range h.names {
		err := callback(name, remote, key)
		var wrong *cryptohosts.KeyError
		var revoked *cryptohosts.RevokedError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &revoked):
			return &Error{Reason: state.SSHKeyChanged, Detail: fmt.Sprintf("%s, which is revoked at %s:%d", shown, revoked.Revoked.Filename, revoked.Revoked.Line), Err: err}
		case errors.As(err, &wrong):
			known = append(known, wrong.Want...)
		default:
			other = err
		}
	}
	switch {
	case len(known) > 0:
		return &Error{
			Reason: state.SSHKeyChanged, Err: errors.New("host key mismatch"),
			Detail: state.Clean(fmt.Sprintf("%s, and %s:%d has %s", shown, known[0].Filename, known[0].Line, ssh.FingerprintSHA256(known[0].Key))),
		}
	case other != nil: // a certificate for another name, or that is over
		return &Error{Reason: state.SSHKeyUnknown, Detail: state.Clean(shown + ": " + other.Error()), Err: other}
	}
	return &Error{
		Reason: state.SSHKeyUnknown, Err: errors.New("host key unknown"),
		Detail: state.Clean(shown + "; compare it and then run `ownmap hostkeys accept " + h.host() + "`"),
	}
}

func (h *hostKeys) host() string {
	host, _, err := net.SplitHostPort(h.names[0])
	if err != nil {
		return h.names[0]
	}
	return host
}
