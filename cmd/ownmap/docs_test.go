package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestReference holds docs/commands.md to the commands.
func TestReference(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: io.Discard, env: func(string) string { return "" }}
	if code := a.main(t.Context(), []string{"docs", "reference"}); code != 0 {
		t.Fatal(code)
	}
	kept, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, out.Bytes()) {
		t.Error("docs/commands.md is behind the commands: make generate")
	}
	for _, cmd := range []string{"run", "db serve", "targets import", "init"} {
		if !strings.Contains(out.String(), "# ownmap "+cmd+"\n") {
			t.Errorf("%s is not in it", cmd)
		}
	}
}

// TestManual has groff read every page, which tells what is wrong with it, and wants every key
// of the config in ownmap.yaml(5), and its text to be that of the example.
func TestManual(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := &app{stdout: io.Discard, stderr: io.Discard, env: func(string) string { return "" }}
	if code := a.main(t.Context(), []string{"docs", "man", dir, "../../config.example.yaml"}); code != 0 {
		t.Fatal(code)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "man?", "*"))
	if err != nil || len(pages) < 50 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	// All of them at once: what man would call for each.
	if out, err := exec.Command("groff", append([]string{"-man", "-Tutf8", "-ww", "-z", "-k"}, pages...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
	shown := map[string]string{}
	for _, page := range []string{"man1/ownmap.1", "man1/ownmap-run.1", "man5/ownmap.yaml.5"} {
		shown[filepath.Base(page)] = formatted(t, filepath.Join(dir, page))
	}
	holds(t, "ownmap-run(1)", shown["ownmap-run.1"], "NAME\n       ownmap-run - Scan the targets once", "ownmap run [TARGET...] [OPTIONS]", "-q, --quiet\n", "--config FILE\n", "ownmap run tag:prod\n", "ownmap(1), ownmap.yaml(5)")
	holds(t, "ownmap(1)", shown["ownmap.1"], "Exit codes: 0 done", "OWNMAP_CONFIG\n", "/etc/ownmap/ownmap.yaml\n", "ownmap-db(1)")
	lacks(t, "ownmap(1)", shown["ownmap.1"], "docs")
	example, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := yaml.Unmarshal(example, &keys); err != nil {
		t.Fatal(err)
	}
	config := shown["ownmap.yaml.5"]
	for key := range keys {
		holds(t, "ownmap.yaml(5)", config, "\n   "+key+"\n")
	}
	squeezed := strings.Join(strings.Fields(config), " ")
	for line := range strings.Lines(string(example)) {
		if text := strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "#")), " "); !strings.Contains(squeezed, strings.ReplaceAll(text, "`", "")) && !strings.Contains(squeezed, text) {
			t.Errorf("ownmap.yaml(5) lacks %q", text)
		}
	}
}

// formatted is a page as a terminal shows it.
func formatted(t *testing.T, page string) string {
	t.Helper()
	cmd := exec.Command("man", "--warnings", "-l", "-E", "UTF-8", "-P", "cat", page)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	cmd.Env = append(os.Environ(), "MANWIDTH=100", "MAN_KEEP_FORMATTING=", "LC_ALL=C.UTF-8", "TERM=dumb")
	text, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Errorf("%s: %v: %s", page, err, errs.String())
	}
	return string(text)
}
