package login

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"ownmap/pipeline/state"
)

// Accept writes host keys of a login into the first of its known_hosts files, which
// is returned: under its name and its address. With replace, what stood there for
// the host in plain words goes; else a key that is there already is left alone. The
// file is written anew and then takes the old one's place, with its mode and owner.
func (o *Opener) Accept(l state.Login, keys []ssh.PublicKey, replace bool) (file string, err error) {
	r, err := o.Resolve(l)
	if err != nil {
		return "", err
	}
	file = r.KnownHosts[0]
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real // the link stays
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return file, err
	}
	var names []string
	for _, name := range r.Names {
		names = append(names, knownhosts.Normalize(net.JoinHostPort(name, strconv.Itoa(int(r.Port)))))
	}
	var text strings.Builder
	for line := range strings.Lines(string(old)) {
		if !replace || !isOf(line, names) {
			text.WriteString(line)
		}
	}
	if text.Len() > 0 && !strings.HasSuffix(text.String(), "\n") {
		text.WriteByte('\n')
	}
	for _, key := range keys {
		if line := knownhosts.Line(names, key) + "\n"; !strings.Contains(text.String(), line) {
			text.WriteString(line)
		}
	}
	return file, rewrite(file, text.String())
}

// isOf says whether a line of known_hosts is of one of the names alone: hashed
// lines, patterns and lines with a marker are never taken away.
func isOf(line string, names []string) bool {
	hosts, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	if hosts == "" || strings.ContainsAny(hosts[:1], "#@|") {
		return false
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if !slices.Contains(names, host) {
			return false
		}
	}
	return true
}

// rewrite puts a text in the place of a file in one step.
func rewrite(file, text string) (err error) {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	mode, uid, gid := os.FileMode(0o600), -1, -1
	owner := dir
	if info, err := os.Stat(file); err == nil {
		mode, owner = info.Mode().Perm(), file
	}
	if info, err := os.Stat(owner); err == nil {
		if sys, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
			uid, gid = int(sys.Uid), int(sys.Gid)
		}
	}
	f, err := os.CreateTemp(dir, ".known_hosts-*")
	if err != nil {
		if errors.Is(err, os.ErrPermission) {
			return fmt.Errorf("write %s: user %s has no right to write in %s, and this file is written anew: name one in a folder of that user's in known_hosts, such as the state directory, and move the old one there", file, userName(), dir)
		}
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", file, err)
		}
	}()
	if _, err := f.WriteString(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(mode), f.Sync()); err != nil {
		return errors.Join(err, f.Close())
	}
	if uid >= 0 {
		if err := f.Chown(uid, gid); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// userName is who this process runs as.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Geteuid())
}
