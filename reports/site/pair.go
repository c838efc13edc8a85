package site

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// errNoExchange says that two folders cannot be exchanged there.
var errNoExchange = errors.New("folders cannot be exchanged here")

// pair publishes by two trees: the one that readers see, and beside it, hidden, the one
// that they saw before. That one is brought up to date, by hard links to the files that
// both have and by new files, and then takes the place of the other in one step of the
// file system. Who reads the tree that was exchanged can do so until the next time.
type pair struct {
	live, next string
	old        *manifest // of the live tree
	own        func(name string) bool
	lies       listing // in the live tree
	exchange   func(a, b string) error

	begun   bool
	was     *manifest // of the next tree
	whole   bool      // it can be relied on
	there   listing   // in the next tree
	dirs    map[string]bool
	written map[string]bool
}

// begin makes the next tree ready. From here on nothing of its manifest counts, until
// it has a new one.
func (p *pair) begin() error {
	if p.begun {
		return nil
	}
	p.begun, p.dirs, p.written = true, make(map[string]bool), make(map[string]bool)
	if err := os.Mkdir(p.next, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	var err error
	if p.was, p.whole, err = readManifest(p.next); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(p.next, manifestFile), filepath.Join(p.next, staleFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.there, err = list(p.next, len(p.was.Files))
	for _, dir := range p.there.dirs {
		p.dirs[dir] = true
	}
	return err
}

func (p *pair) create(name string) (*newFile, error) {
	if err := p.begin(); err != nil {
		return nil, err
	}
	if err := p.folder(path.Dir(name)); err != nil {
		return nil, err
	}
	p.written[name] = true
	return createFile(filepath.Join(p.next, filepath.FromSlash(name)))
}

// folder makes a folder of the next tree, with the rights that it has in the live one.
func (p *pair) folder(name string) error {
	if name == "." || p.dirs[name] {
		return nil
	}
	if err := p.folder(path.Dir(name)); err != nil {
		return err
	}
	p.dirs[name] = true
	target := filepath.Join(p.next, filepath.FromSlash(name))
	if err := os.Mkdir(target, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return sameRights(filepath.Join(p.live, filepath.FromSlash(name)), target)
}

// sameRights gives a folder the mode and the owner of another, as far as we may: the
// rights that somebody gave the archive stay when it is exchanged.
func sameRights(from, to string) error {
	var was, is unix.Stat_t
	if err := unix.Stat(from, &was); err != nil {
		return nil //nolint:nilerr // there is none yet
	}
	if err := unix.Stat(to, &is); err != nil {
		return err
	}
	if was.Uid != is.Uid || was.Gid != is.Gid {
		_ = os.Chown(to, int(was.Uid), int(was.Gid))
	}
	if was.Mode != is.Mode {
		return unix.Chmod(to, was.Mode&0o7777)
	}
	return nil
}

// publish brings the next tree up to date and exchanges the two.
func (p *pair) publish(now *manifest) error {
	if err := p.begin(); err != nil {
		return err
	}
	for name, hash := range now.Files {
		if p.written[name] {
			continue
		}
		if _, there := p.there.files[name]; there && hash != "" && p.was.Files[name] == hash {
			continue
		}
		if err := p.link(name, name); err != nil {
			return err
		}
	}
	if err := p.carry(now); err != nil {
		return err
	}
	content, err := now.encode()
	if err != nil {
		return err
	}
	if err := writeFile(createFile, filepath.Join(p.next, manifestFile), content); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(p.next, staleFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := sameRights(p.live, p.next); err != nil {
		return err
	}
	if err := syncTree(p.next); err != nil {
		return err
	}
	if err := p.exchange(p.live, p.next); err != nil {
		return fmt.Errorf("%w: %w", errNoExchange, err)
	}
	return syncFolder(filepath.Dir(p.live))
}

// link gives the next tree a file of the live one, under a name.
func (p *pair) link(from, name string) error {
	if err := p.folder(path.Dir(name)); err != nil {
		return err
	}
	source, target := filepath.Join(p.live, filepath.FromSlash(from)), filepath.Join(p.next, filepath.FromSlash(name))
	if _, there := p.there.files[name]; there {
		if err := os.Remove(target); err != nil {
			return err
		}
	}
	err := os.Link(source, target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", errNoExchange, err)
	}
	return err
}

// carry takes over what somebody else put into the archive, and removes what has no
// place in it any more. What is in the next tree, and neither the archive's nor known,
// was put there in the moment before that tree was exchanged: it is not lost.
func (p *pair) carry(now *manifest) error {
	carried := make(map[string]bool)
	var others []string
	for name := range p.lies.files {
		if !p.own(name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	for _, name := range others {
		to := name
		if _, taken := now.Files[name]; taken {
			to = saved(name)
		}
		carried[to] = true
		if p.newer(name) && to == name {
			continue
		}
		if err := p.link(name, to); err != nil {
			return err
		}
	}
	for _, dir := range p.lies.dirs {
		if !ownFolder(dir) {
			if err := p.folder(dir); err != nil {
				return err
			}
		}
	}
	known := slices.Concat(p.old.Foreign, p.was.Foreign)
	own := ownNames()
	if p.whole {
		own = owner(p.was, true, p.there)
	}
	for name := range p.there.files {
		_, wanted := now.Files[name]
		switch {
		case wanted || carried[name] || p.written[name]:
		case own(name) || slices.Contains(known, name):
			if err := os.Remove(filepath.Join(p.next, filepath.FromSlash(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		default:
			carried[name] = true
		}
	}
	now.Foreign = slices.Sorted(maps.Keys(carried))
	return p.sweep()
}

// newer says whether the next tree has a later version of somebody else's file than the
// live one: then that was written in the moment before the exchange.
func (p *pair) newer(name string) bool {
	if _, there := p.there.files[name]; !there {
		return false
	}
	live, err := os.Lstat(filepath.Join(p.live, filepath.FromSlash(name)))
	if err != nil {
		return false
	}
	next, err := os.Lstat(filepath.Join(p.next, filepath.FromSlash(name)))
	return err == nil && (os.SameFile(live, next) || next.ModTime().After(live.ModTime()))
}

// sweep removes empty folders that the live tree does not have.
func (p *pair) sweep() error {
	for _, dir := range slices.Backward(p.there.dirs) {
		if slices.Contains(p.lies.dirs, dir) || ownFolder(dir) {
			continue
		}
		err := os.Remove(filepath.Join(p.next, filepath.FromSlash(dir)))
		if err != nil && !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
