package main

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"

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
	return a.replace(setpriv, args, append(os.Environ(), "HOME="+owner.HomeDir, "STATE_DIRECTORY="+dir))
}
