package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/load"
)

// home returns the state directory of a config. Where it is another user's and root called,
// it does not return: the process goes on as that user.
func (a *app) home(config load.Config) (string, error) {
	dir, err := load.StateDir(a.stateDir, config, a.env, os.Geteuid())
	if err != nil {
		return "", err
	}
	return dir, a.become(dir)
}

// become goes on as the user whose the state directory is, where root called: services run
// as that user, and could not write again what root wrote there. The process is replaced by
// setpriv(1) and then by itself, with the right to raw sockets where root has it; where that
// program is not there, root goes on as root.
func (a *app) become(dir string) error {
	uid, ok := ownerOf(dir)
	if a.replace == nil || os.Geteuid() != 0 || !ok || uid == 0 {
		return nil
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		return nil //nolint:nilerr // the private database says what is to be done
	}
	owner, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"setpriv", "--reuid=" + owner.Uid, "--regid=" + owner.Gid, "--init-groups"}
	if mayGiveRawSockets() {
		args = append(args, "--inh-caps=+net_raw", "--ambient-caps=+net_raw")
	}
	args = append(append(args, "--", self), os.Args[1:]...)
	return a.replace(setpriv, args, withVariables(os.Environ(), map[string]string{
		"HOME": owner.HomeDir, "USER": owner.Username, "LOGNAME": owner.Username, "STATE_DIRECTORY": dir,
		"SUDO_USER": a.author(), // as sudo says it: what is decided stays the decision of who called
	}))
}

// withVariables returns an environment with other values. The old ones go: of two the first
// would count.
func withVariables(environment []string, values map[string]string) []string {
	out := slices.DeleteFunc(slices.Clone(environment), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		_, other := values[name]
		return other
	})
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, name+"="+values[name])
	}
	return out
}

// asWhom is the hint for a file that may not be touched, where that depends on whose call it
// became: root's goes on as the user whose the state is.
func (a *app) asWhom(err error) string {
	u, unknown := user.Current()
	if !errors.Is(err, fs.ErrPermission) || a.env("SUDO_USER") == "" || os.Geteuid() == 0 || unknown != nil {
		return ""
	}
	return "this is done as user " + u.Username + ", who has to have the right to it; a file that only root can read reaches a command that reads `-` through a pipe"
}
