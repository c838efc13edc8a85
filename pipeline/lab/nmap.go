package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// FakeNmap is a program that stands in for nmap: it records how it was called
// and then does what a test wants.
type FakeNmap struct {
	Path string // the program
	dir  string
}

// NewFakeNmap makes a fake nmap whose body is a piece of sh(1). $DIR in it is the
// directory of the given files, by name. Asked for nothing (an empty list of
// targets), it answers as nmap does, so that it can be asked for the top ports.
func NewFakeNmap(tb testing.TB, body string, files map[string]string) FakeNmap {
	tb.Helper()
	f := FakeNmap{dir: tb.TempDir()}
	f.Path = filepath.Join(f.dir, "nmap")
	// While a file is open for writing no other test may fork: the child would
	// inherit it, and the kernel refuses to run a file that somebody may write.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for name, text := range files {
		f.write(tb, name, text, 0o600)
	}
	f.write(tb, "dry.xml", dryRun, 0o600)
	f.write(tb, "nmap", strings.ReplaceAll(fakeHead, "@DIR@", f.dir)+body+"\n", 0o700)
	return f
}

const fakeHead = `#!/bin/sh
DIR='@DIR@'
printf '%s\n' "$@" > "$DIR/call.$$"
case " $* " in *" -iL /dev/null "*) cat "$DIR/dry.xml"; exit 0;; esac
while [ $# -gt 1 ]; do [ "$1" = -iL ] && TARGETS=$2; shift; done
cp "$TARGETS" "$DIR/targets.$$"
`

const dryRun = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="nmap" start="1700000000" version="7.93" xmloutputversion="1.05">
<scaninfo type="connect" protocol="tcp" numservices="5" services="21-23,80,443"/>
<runstats><finished time="1700000000" elapsed="0.01" exit="success"/><hosts up="0" down="0" total="0"/></runstats>
</nmaprun>
`

func (f FakeNmap) write(tb testing.TB, name, text string, mode os.FileMode) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), mode); err != nil {
		tb.Fatal(err)
	}
}

// Calls returns the arguments of every call.
func (f FakeNmap) Calls(tb testing.TB) [][]string {
	tb.Helper()
	return f.recorded(tb, "call.*")
}

// Targets returns the lines of the list of targets of every call that had one.
func (f FakeNmap) Targets(tb testing.TB) [][]string {
	tb.Helper()
	return f.recorded(tb, "targets.*")
}

// File returns the text of a file that the body wrote into $DIR, or nothing.
func (f FakeNmap) File(name string) string {
	text, _ := os.ReadFile(filepath.Join(f.dir, name))
	return strings.TrimSpace(string(text))
}

func (f FakeNmap) recorded(tb testing.TB, pattern string) [][]string {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(f.dir, pattern))
	if err != nil {
		tb.Fatal(err)
	}
	var out [][]string
	for _, name := range slices.Sorted(slices.Values(names)) {
		text, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
	}
	return out
}
