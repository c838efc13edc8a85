package site

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// place publishes in the folder itself, where it cannot be exchanged. New files are
// written at once, for nothing leads to them yet. Those that take the place of others
// wait until all are written and are then renamed, what pages need before the pages,
// and the index last: no page that a reader comes to is ever missing. For the moment
// of the renames the archive is of two states.
type place struct {
	dir   string
	old   *manifest
	own   func(name string) bool
	lies  listing
	begun bool
	wait  []string // names of files that are to be replaced
}

// begin invalidates the manifest: from here on the tree may differ from it.
func (p *place) begin() error {
	if p.begun {
		return nil
	}
	p.begun = true
	err := os.Rename(filepath.Join(p.dir, manifestFile), filepath.Join(p.dir, staleFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (p *place) path(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

func (p *place) create(name string) (*newFile, error) {
	if err := p.begin(); err != nil {
		return nil, err
	}
	if _, there := p.lies.files[name]; !there {
		return createFile(p.path(name))
	}
	if !p.own(name) {
		if err := os.Link(p.path(name), p.path(saved(name))); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	p.wait = append(p.wait, name)
	return createFile(p.path(name) + newSuffix)
}

func (p *place) publish(now *manifest) error {
	if err := p.begin(); err != nil {
		return err
	}
	slices.SortStableFunc(p.wait, func(a, b string) int { return cmp.Compare(turn(a), turn(b)) })
	for _, name := range p.wait {
		if err := os.Rename(p.path(name)+newSuffix, p.path(name)); err != nil {
			return err
		}
	}
	for name := range p.lies.files {
		if _, wanted := now.Files[name]; !wanted && p.own(name) && name != oldLock {
			if err := os.Remove(p.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := syncTree(p.dir); err != nil {
		return err
	}
	content, err := now.encode()
	if err != nil {
		return err
	}
	if err := writeFile(createBeside, filepath.Join(p.dir, manifestFile), content); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(p.dir, staleFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// turn is the order in which files are replaced.
func turn(name string) int {
	switch folder, _, _ := strings.Cut(name, "/"); folder {
	case "assets", "data":
		return 0
	case "run", "host":
		return 1
	case "index.html":
		return 3
	}
	return 2
}
