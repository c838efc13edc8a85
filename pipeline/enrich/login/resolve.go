package login

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// defaultPort is where SSH servers listen (RFC 4253, 4).
const defaultPort = 22

// systemKnownHosts is the known_hosts file of all users (ssh(1)).
const systemKnownHosts = "/etc/ssh/ssh_known_hosts"

// Resolve fills in what a login leaves open: from ~/.ssh/config if it says so, else
// as ssh(1) does. The host to connect to stays the address of the login. The error
// is an *Error.
func (o *Opener) Resolve(l state.Login) (Resolved, error) {
	r := Resolved{
		Host: l.Address.String(), Port: l.Port, User: l.User, KeyFiles: l.KeyFiles, Agent: l.Agent, KnownHosts: l.KnownHosts,
	}
	if l.Name != "" {
		r.Names = append(r.Names, l.Name)
	}
	jumps := l.Jump
	var config *userConfig
	if l.UserConfig {
		var err error
		if config, err = readUserConfig(o.options.Home, o.options.User); err != nil {
			return r, newError(state.SSHFault, err)
		}
		found, err := config.lookUp(cmp.Or(l.Name, r.Host), l.User)
		if err != nil {
			return r, newError(state.SSHFault, err)
		}
		r.fill(found)
		if len(jumps) == 0 {
			jumps = found.jump
		}
	}
	r.Names = append(r.Names, r.Host)
	o.defaults(&r)
	for _, jump := range jumps {
		hop, err := o.resolveJump(jump, r, config)
		if err != nil {
			return r, err
		}
		r.Jump = append(r.Jump, hop)
	}
	return r, nil
}

// fill takes over what ~/.ssh/config says and the login leaves open.
func (r *Resolved) fill(found hostConfig) {
	r.User, r.Port = cmp.Or(r.User, found.user), cmp.Or(r.Port, found.port)
	if len(r.KeyFiles) == 0 {
		r.KeyFiles = found.keyFiles
	}
	if len(r.KnownHosts) == 0 {
		r.KnownHosts = found.knownHosts
	}
	for _, name := range []string{found.alias, found.hostName} {
		if name != "" && !slices.Contains(r.Names, name) {
			r.Names = append(r.Names, name)
		}
	}
}

func (o *Opener) defaults(r *Resolved) {
	r.User, r.Port = cmp.Or(r.User, o.options.User), cmp.Or(r.Port, defaultPort)
	dir := filepath.Join(o.options.Home, ".ssh")
	if len(r.KeyFiles) == 0 {
		for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
			if file := filepath.Join(dir, name); exists(file) {
				r.KeyFiles = append(r.KeyFiles, file)
			}
		}
	}
	if len(r.KnownHosts) == 0 {
		r.KnownHosts = []string{filepath.Join(dir, "known_hosts"), systemKnownHosts}
	}
}

// resolveJump reads "[user@]host[:port]". A jump host has the keys of the login
// unless ~/.ssh/config has others for it.
func (o *Opener) resolveJump(text string, of Resolved, config *userConfig) (Resolved, error) {
	user, rest, found := strings.Cut(text, "@")
	if !found {
		user, rest = "", text
	}
	host, port, err := splitPort(rest)
	if err != nil || host == "" {
		return Resolved{}, newError(state.SSHJumpFailed, fmt.Errorf("%q is no jump host: write [user@]host[:port]", text))
	}
	hop := Resolved{Names: []string{host}, Host: host, Port: port, User: user, Agent: of.Agent}
	if config != nil {
		found, err := config.lookUp(host, user)
		if err != nil {
			return Resolved{}, newError(state.SSHFault, err)
		}
		hop.fill(found)
		if found.hostName != "" {
			hop.Host = found.hostName
		}
	}
	if len(hop.KeyFiles) == 0 {
		hop.KeyFiles = of.KeyFiles
	}
	if len(hop.KnownHosts) == 0 {
		hop.KnownHosts = of.KnownHosts
	}
	hop.User = cmp.Or(hop.User, of.User)
	o.defaults(&hop)
	return hop, nil
}

// splitPort parts host and port; the port may be missing and is 0 then.
func splitPort(text string) (host string, port uint16, err error) {
	if host := strings.Trim(text, "[]"); isAddress(host) {
		return host, 0, nil
	}
	if !strings.Contains(text, ":") {
		return text, 0, nil
	}
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		return "", 0, errors.New("no port")
	}
	return host, uint16(n), nil
}
