package private

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// account is the user that the server runs as.
type account struct {
	name     string
	uid, gid int
	drop     bool // root starts it: children and file work take on the user's rights
}

// serverAccount chooses the server's user: whoever starts it, but for root the
// owner of pg, and on the first start ownmap, else postgres. Never nobody, whom
// other services share.
func serverAccount(ctx context.Context, pg string) (account, error) {
	if euid := os.Geteuid(); euid != 0 {
		name, err := userName(ctx, euid)
		return account{name: name, uid: euid, gid: os.Getegid()}, err
	}
	candidates := []string{"ownmap", "postgres"}
	if info, err := os.Lstat(pg); err == nil && owner(info) != 0 {
		u, err := user.LookupId(strconv.Itoa(owner(info)))
		if err != nil {
			return account{}, fmt.Errorf("%w: %s belongs to uid %d, which has no name here; give that user one in /etc/passwd", ErrNoUser, pg, owner(info))
		}
		candidates = []string{u.Username}
	}
	for _, name := range candidates {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil || uid == 0 {
			continue
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			continue
		}
		return account{name: name, uid: uid, gid: gid, drop: true}, nil
	}
	return account{}, fmt.Errorf("%w: PostgreSQL refuses to run as root, and there is no user ownmap or postgres: create one with `useradd --system ownmap`", ErrNoUser)
}

// userName returns the name that peer authentication will know the user by.
func userName(ctx context.Context, uid int) (string, error) {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username, nil
	}
	// A directory service's user is not in /etc/passwd, where a static binary looks.
	out, err := exec.CommandContext(ctx, "id", "-un").Output()
	if err != nil {
		return "", fmt.Errorf("%w: uid %d has no name here, which PostgreSQL needs: give it one in /etc/passwd", ErrNoUser, uid)
	}
	return strings.TrimSpace(string(out)), nil
}

// process returns the attributes of the server's processes: in a session of
// their own, out of reach of a Ctrl-C meant for OwnMap, and as the server's user.
func (a account) process() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}

// do runs f with the rights of the server's user, so that root never touches
// what that user could have put in its way.
func (a account) do(f func() error) error {
	if !a.drop {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		// The rights belong to the thread. One that does not get its own back stays
		// locked, so that it dies with this goroutine and serves nobody else. That is
		// the exception: the kernel kills the children of a thread that dies, if they
		// asked for it (PR_SET_PDEATHSIG in prctl(2)).
		runtime.LockOSThread()
		groups, err := unix.Getgroups()
		if err != nil {
			done <- err
			return
		}
		err = assume(a.uid, a.gid, nil)
		if err == nil {
			err = f()
		}
		if assume(os.Geteuid(), os.Getegid(), groups) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// assume gives the thread, which is locked, the rights of a user on files.
func assume(uid, gid int, groups []int) error {
	// The system calls that set fsuid and fsgid say what was before, never that they
	// failed.
	err := errors.Join(unix.Setgroups(groups), unix.Setfsgid(gid), unix.Setfsuid(uid))
	isUID, _ := unix.SetfsuidRetUid(-1)
	isGID, _ := unix.SetfsgidRetGid(-1)
	if err == nil && (isUID != uid || isGID != gid) {
		err = fmt.Errorf("%w: cannot take on the rights of uid %d, gid %d", ErrAccess, uid, gid)
	}
	return err
}

// owner returns the uid that a file belongs to.
func owner(info os.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}
