// Package templates holds what the reports look like: the embedded defaults, and what
// a directory of the user's puts in their place. It is a package of its own because an
// embedded file must lie below its package.
package templates

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"
)

// FS holds the built-in templates, each room's in a folder of its name: site for the
// static archive, web for the web page, email for the mail, short for short messages, shared for the pieces
// that several rooms use.
//
//go:embed email shared short site web
var FS embed.FS

// Set is where templates come from: a file of a directory goes before the built-in one
// of the same name. A broken file is told of, and the built-in one takes its place: a
// report always goes out. The zero Set is the built-in templates alone.
type Set struct {
	dir    string
	files  map[string]string // overrides that can be parsed, by name
	faults []error

	mu     sync.Mutex
	failed map[string]bool // what went wrong while pages were made
}

// New returns the templates with those of a directory in place of the built-in ones of
// the same name ("site/run.html"); an empty dir stands for none. What is wrong in the
// directory Faults tells.
func New(dir string) *Set {
	s := &Set{dir: dir, files: make(map[string]string)}
	if dir == "" {
		return s
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != ".":
			return fs.SkipDir
		case entry.IsDir() || !isTemplate(name):
			return nil
		}
		if err := s.override(name); err != nil {
			s.faults = append(s.faults, fmt.Errorf("%s/%s; the built-in one is used", strings.TrimSuffix(dir, "/"), placed(name, err)))
		}
		return nil
	})
	if err != nil {
		s.faults = append(s.faults, fmt.Errorf("templates: %w; the built-in ones are used", err))
	}
	return s
}

// placed returns an error with the file that it is in, and the line if the parser tells.
func placed(name string, err error) string {
	text := strings.TrimPrefix(err.Error(), "template: ")
	if strings.HasPrefix(text, name+":") {
		return text
	}
	return name + ": " + text
}

// isTemplate leaves editors' backups and notes alone.
func isTemplate(name string) bool {
	return slices.Contains([]string{".html", ".txt", ".css", ".js"}, path.Ext(name))
}

// override takes a file of the directory if it parses.
func (s *Set) override(name string) error {
	if _, err := fs.Stat(FS, name); err != nil {
		return errors.New("no built-in template has that name")
	}
	content, err := os.ReadFile(path.Join(s.dir, name))
	if err != nil {
		return err
	}
	text := string(content)
	switch path.Ext(name) {
	case ".html":
		_, err = htmltemplate.New(name).Funcs(htmlFuncs()).Parse(text)
	case ".txt":
		_, err = texttemplate.New(name).Funcs(textFuncs()).Parse(text)
	}
	if err == nil {
		s.files[name] = text
	}
	return err
}

// Faults returns what is wrong in the directory, each with file, line and what is used
// instead.
func (s *Set) Faults() []error { return s.faults }

// Failures returns what went wrong in the user's templates while pages were made, sorted.
// A page that could not be made by them was made by the built-in ones, and says so.
func (s *Set) Failures() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.failed))
}

func (s *Set) fail(notice string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = make(map[string]bool)
	}
	s.failed[notice] = true
}

// Notices returns the faults as a report tells them.
func (s *Set) Notices() []string {
	notices := make([]string, len(s.faults))
	for i, fault := range s.faults {
		notices[i] = "Template " + fault.Error() + "."
	}
	return notices
}

// File returns the bytes of a file that is no template: a stylesheet, a script.
func (s *Set) File(name string) ([]byte, error) {
	if text, found := s.files[name]; found {
		return []byte(text), nil
	}
	return fs.ReadFile(FS, name)
}
