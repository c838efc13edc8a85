package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// A tree of the archive says in a hidden file what it is made from. While it is being
// changed that file has the other name, and nothing of it counts but what cannot be
// found out again: which runs were pruned.
const (
	manifestFile = ".manifest"
	staleFile    = ".manifest.stale"
)

// manifestFormat is raised when an older manifest can no longer be read.
const manifestFormat = 1

// manifest is what a tree is made from.
type manifest struct {
	Format  int
	Version string            // of all that goes into every page: templates, brand, program
	Mark    state.Mark        // of the source, when the pages of hosts were made
	Runs    map[int64]record  // that have a page
	Changed *changedRun       // the last run in which something changed
	Listed  string            // hash of the runs, when the lists were made
	Foreign []string          // files that somebody else put there
	Files   map[string]string `json:",omitempty"` // by name, the hash of what each is made from
}

// record is what the archive goes on telling of a run when its page is pruned.
type record struct {
	Key     string // which run that is, for a database that was made anew
	Verdict string
	Mood    string // in words
	Counts  string // of changes by severity
	Pruned  bool
}

// changedRun is what the index tells of the last run in which something changed.
type changedRun struct {
	Key     string
	Run     state.Run
	Changes []piece.HostChanges
	More    string
}

func newManifest(version string) *manifest {
	return &manifest{Format: manifestFormat, Version: version, Runs: make(map[int64]record), Files: make(map[string]string)}
}

// readManifest returns the manifest of a tree. whole is false for a tree that was being
// changed when its builder died, that an earlier OwnMap made, or that is none: then
// nothing is known of its files.
func readManifest(dir string) (m *manifest, whole bool, err error) {
	for _, name := range []string{manifestFile, staleFile} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		if m = decodeManifest(string(content)); m == nil {
			continue
		}
		if name == manifestFile {
			return m, true, nil
		}
		m.Files, m.Mark, m.Version = make(map[string]string), "", ""
		return m, false, nil
	}
	return newManifest(""), false, nil
}

// A manifest is a line of JSON, and a line for each file: its hash, a space, its name.
// JSON alone takes ten times as long for tens of thousands of files.

// decodeManifest returns nil for what is no manifest, or cannot be read any more.
func decodeManifest(content string) *manifest {
	m := newManifest("")
	head, lines, _ := strings.Cut(content, "\n")
	if json.Unmarshal([]byte(head), m) != nil || m.Format != manifestFormat {
		return nil
	}
	if lines != "" {
		m.Files = make(map[string]string, strings.Count(lines, "\n"))
	}
	for line := range strings.Lines(lines) {
		hash, name, found := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !found {
			return nil
		}
		m.Files[name] = hash
	}
	return m
}

// head is the line of JSON.
func (m *manifest) head() ([]byte, error) {
	head := *m
	head.Files = nil
	content, err := json.Marshal(head)
	return append(content, '\n'), err
}

// encode returns the same bytes for the same manifest: everything is in order.
func (m *manifest) encode() ([]byte, error) {
	content, err := m.head()
	if err != nil {
		return nil, err
	}
	content = slices.Grow(content, 64*len(m.Files))
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		content = append(content, m.Files[name]...)
		content = append(content, ' ')
		content = append(content, name...)
		content = append(content, '\n')
	}
	return content, nil
}

// same says whether two manifests are of the same bytes, without the making of them.
func (m *manifest) same(other *manifest) (bool, error) {
	a, err := m.head()
	if err != nil {
		return false, err
	}
	b, err := other.head()
	return bytes.Equal(a, b) && maps.Equal(m.Files, other.Files), err
}

// sameFiles says whether two manifests have files of the same names.
func (m *manifest) sameFiles(other *manifest) bool {
	if len(m.Files) != len(other.Files) {
		return false
	}
	for name := range m.Files {
		if _, found := other.Files[name]; !found {
			return false
		}
	}
	return true
}

// digest makes the hash of what something is made from.
type digest struct{ hash.Hash }

func newDigest(parts ...string) digest {
	d := digest{sha256.New()}
	for _, part := range parts {
		_, _ = io.WriteString(d, part)
		_, _ = d.Write([]byte{0})
	}
	return d
}

// sum is half of a SHA-256: enough that no two inputs ever share it.
func (d digest) sum() string { return shortened(d.Sum(nil)) }

func shortened(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:16]) }

// hashOfBytes returns the hash of a file's bytes.
func hashOfBytes(content []byte) string {
	sum := sha256.Sum256(content)
	return shortened(sum[:])
}

// hashOf returns the hash of what something is made from: its kind and its view, as JSON.
func hashOf(version, kind string, v any) (string, error) {
	d := newDigest(version, kind)
	encoder := json.NewEncoder(d)
	encoder.SetEscapeHTML(false) // nobody reads it
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return d.sum(), nil
}
