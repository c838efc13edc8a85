package packaging

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/lab/doclab"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestImage holds what can be held without an engine: the image runs as nobody that is root, each
// COPY finds its file, and the program knows the commands that it is called with.
func TestImage(t *testing.T) {
	t.Parallel()
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(read(t, "Containerfile"), "")
	text = strings.ReplaceAll(text, "\\\n", "")
	steps := map[string][]string{}
	for line := range strings.Lines(text) {
		if word, rest, found := strings.Cut(strings.TrimSpace(line), " "); found {
			steps[word] = append(steps[word], rest)
		}
	}
	for _, word := range []string{"FROM", "USER", "ENTRYPOINT", "CMD", "HEALTHCHECK", "VOLUME", "COPY"} {
		if len(steps[word]) != 1 {
			t.Fatalf("%s: %q", word, steps[word])
		}
	}
	if user := steps["USER"][0]; !regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`).MatchString(user) {
		t.Errorf("USER %s: a number other than 0 says to everybody that it is not root", user)
	}
	if copied := steps["COPY"][0]; copied != "ownmap /usr/bin/ownmap" { // make image gives bin/ as the context
		t.Errorf("COPY %s", copied)
	}
	if !strings.Contains(read(t, "../../../Makefile"), "-f cmd/ownmap/packaging/Containerfile bin\n") {
		t.Error("make image gives another context")
	}
	reference := read(t, "../../../docs/commands.md")
	_, health, _ := strings.Cut(steps["HEALTHCHECK"][0], "CMD ")
	for _, call := range []string{steps["CMD"][0], health} {
		var words []string
		if err := json.Unmarshal([]byte(call), &words); err != nil {
			t.Fatalf("%s: %v", call, err) // the form with brackets needs no shell
		}
		if words[0] == "/usr/bin/ownmap" {
			words = words[1:]
		}
		if !strings.Contains(reference, "\n## ownmap "+words[0]+"\n") {
			t.Errorf("%s: there is no command %s", call, words[0])
		}
	}
}

// TestScriptsOfPackages has the shell read each script that dpkg and rpm run: Debian's sh is dash.
func TestScriptsOfPackages(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		if out, err := exec.Command("sh", "-n", name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&0o111 == 0 {
			t.Errorf("%s cannot be run: %v", name, err)
		}
	}
}

// TestEveryUnitIsStopped wants each unit in the script that ends them, so that no removal leaves
// one behind.
func TestEveryUnitIsStopped(t *testing.T) {
	t.Parallel()
	units, err := filepath.Glob("../systemd/*")
	if err != nil || len(units) == 0 {
		t.Fatal(units, err)
	}
	script := read(t, "prerm")
	for _, unit := range units {
		if name := strings.Replace(filepath.Base(unit), "@.", "@*.", 1); !strings.Contains(script, name) {
			t.Errorf("prerm does not stop %s", name)
		}
	}
}

// TestRelease holds the release to the packages: the same targets, and sums of all that it makes.
func TestRelease(t *testing.T) {
	t.Parallel()
	var release struct {
		Builds []struct {
			Goarch, Goos []string
			Hooks        struct{ Post []string }
		}
		Checksum struct {
			ExtraFiles []struct{ Glob string } `yaml:"extra_files"`
		}
		Archives []struct{ Formats []string }
		Sboms    []struct{ Args []string }
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../../.goreleaser.yaml")), &release); err != nil {
		t.Fatal(err)
	}
	build := release.Builds[0]
	if !slices.Equal(build.Goarch, []string{"amd64", "arm64"}) || !slices.Equal(build.Goos, []string{"linux"}) {
		t.Errorf("built for %q, %q", build.Goos, build.Goarch)
	}
	if len(build.Hooks.Post) != 1 || !strings.HasPrefix(build.Hooks.Post[0], "make deb rpm KEEP_MANUAL=1 ARCH={{.Arch}} ") {
		t.Errorf("packages: %q", build.Hooks.Post)
	}
	var sums []string
	for _, file := range release.Checksum.ExtraFiles {
		sums = append(sums, filepath.Ext(file.Glob))
	}
	if !slices.Equal(sums, []string{".deb", ".rpm", ".json"}) || !slices.Equal(release.Archives[0].Formats, []string{"tar.gz"}) || !slices.Contains(release.Sboms[0].Args, "sbom") {
		t.Errorf("sums of %q, archives %q, SBOM %q", sums, release.Archives, release.Sboms)
	}
}

// TestTarball installs from the folder of a release's tarball, as the handbook says, with nothing
// but what the release puts into it.
func TestTarball(t *testing.T) {
	t.Parallel()
	var release struct {
		Archives []struct{ Files []any }
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../../.goreleaser.yaml")), &release); err != nil {
		t.Fatal(err)
	}
	made := map[string][]string{ // by `make manual`
		"bin/manual/man1/*": {"ownmap.1", "ownmap-init.1"},
		"bin/manual/man5/*": {"ownmap.yaml.5"},
		"bin/completions/*": {"ownmap.bash", "ownmap.zsh", "ownmap.fish"},
	}
	folder, tree := t.TempDir(), t.TempDir()
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("ownmap", "the program")
	for _, file := range release.Archives[0].Files {
		if moved, ok := file.(map[string]any); ok {
			names, ok := made[moved["src"].(string)]
			if !ok {
				t.Errorf("nobody knows what is in %v", moved)
			}
			for _, name := range names {
				put(filepath.Join(moved["dst"].(string), name), name)
			}
			continue
		}
		found, err := filepath.Glob(filepath.Join("../../..", file.(string)))
		if err != nil || len(found) == 0 {
			t.Errorf("%v: %v", file, err)
		}
		for _, path := range found {
			put(strings.TrimPrefix(path, "../../../"), read(t, path))
		}
	}
	blocks, err := doclab.Read("../../../docs/handbook.md")
	if err != nil {
		t.Fatal(err)
	}
	install, rest := "", ""
	for _, b := range blocks {
		if b.Elsewhere == "tarball" {
			install, rest, _ = strings.Cut(b.Text, "\n")
		}
	}
	cmd := exec.Command("sh", "-euc", install+" DESTDIR="+tree)
	cmd.Dir, cmd.Env = folder, []string{"PATH=/usr/bin:/bin", "HOME=/", "LC_ALL=C"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", install, err, out)
	}
	for _, name := range []string{
		"bin/ownmap", "lib/systemd/system/ownmap.service", "lib/systemd/system/ownmap-worker@.service", "share/man/man1/ownmap-init.1.gz", "share/man/man5/ownmap.yaml.5.gz",
		"share/bash-completion/completions/ownmap", "share/doc/ownmap/examples/ownmap.yaml",
	} {
		if _, err := os.Stat(filepath.Join(tree, "usr/local", name)); err != nil {
			t.Error(err)
		}
	}
	if unit := read(t, filepath.Join(tree, "usr/local/lib/systemd/system/ownmap.service")); !strings.Contains(unit, "\nExecStart=/usr/local/bin/ownmap run") {
		t.Error("the unit starts another program")
	}
	// What a package does besides is what the handbook has the reader do.
	script := strings.Join(strings.Fields(strings.ReplaceAll(read(t, "postinst"), "\\\n", "")), " ")
	for line := range strings.Lines(rest) {
		if words, _, _ := strings.Cut(strings.TrimSpace(line), " ownmap"); strings.HasPrefix(line, "useradd ") && !strings.Contains(script, words) {
			t.Errorf("postinst does not say %s", words)
		}
	}
	if !strings.Contains(rest, "useradd ") {
		t.Errorf("nobody makes the user of the units:\n%s", rest)
	}
}

// TestVersionOfPackages wants what comes before a release to sort before it, for dpkg as for rpm.
func TestVersionOfPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=alice", "-c", "user.email=alice@example.org"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	version := func() string {
		t.Helper()
		cmd := exec.Command("make", "-n", "-C", "../../..", "deb", "PROGRAM=Makefile", "KEEP_MANUAL=1", "ARCH=amd64")
		cmd.Env = append(os.Environ(), "GIT_DIR="+filepath.Join(dir, ".git"))
		out, err := cmd.CombinedOutput()
		found := regexp.MustCompile(`PACKAGE_VERSION='([^']*)'`).FindSubmatch(out)
		if err != nil || found == nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(found[1])
	}
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "first")
	last := version()
	for _, tag := range []string{"v1.0.0-beta1", "v1.0.0-rc1", "", "v1.0.0", "", "v1.0.1"} {
		git("commit", "-q", "--allow-empty", "-m", "next")
		if tag != "" {
			git("tag", tag)
		}
		next := version()
		if strings.Contains(next, "-") || exec.Command("dpkg", "--compare-versions", last, "lt", next).Run() != nil {
			t.Errorf("%s does not sort before %s", last, next)
		}
		last = next
	}
	if !strings.Contains(read(t, "../../../.goreleaser.yaml"), `PACKAGE_VERSION={{replace .Version "-" "~"}} `) {
		t.Error("a release calls its packages otherwise")
	}
}
