package private_test

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ownmap/pipeline/persist/private"
)

func TestOtherMajorIsLeftUntouched(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	version := filepath.Join(dir, "pg", "data", "PG_VERSION")
	was, err := os.ReadFile(version)
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, version, strings.TrimSpace(string(was)), "9")
	before := tree(t, filepath.Join(dir, "pg"))
	_, err = startIn(t.Context(), dir)
	if !errors.Is(err, private.ErrWrongMajor) || !strings.Contains(err.Error(), "of PostgreSQL 9,") {
		t.Errorf("got %v", err)
	}
	if after := tree(t, filepath.Join(dir, "pg")); after != before {
		t.Errorf("data touched:\n%s\nwas:\n%s", after, before)
	}
}

func TestWhatIsNoDataDirectoryIsLeftUntouched(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	if err := os.Remove(filepath.Join(dir, "pg", "data", "PG_VERSION")); err != nil {
		t.Fatal(err)
	}
	before := tree(t, filepath.Join(dir, "pg"))
	if _, err := startIn(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "left untouched") {
		t.Errorf("got %v", err)
	}
	if after := tree(t, filepath.Join(dir, "pg")); after != before {
		t.Errorf("data touched:\n%s\nwas:\n%s", after, before)
	}
}

func TestLinksInTheServersRoomAreNotFollowed(t *testing.T) {
	t.Parallel()
	dir, victim := installed(t), t.TempDir()
	precious := filepath.Join(victim, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	pg := filepath.Join(dir, "pg")
	for name, target := range map[string]string{"data.init-1": victim, "data/postmaster.pid": precious} {
		if err := os.Symlink(target, filepath.Join(pg, name)); err != nil {
			t.Fatal(err)
		}
	}
	if server, err := startIn(t.Context(), dir); err == nil {
		stop(t, server)
	}
	if text, err := os.ReadFile(precious); string(text) != "x" {
		t.Errorf("the file behind the links is %q, %v", text, err)
	}
	if _, err := os.Lstat(filepath.Join(pg, "data.init-1")); err == nil {
		t.Error("the leftover is still there")
	}
}

func TestNoBinaries(t *testing.T) {
	dir := stateDir(t)
	t.Setenv("OWNMAP_PG_BIN", t.TempDir())
	_, err := startIn(t.Context(), dir)
	if !errors.Is(err, private.ErrNoBinaries) || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("got %v", err)
	}
}

func TestStateDirectoryOfOthers(t *testing.T) {
	t.Parallel()
	foreign, open := "/", filepath.Join(stateDir(t), "open") // root's, or not for root
	if err := os.MkdirAll(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		foreign = filepath.Join(stateDir(t), "foreign")
		if err := os.MkdirAll(foreign, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(foreign, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{foreign: "belongs to ", open: "writable by others"} {
		if _, err := startIn(t.Context(), dir); !errors.Is(err, private.ErrAccess) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", dir, err)
		}
	}
}

// TestClosedParent is for root alone; a normal user's server comes as far as its
// user does.
func TestClosedParent(t *testing.T) {
	t.Parallel()
	closed := stateDir(t)
	if err := os.MkdirAll(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	server, err := startIn(t.Context(), filepath.Join(closed, "state"))
	if os.Geteuid() != 0 {
		if err != nil {
			t.Fatal(err)
		}
		stop(t, server)
		return
	}
	if !errors.Is(err, private.ErrAccess) || !strings.Contains(err.Error(), "chmod o+x "+closed+"`") {
		t.Errorf("got %v", err)
	}
}

// TestAsNormalUser runs what differs between users once more as nobody, if root
// runs the tests. All of them pass for a normal user.
func TestAsNormalUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // this is that run
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	home := filepath.Dir(stateDir(t))
	if err := os.Chown(home, uid, gid); err != nil {
		t.Fatal(err)
	}
	// The binary lies where only root may go.
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(home, "private.test")
	// While a file is open for writing no other test may fork: the child would
	// inherit it, and the kernel refuses to run a file that somebody may write.
	syscall.ForkLock.RLock()
	err = os.WriteFile(binary, self, 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(binary, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=First|Killed|Reused|StateDirectory|Closed")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "TMPDIR="+home, "HOME="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
