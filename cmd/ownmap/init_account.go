package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is the user whom the units run OwnMap as.
type account struct {
	name     string
	uid, gid int
	groups   []uint32
	known    bool // to this machine
}

// serviceUser looks up an account, which packages make.
func serviceUser(name string) account {
	s := account{name: name}
	u, err := user.Lookup(name)
	if err != nil {
		return s
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	if errUID != nil || errGID != nil {
		return s
	}
	s.uid, s.gid, s.known = uid, gid, true
	groups, _ := u.GroupIds()
	for _, text := range groups {
		if id, err := strconv.ParseUint(text, 10, 32); err == nil {
			s.groups = append(s.groups, uint32(id))
		}
	}
	return s
}

// served says whether what is written here is written for the account: root writes for it,
// everybody else for themselves.
func (s account) served() bool { return s.known && os.Geteuid() == 0 }

// give hands a file to the group of the account, and to the given user.
func (s account) give(file *os.File, uid int) error {
	if !s.served() {
		return nil
	}
	return file.Chown(uid, s.gid)
}

// reads is an error, with its remedy, where the account could not read a file that root can.
// rights are the commands that give it to the account, in which FILE stands for the path.
func (s account) reads(ctx context.Context, path, rights string) error {
	if !s.served() {
		return nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, hidden := range []string{"/home/", "/root/", "/run/user/"} {
		if strings.HasPrefix(real, hidden) {
			return fmt.Errorf("%s: the units see nothing in %s (ProtectHome=): move it to a folder like /etc/ownmap", path, strings.TrimSuffix(hidden, "/"))
		}
	}
	switch {
	case s.may(ctx, "-r", real):
		return nil
	case !s.may(ctx, "-x", filepath.Dir(real)):
		return fmt.Errorf("user %s, whom the units run as, cannot get into %s: move the file to a folder like /etc/ownmap", s.name, filepath.Dir(real))
	}
	return fmt.Errorf("user %s, whom the units run as, cannot read %s: `%s`", s.name, path, strings.ReplaceAll(rights, "FILE", path))
}

// may asks the kernel, as the account, by test(1).
func (s account) may(ctx context.Context, how, path string) bool {
	cmd := exec.CommandContext(ctx, "test", how, path) //nolint:gosec // no shell
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.gid), Groups: s.groups}}
	return cmd.Run() == nil
}
