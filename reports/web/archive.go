package web

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// archivePolicy is what the pages of the archive say of themselves, and that nobody may
// frame them.
const archivePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// archive answers with a file of the static archive. Its folder is opened for each
// request, for a new edition takes the place of the old folder, and nothing outside of it
// can be reached: no link leads out, and what begins with a dot is not told of.
func (s *server) archive(w http.ResponseWriter, r *http.Request) error {
	if s.Archive == "" {
		return missing("There is no archive.")
	}
	name := r.PathValue("path")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	if !fs.ValidPath(name) || slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.HasPrefix(part, ".") }) {
		return missing("There is no such page in the archive.")
	}
	root, err := os.OpenRoot(s.Archive)
	if errors.Is(err, fs.ErrNotExist) {
		return missing("The archive is not written yet: the first run does that.")
	}
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	file, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0) // without waiting for who writes into a pipe
	if err != nil {
		return missing("There is no such page in the archive.") // nor anything that a link leads out to
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return missing("There is no such page in the archive.")
	}
	unhurried(w, streamLimit)
	header := w.Header()
	header.Set("Content-Security-Policy", archivePolicy)
	header.Set("Content-Type", archiveType(name))
	header.Set("Cache-Control", "private, no-cache")
	header.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	http.ServeContent(w, r, "", info.ModTime(), io.NewSectionReader(file, 0, info.Size()))
	return nil
}

// archiveBegin leads to the first page of the archive.
func (s *server) archiveBegin(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, s.base+"/archive/", http.StatusSeeOther)
	return nil
}

// archiveType is the media type of a file of the archive, whatever this machine calls it.
func archiveType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html", ".css", ".js":
		return map[string]string{".html": "text/html", ".css": "text/css", ".js": "text/javascript"}[ext] + "; charset=utf-8"
	case ".xml":
		return "application/atom+xml"
	case ".json":
		return "application/json"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".pdf":
		return "application/pdf"
	case ".png", ".jpg", ".jpeg", ".gif", ".webp":
		return mime.TypeByExtension(ext)
	}
	return "application/octet-stream"
}
