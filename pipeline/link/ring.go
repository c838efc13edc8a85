package link

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"ownmap/pipeline/state"
)

// File is the name of the file of keys, in the state directory.
const File = "approval-keys"

// Ring is the keys of links to approve, in a file that nobody else may read. It reads the
// file whenever it is asked, so that what another process did to it holds at once. It is
// safe for concurrent use, also by several processes.
type Ring struct {
	path string
	now  func() time.Time
}

// New returns the ring of a state directory. Nothing is made before it is needed.
func New(dir string, now func() time.Time) *Ring {
	return &Ring{filepath.Join(dir, File), now}
}

// Path returns where the file is.
func (r *Ring) Path() string { return r.path }

// Keys returns the keys that are good, newest first; without a file there are none.
func (r *Ring) Keys() ([]Key, error) {
	keys, err := r.read()
	now := r.now()
	return slices.DeleteFunc(keys, func(k Key) bool { return !k.Until.IsZero() && !now.Before(k.Until) }), err
}

// Current returns the name of the key that signs new links. The first call makes it.
func (r *Ring) Current() (name string, err error) {
	keys, err := r.read()
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		if keys, err = r.begin(); err != nil {
			return "", err
		}
	}
	return keys[0].Name(), nil
}

// Rotate has a new key sign from now on. Each older one stays good until the time that
// until returns for it: when the last link that it signed is over. One whose time is over
// by then is thrown away, and its links are good for nothing. It returns the keys that
// there are now.
func (r *Ring) Rotate(until func(Key) time.Time) ([]Key, error) {
	unlock, err := r.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	old, err := r.read()
	if err != nil {
		return nil, err
	}
	now := r.now().UTC().Truncate(time.Second)
	var keep []Key
	for _, k := range old {
		if k.Until.IsZero() { // one that was the newest until now
			k.Until = until(k).UTC()
		} else if at := until(k).UTC(); at.Before(k.Until) {
			k.Until = at
		}
		if k.Until.After(now) {
			keep = append(keep, k)
		}
	}
	fresh, err := newKey(keep, now)
	if err != nil {
		return nil, err
	}
	keys := append([]Key{fresh}, keep...)
	return keys, r.replace(keys)
}

// Sealer makes the links of one message.
type Sealer struct {
	key   Key
	links state.ApprovalLinks
}

// Sealer returns what makes the links of a message. The error says that the key that is to
// sign them is not here: it was thrown away, or the message was decided upon on a machine
// with another file.
func (r *Ring) Sealer(links state.ApprovalLinks) (*Sealer, error) {
	keys, err := r.Keys()
	if err != nil {
		return nil, err
	}
	place := slices.IndexFunc(keys, func(k Key) bool { return k.Name() == links.Key })
	if place < 0 {
		return nil, fmt.Errorf("%s has no key %s: it was thrown away, or the message was decided upon on another machine, whose file this one needs too", r.path, links.Key)
	}
	return &Sealer{keys[place], links}, nil
}

// Token returns the token of ports of a host: the same for the same ones, in any order.
func (s *Sealer) Token(host int64, ports []state.Port) (string, error) {
	ports = slices.SortedFunc(slices.Values(ports), state.Port.Compare)
	return s.key.seal(state.LinkScope{Links: s.links.ID, Host: host, Ports: slices.Compact(ports), Expires: s.links.Expires})
}

// Open returns what a token approves. Whatever is wrong with it is state.ErrLinkGone; any
// other error is that of the file.
func (r *Ring) Open(token string) (state.LinkScope, error) {
	keys, err := r.Keys()
	if err != nil {
		return state.LinkScope{}, err
	}
	scope, ok := open(keys, token)
	if !ok || !r.now().Before(scope.Expires) {
		return state.LinkScope{}, state.ErrLinkGone
	}
	return scope, nil
}

// begin makes the file with its first key, unless somebody else just did.
func (r *Ring) begin() ([]Key, error) {
	fresh, err := newKey(nil, r.now().UTC().Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	temp, err := r.write([]Key{fresh})
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(temp) }()
	if err := os.Link(temp, r.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("keys of links: %w", err)
	}
	return r.read()
}

// replace puts other keys into the file, all of them or none.
func (r *Ring) replace(keys []Key) error {
	temp, err := r.write(keys)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, r.path); err != nil {
		return errors.Join(fmt.Errorf("keys of links: %w", err), os.Remove(temp))
	}
	dir, err := os.Open(filepath.Dir(r.path))
	if err != nil {
		return fmt.Errorf("keys of links: %w", err)
	}
	defer func() { _ = dir.Close() }()
	_ = dir.Sync() // not every file system can
	return nil
}

// write writes keys into a file beside the one that they are for.
func (r *Ring) write(keys []Key) (temp string, err error) {
	dir, err := r.dir()
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "."+File+"-*") // with mode 0600
	if err != nil {
		return "", fmt.Errorf("keys of links: %w", err)
	}
	_, err = f.Write(encode(keys))
	if err = errors.Join(err, give(f, dir), f.Sync(), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("keys of links: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// give makes a file that root wrote one of whom the folder belongs to: the service that
// reads it is not root.
func give(f *os.File, dir string) error {
	var stat unix.Stat_t
	if os.Geteuid() != 0 {
		return nil
	}
	if err := unix.Stat(dir, &stat); err != nil {
		return err
	}
	return f.Chown(int(stat.Uid), int(stat.Gid))
}

// lock lets one process at a time change the file. The lock is on the folder: there is no
// file of it that one user makes and another cannot open.
func (r *Ring) lock() (unlock func(), err error) {
	dir, err := r.dir()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("keys of links: %w", err)
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keys of links: lock %s: %w", dir, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// dir returns the folder of the file, and makes it.
func (r *Ring) dir() (string, error) {
	dir := filepath.Dir(r.path)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the archive in it is for others to read
		return "", fmt.Errorf("keys of links: %w", err)
	}
	return dir, nil
}
