package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ownmap/pipeline/lab/doclab"
	"ownmap/pipeline/lab/smtplab"
	"ownmap/pipeline/lab/sshlab"
)

// documentEnv names the document that a process of TestDocuments follows.
const documentEnv = "OWNMAP_DOCUMENT"

// TestDocuments does what the documents say, each from its first line to its last, on a
// machine of its own: all commands run, all configs are taken, and what commands are shown
// to print is what they print, but for numbers. The network of each is that of the examples:
// hosts with a real sshd, and a real mail server.
func TestDocuments(t *testing.T) {
	t.Parallel()
	if document := os.Getenv(documentEnv); document != "" {
		follow(t, document)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []string{"README.md", "docs/handbook.md"} {
		t.Run(filepath.Base(document), func(t *testing.T) {
			t.Parallel()
			cmd := doclab.Isolated(t.Context(), self, "-test.run", "^TestDocuments$", "-test.v")
			cmd.Env = append(os.Environ(), documentEnv+"="+document)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// follow does what a document says.
func follow(t *testing.T, document string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := doclab.Read(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	address := func(s string) sshlab.Options {
		return sshlab.Options{Address: netip.MustParseAddr(s)}
	}
	farm := sshlab.StartIn(t, netip.MustParsePrefix("10.20.0.0/24"), address("10.20.0.5"), address("10.20.0.7"))
	mail := smtplab.Start(t, smtplab.Options{Host: "127.0.0.2", Port: 587, Names: []string{"smtp.example.org"}, Mechanisms: []string{"PLAIN"}, User: "ownmap", Password: "secret"})
	m := doclab.NewMachine(t)
	const authority = "/usr/share/mail-ca.pem" // for all users to read
	if err := os.WriteFile(authority, read(t, mail.CAFile(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	m.Env = []string{"SSL_CERT_FILE=" + authority, "OWNMAP_SOURCE=" + root, "HEARTBEAT=0b1c"}
	furnish(t, farm)
	r := reader{t: t, machine: m, source: root, document: document}
	if strings.HasSuffix(document, "handbook.md") {
		r.install()
	}
	for _, b := range blocks {
		r.read(b)
	}
}

// furnish gives the machine what a reader's has: the program and its units, names, and the
// command `on`, by which only the test gets into the hosts.
func furnish(t *testing.T, farm *sshlab.Farm) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	var on strings.Builder
	on.WriteString("#!/bin/sh\ncase $1 in\n")
	for _, h := range farm.Hosts {
		fmt.Fprintf(&on, "%s) host=%d;;\n", h.Address, h.Process())
	}
	on.WriteString("esac\nshift\nexec nsenter -t $host -a /bin/sh -c \"$*\"\n")
	for name, text := range map[string]string{
		"/usr/bin/ownmap": string(program),
		"/usr/bin/on":     on.String(),
		"/etc/hosts":      "127.0.0.1 localhost\n127.0.0.2 smtp.example.org\n10.20.0.5 files.example.org\n10.20.0.7 web.example.org\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	units, err := filepath.Glob("systemd/*")
	if err != nil || len(units) == 0 {
		t.Fatalf("no units: %v", err)
	}
	for _, unit := range units {
		write(t, filepath.Join("/usr/lib/systemd/system", filepath.Base(unit)), read(t, unit))
	}
}

// install makes of the machine what a package makes of it: from here on commands and units
// are those of the user ownmap. The README is read by whoever has no package yet.
func (r *reader) install() {
	script := filepath.Join(r.source, "cmd/ownmap/packaging/postinst")
	commands := "install -d -m 750 /etc/ownmap; rm -rf /var/lib/ownmap; umask 022; sh " + script + " configure ''"
	if stdout, stderr, exit, err := r.machine.Do(r.t.Context(), commands); err != nil || exit != 0 {
		r.t.Fatalf("postinst: %v, exit code %d\n%s%s", err, exit, stdout, stderr)
	}
}

// reader follows a document.
type reader struct {
	t        *testing.T
	machine  *doclab.Machine
	source   string // the folder of the project
	document string
}

// read does what one block says.
func (r *reader) read(b doclab.Block) {
	switch b.Kind {
	case doclab.Heading:
		if b.Level <= 2 {
			r.machine.EndBackground()
		}
	case doclab.Given, doclab.Then:
		r.do(b)
	case doclab.Shell:
		switch {
		case b.Elsewhere != "":
			r.elsewhere(b)
		case b.Background:
			if err := r.machine.Begin(r.t.Context(), b.Text); err != nil {
				r.fatal(b, err.Error())
			}
		default:
			r.do(b)
		}
	case doclab.Console:
		r.transcript(b)
	case doclab.YAML:
		r.config(b)
	case doclab.Text:
	}
}

// elsewhere holds that a block that another test runs is run by it: what "ci" is called
// stands in .ci/run, and what "package" and "tarball" are called the tests of the packages read
// from here.
func (r *reader) elsewhere(b doclab.Block) {
	switch b.Elsewhere {
	case "ci":
		script := string(read(r.t, filepath.Join(r.source, ".ci/run")))
		for line := range strings.Lines(b.Text) {
			command, _, _ := strings.Cut(line, "#")
			if !strings.Contains(script, strings.TrimSpace(command)) {
				r.fatal(b, ".ci/run does not run it")
			}
		}
	case "package", "tarball":
	default:
		r.fatal(b, "no test is called "+b.Elsewhere)
	}
}

// do runs commands.
func (r *reader) do(b doclab.Block) {
	stdout, stderr, exit, err := r.machine.Do(r.t.Context(), b.Text)
	if err != nil || exit != b.Exit {
		r.fatal(b, "exit code "+strconv.Itoa(exit)+", want "+strconv.Itoa(b.Exit)+"\n"+stdout+stderr)
	}
}

// transcript runs the commands of a block and compares what they print.
func (r *reader) transcript(b doclab.Block) {
	var command string
	var want []string
	check := func() {
		if command == "" {
			return
		}
		stdout, stderr, _, err := r.machine.Do(r.t.Context(), command)
		if got := strings.Split(stdout, "\n"); err != nil || !alike(want, got) {
			r.fatal(b, "$ "+command+"\nprints\n"+stdout+stderr+"\nand is shown to print\n"+strings.Join(want, "\n"))
		}
	}
	for line := range strings.Lines(b.Text) {
		line = strings.TrimSuffix(line, "\n")
		if next, isCommand := strings.CutPrefix(line, "$ "); isCommand {
			check()
			command, want = next, nil
			continue
		}
		want = append(want, line)
	}
	check()
}

// changing is what may differ between what is shown and what is printed, numbers, hashes and
// the version of a system's SSH: so may the width of columns, which depends on them.
var changing = regexp.MustCompile(`OpenSSH [^(]*|\b[0-9a-f]{12,}\b|[0-9]+`)

// alike says whether lines are the same but for what changes, space and empty lines.
func alike(a, b []string) bool {
	plain := func(lines []string) (out []string) {
		for _, line := range lines {
			if fields := strings.Fields(changing.ReplaceAllString(line, "0")); len(fields) > 0 {
				out = append(out, strings.Join(fields, " "))
			}
		}
		return out
	}
	return strings.Join(plain(a), "\n") == strings.Join(plain(b), "\n")
}

// config has the program read a config.
func (r *reader) config(b doclab.Block) {
	file := cmp.Or(b.File, "/run/part.yaml")
	if !filepath.IsAbs(file) {
		file = filepath.Join("/root", file)
	}
	write(r.t, file, []byte(b.Text)) // one that is there keeps its owner and mode, as in an editor
	if stdout, stderr, exit, err := r.machine.Do(r.t.Context(), "ownmap --config "+file+" config show"); err != nil || exit != 0 {
		r.fatal(b, "it is not taken:\n"+stdout+stderr)
	}
}

func (r *reader) fatal(b doclab.Block, why string) {
	r.t.Helper()
	r.t.Fatalf("%s:%d: %s\n%s", r.document, b.Line, strings.TrimSpace(b.Text), why)
}
