package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mostExposed is how much of the machine a unit may reach, as systemd-analyze rates it: from 0
// to 10, where 10 is all.
const mostExposed = 4.0

// TestUnits has systemd read each unit, and rate those that run something.
func TestUnits(t *testing.T) {
	t.Parallel()
	units, err := filepath.Glob("systemd/*")
	if err != nil || len(units) < 7 {
		t.Fatalf("units: %q, %v", units, err)
	}
	dir := t.TempDir()
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		// What is not installed here cannot be judged: the program, and the pages of its manual.
		plain := regexp.MustCompile(`(?m)^Documentation=.*\n`).ReplaceAllString(string(text), "")
		plain = strings.ReplaceAll(plain, "/usr/bin/ownmap ", "/bin/true ")
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(unit)), []byte(plain), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, unit := range units {
		name := filepath.Base(unit)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if faults := verifyUnit(t.Context(), dir, name); faults != "" {
				t.Errorf("systemd-analyze verify: %s", faults)
			}
			if filepath.Ext(name) != ".service" {
				return
			}
			if exposed := exposure(t, unit); exposed > mostExposed {
				t.Errorf("exposure %.1f, more than %.1f: `systemd-analyze security --offline=true %s` says why", exposed, mostExposed, unit)
			}
			everyLineHasAReason(t, unit)
		})
	}
	if exposed := exposure(t, bareUnit(t)); exposed <= mostExposed {
		t.Errorf("a unit without any protection is rated %.1f: this test could not fail", exposed)
	}
}

// verifyUnit returns what systemd finds wrong with a unit, among the others.
func verifyUnit(ctx context.Context, dir, name string) string {
	path := filepath.Join(dir, strings.Replace(name, "@.", "@dmz.", 1))
	if strings.Contains(name, "@.") {
		if err := os.Symlink(name, path); err != nil {
			return err.Error()
		}
	}
	cmd := exec.CommandContext(ctx, "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return err.Error() + ": " + string(text)
	}
	return string(text)
}

// exposure returns systemd's rating of a unit file.
func exposure(t *testing.T, path string) float64 {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", path)
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+) `).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no rating in\n%s", text)
	}
	rating, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return rating
}

func bareUnit(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bare.service")
	if err := os.WriteFile(path, []byte("[Service]\nExecStart=/bin/true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// everyLineHasAReason wants a comment above each group of lines of [Service].
func everyLineHasAReason(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, service, _ := strings.Cut(string(text), "[Service]\n")
	service, _, _ = strings.Cut(service, "\n[")
	obvious := regexp.MustCompile(`^(Type|ExecStart|Restart|RestartSec|Group|SystemCallErrorNumber)=`)
	commented := false
	for line := range strings.Lines(service) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "#"):
			commented = true
		case line == "":
			commented = false
		case !commented && !obvious.MatchString(line):
			t.Errorf("%s: %s: nobody says why", path, line)
		}
	}
}
