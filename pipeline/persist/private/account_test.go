package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestRightsAreOfTheWorkAlone does work as nobody, if root runs it: what is root's
// is closed then, and the thread lives on, since what others started from it may
// have asked to die with it.
func TestRightsAreOfTheWorkAlone(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // nobody gives rights away that they do not have
	}
	nobody := account{name: "nobody", uid: 65534, gid: 65534, drop: true}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var thread string
	err := nobody.do(func() error {
		thread = fmt.Sprintf("/proc/self/task/%d", unix.Gettid())
		if _, err := os.ReadFile(secret); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("nobody reads root's file: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // a thread that is to end has ended long before
	if _, err := os.Stat(thread); err != nil {
		t.Errorf("the thread ended with the work: %v", err)
	}
	if _, err := os.ReadFile(secret); err != nil {
		t.Error(err)
	}
}
