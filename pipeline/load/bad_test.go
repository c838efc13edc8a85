package load

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBad reads every bad config testdata/bad/NAME.yaml and wants its mistakes as
// NAME.want has them, word for word. With UPDATE_GOLDEN set it writes them.
func TestBad(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d bad configs, want at least 25 (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Parse("ownmap.yaml", text, noEnv)
			var mistakes Errors
			if !errors.As(err, &mistakes) {
				t.Fatalf("no mistakes but %v", err)
			}
			if len(c.Targets) > 0 || c.Source() != "ownmap.yaml" {
				t.Errorf("a mistaken config is returned: %+v", c)
			}
			var single Error
			if !errors.As(err, &single) || single.Line < 1 || single != mistakes[0] {
				t.Errorf("the first mistake is %+v", single)
			}
			got := err.Error() + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".want"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
			if strings.Contains(got, "geheim") {
				t.Errorf("a message holds a password: %s", got)
			}
		})
	}
}
