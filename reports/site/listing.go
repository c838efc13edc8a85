package site

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// listing is what lies in a tree.
type listing struct {
	files map[string]fs.FileMode // of everything that is no folder: its type
	dirs  []string               // outer ones first
}

// list returns what lies in a folder, about so many files, less the manifest.
func list(dir string, about int) (listing, error) {
	l := listing{files: make(map[string]fs.FileMode, about)}
	return l, l.add(dir, "")
}

// add adds what lies in a folder of the tree, whose name ends with a slash.
func (l *listing) add(root, folder string) error {
	f, err := os.Open(filepath.Join(root, filepath.FromSlash(folder)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	entries, err := f.ReadDir(-1) // in no order
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	for _, entry := range entries {
		name := folder + entry.Name()
		switch {
		case name == manifestFile || name == staleFile:
		case entry.IsDir():
			l.dirs = append(l.dirs, name)
			if err := l.add(root, name+"/"); err != nil {
				return err
			}
		default:
			l.files[name] = entry.Type()
		}
	}
	return nil
}

// ownNames returns what says whether a file is called as one of the archive's, or is a
// lock that an earlier version left.
func ownNames() func(name string) bool {
	pattern := regexp.MustCompile(`^(index|(hosts|unapproved|runs)(-\d+)?|run/\d+|host/[0-9a-f]{2}/\d+)\.html(\.new)?$` +
		`|^(atom\.xml|data/\d+\.[a-z]+|assets/(ownmap\.css|ownmap\.js|brand\.css|logo\.(png|svg)|index(-\d+)?\.js))(\.new)?$`)
	return func(name string) bool { return name == oldLock || pattern.MatchString(name) }
}

// ownFolder says whether a folder is one of the archive's.
func ownFolder(name string) bool {
	switch name {
	case "assets", "data", "host", "run":
		return true
	}
	return path.Dir(name) == "host" && len(path.Base(name)) == 2
}

// owner tells the files of the archive from those that somebody else put there: by its
// manifest where that is whole, by their names in any other archive of OwnMap's. In a
// folder that was none before, everything is somebody else's.
func owner(m *manifest, whole bool, l listing) func(name string) bool {
	named := ownNames()
	if whole {
		return func(name string) bool {
			_, own := m.Files[name]
			return own || strings.HasSuffix(name, newSuffix) && named(name)
		}
	}
	_, styled := l.files["assets/ownmap.css"]
	_, locked := l.files[oldLock]
	if styled || locked {
		return named
	}
	return func(string) bool { return false }
}

// saved is how a file of somebody else's is called whose place the archive needs.
func saved(name string) string { return name + ".before-ownmap" }
