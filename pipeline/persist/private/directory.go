package private

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// maxSocketPath is the longest path of a Unix socket, without its final NUL, see
// unix(7).
const maxSocketPath = 107

// stateDir makes the state directory if it is missing and refuses one that is
// not the caller's alone. The path returned is absolute and free of links.
func stateDir(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // the server's user must pass through
		return "", fmt.Errorf("%w: state directory: %w; name another with --state-dir", ErrAccess, err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", fmt.Errorf("%w: state directory: %w; name another with --state-dir", ErrAccess, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("state directory: %w", err)
	}
	switch euid := os.Geteuid(); {
	case !info.IsDir():
		return "", fmt.Errorf("%w: state directory %s is not a directory; name another with --state-dir", ErrAccess, dir)
	case owner(info) != euid:
		return "", fmt.Errorf("%w: state directory %s belongs to %s, not to uid %d: run ownmap as that user%s, or name another with --state-dir", ErrAccess, dir, describeUser(owner(info)), euid, become(owner(info), euid))
	case info.Mode()&0o022 != 0:
		return "", fmt.Errorf("%w: state directory %s is writable by others: `chmod go-w %s`", ErrAccess, dir, dir)
	case euid == 0 && info.Mode()&0o001 == 0: // root's umask was 077
		return dir, os.Chmod(dir, info.Mode().Perm()|0o011)
	}
	return dir, nil
}

// prepare chooses the server's user, gives it its two directories and makes sure
// that it can get there.
func (s *Server) prepare(ctx context.Context) error {
	var err error
	if s.account, err = serverAccount(ctx, s.path("pg")); err != nil {
		return err
	}
	if err := s.account.do(func() error { return reach(s.dir, s.account.name) }); err != nil {
		return err
	}
	s.socket = s.path("run")
	long := len(s.socket)+len("/.s.PGSQL.5432") > maxSocketPath
	if long || strings.Contains(s.socket, ",") { // PostgreSQL and pgx split at commas
		sum := sha256.Sum256([]byte(s.dir))
		s.socket = fmt.Sprintf("/tmp/ownmap-%d-%x", s.account.uid, sum[:8])
	}
	if err := s.give(s.path("pg")); err != nil {
		return err
	}
	if s.socket == s.path("run") {
		return s.give(s.socket)
	}
	if err := s.account.do(func() error { return secluded(s.socket, s.account.uid) }); err != nil {
		return fmt.Errorf("%w: %s is too long for a Unix socket, and instead of it %w; name a shorter --state-dir", ErrAccess, s.dir, err)
	}
	return nil
}

// give makes a directory of the state directory and hands it to the server's user.
func (s *Server) give(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	// A directory still root's own was made by a program killed right here.
	if s.account.drop && info.IsDir() && owner(info) == 0 {
		return os.Lchown(path, s.account.uid, s.account.gid)
	}
	if !info.IsDir() || owner(info) != s.account.uid {
		return fmt.Errorf("%w: %s should be a directory of user %s, who runs the database, but belongs to uid %d", ErrAccess, path, s.account.name, owner(info))
	}
	return nil
}

// secluded makes a directory in a place open to all, and refuses one that somebody
// else could have made or can enter. The sticky bit of /tmp keeps it in place.
func secluded(path string, uid int) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() || owner(info) != uid || info.Mode().Perm() != 0o700 {
		return errors.New(path + " is not a private directory of uid " + strconv.Itoa(uid))
	}
	return nil
}

// reach tries each directory on the way to dir, as the server's user.
func reach(dir, name string) error {
	for i := 1; i <= len(dir); i++ {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		if _, err := os.Stat(dir[:i] + "/."); err != nil {
			return fmt.Errorf("%w: user %s, who runs the database, cannot pass through %s to %s: `chmod o+x %s`, or name another --state-dir such as /var/lib/ownmap", ErrAccess, name, dir[:i], dir, dir[:i])
		}
	}
	return nil
}

// describeUser names a user as people know it.
func describeUser(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username + " (uid " + u.Uid + ")"
	}
	return "uid " + strconv.Itoa(uid)
}

// become says to root how to run OwnMap as a user.
func become(uid, euid int) string {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil || euid != 0 {
		return ""
	}
	return " (`runuser -u " + u.Username + " -- ownmap ...`)"
}
