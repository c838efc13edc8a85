package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/load"
)

// errReplaced stands for the program that takes this one's place.
var errReplaced = errors.New("replaced")

// becoming is a call by root whose state directory is the user nobody's, and what it would be
// replaced by.
func becoming(t *testing.T, env map[string]string) (a *app, args, environment *[]string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("only root's call goes on as another user: run the tests as root")
	}
	const nobody = 65534
	dir := t.TempDir()
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	args, environment = new([]string), new([]string)
	a = &app{
		stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, now: time.Now, stateDir: dir,
		env: func(name string) string { return env[name] },
		replace: func(_ string, with, in []string) error {
			*args, *environment = with, in
			return errReplaced
		},
	}
	return a, args, environment
}

// values returns all that an environment says of a variable.
func values(environment []string, name string) (found []string) {
	for _, pair := range environment {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			found = append(found, value)
		}
	}
	return found
}

// TestBecome wants root's call to go on as the user whose the state is, with that user's home,
// and with the name of who called.
func TestBecome(t *testing.T) {
	t.Setenv("HOME", "/root") // of two values the first would count
	t.Setenv("STATE_DIRECTORY", "/elsewhere")
	for caller, env := range map[string]map[string]string{"root": nil, "alice": {"SUDO_USER": "alice"}} {
		a, args, environment := becoming(t, env)
		if _, err := a.home(load.Default()); !errors.Is(err, errReplaced) {
			t.Fatalf("it stays root: %v", err)
		}
		if !slices.Contains(*args, "--reuid=65534") || !slices.Contains(*args, "--regid=65534") || !slices.Equal((*args)[len(*args)-len(os.Args)+1:], os.Args[1:]) {
			t.Errorf("called as %q", *args)
		}
		for name, want := range map[string]string{"HOME": "/nonexistent", "STATE_DIRECTORY": a.stateDir, "SUDO_USER": caller} {
			if got := values(*environment, name); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %q, want %q alone", name, got, want)
			}
		}
		if got := values(*environment, "PATH"); len(got) != 1 {
			t.Errorf("PATH: %q", got)
		}
	}
}

// TestBecomeReadsNothing wants import to go on as another user before it reads what it cannot
// read a second time.
func TestBecomeReadsNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	a, _, _ := becoming(t, nil)
	a.configFile = filepath.Join(t.TempDir(), "ownmap.yaml")
	if err := os.WriteFile(a.configFile, []byte("targets: [{hosts: 127.0.0.1}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader("<nmaprun>")
	a.stdin = in
	if err := a.importFiles(t.Context(), []string{"-"}, importOptions{vantage: "local"}); !errors.Is(err, errReplaced) {
		t.Errorf("it stays root: %v", err)
	}
	if in.Len() != len("<nmaprun>") {
		t.Error("it read its input, of which nothing is left for the user that it becomes")
	}
	if left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "ownmap-import-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}
