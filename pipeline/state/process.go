package state

import (
	"crypto/sha256"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Process is what stands behind a listener, as the host's kernel and package
// database tell it. All texts are cleaned. Its PID and command line are no part
// of it: they change with every restart.
type Process struct {
	Exe       string // path of the executable, without the kernel's " (deleted)"; empty: it could not be read, as without root
	User      string // effective user, its number where it has no name; of a socket without a readable process its owner
	Unit      string // systemd's unit, "nginx.service"
	Container string // "docker:web", or the runtime alone where the name is not known
	Package   string // that owns the executable, without version; empty: none does
	SHA256    string // of the executable, in hexadecimal; only where the config asks for it
}

// Pointer returns a pointer to a copy of the process, nil for the zero Process: where
// most have none, as among 100,000 ports, none takes room.
func (p Process) Pointer() *Process {
	if p == (Process{}) {
		return nil
	}
	kept := p
	return &kept
}

func (p *Process) value() Process {
	if p == nil {
		return Process{}
	}
	return *p
}

// Known says whether the executable could be read; of any other process next to
// nothing can be said.
func (p Process) Known() bool { return p.Exe != "" }

// Name returns what a reader calls the process: the last part of its executable.
func (p Process) Name() string {
	if p.Exe == "" {
		return ""
	}
	return path.Base(p.Exe)
}

// String returns the process in one text, "nginx (www-data, nginx.service)". It
// is empty when nothing is known.
func (p Process) String() string {
	var about []string
	for _, text := range []string{p.User, p.Unit, p.Container} {
		if text != "" {
			about = append(about, text)
		}
	}
	switch {
	case p.Exe == "" && len(about) == 0:
		return ""
	case p.Exe == "":
		return "unknown (" + strings.Join(about, ", ") + ")"
	case len(about) == 0:
		return p.Name()
	}
	return p.Name() + " (" + strings.Join(about, ", ") + ")"
}

// Described returns all that is known in one text:
// "/usr/sbin/nginx as www-data, nginx.service, package nginx".
func (p Process) Described() string {
	if p.Exe == "" {
		return p.String()
	}
	words, owner := p.Exe, "of no package"
	if p.User != "" {
		words += " as " + p.User
	}
	if p.Package != "" {
		owner = "package " + p.Package
	}
	parts := []string{words, p.Unit, p.Container, owner}
	return strings.Join(slices.DeleteFunc(parts, func(t string) bool { return t == "" }), ", ")
}

// Change says how p differs from what stood there before: ProcessChanged for
// another program, user, unit, container or package, ProcessUpdated for the same
// program in another version, or the empty kind. A fact that is missing on either
// side is no difference: it may only be that nobody was allowed to read it.
func (p Process) Change(was Process) Kind {
	switch {
	case !p.Known() || !was.Known():
		if differ(p.User, was.User) {
			return ProcessChanged
		}
		return ""
	case !sameProgram(p.Exe, was.Exe),
		differ(p.User, was.User), differ(p.Unit, was.Unit), !sameContainer(p.Container, was.Container),
		differ(p.Package, was.Package) && !sameProgram(p.Package, was.Package):
		return ProcessChanged
	case differ(p.SHA256, was.SHA256) && p.Package == "":
		return ProcessChanged // the same path, other bytes, and no package that explains it
	case p.Exe != was.Exe || differ(p.Package, was.Package) || differ(p.SHA256, was.SHA256):
		return ProcessUpdated
	}
	return ""
}

// Or returns the process with what is missing taken from another look at the same
// listener: a look without the right to read takes nothing away.
func (p Process) Or(was Process) Process {
	if !p.Known() && was.Known() && !differ(p.User, was.User) {
		return was
	}
	if p.SHA256 == "" && p.Exe == was.Exe {
		p.SHA256 = was.SHA256
	}
	if strings.HasPrefix(was.Container, p.Container+":") {
		p.Container = was.Container // the runtime did not say the name this time
	}
	return p
}

// sameContainer says whether two containers are one, as far as their names are
// known: the runtime alone is any container of it.
func sameContainer(a, b string) bool {
	return a == b || a != "" && b != "" && (strings.HasPrefix(a, b+":") || strings.HasPrefix(b, a+":"))
}

// Fingerprint returns the first 16 bytes of the SHA-256 over all fields, each
// ended by a zero byte.
func (p Process) Fingerprint() Fingerprint {
	h := sha256.New()
	for _, field := range []string{p.Exe, p.User, p.Unit, p.Container, p.Package, p.SHA256} {
		h.Write([]byte(field))
		h.Write([]byte{0})
	}
	return Fingerprint(h.Sum(nil)[:16])
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

// sameProgram says whether two paths or packages differ by no more than what looks
// like a version or a hash: an upgrade from python3.11 to python3.12, another snap
// revision or another Nix store path is the same program.
func sameProgram(a, b string) bool {
	if a == b {
		return true
	}
	version := regexp.MustCompile(`[0-9a-z]{32}-|[0-9]+([.\-_+~][0-9]+)*`)
	return version.ReplaceAllString(a, "#") == version.ReplaceAllString(b, "#")
}
