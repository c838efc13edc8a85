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
