package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInitSecretsOfRoot wants init to see what the service cannot read though root can, and to
// name what helps.
func TestInitSecretsOfRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Fatal("only root writes for another user: run the tests as root")
	}
	service := serviceUser("nobody")
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
	mine, closed := filepath.Join(dir, "smtp"), filepath.Join(dir, "closed", "smtp")
	for _, file := range []string{mine, closed} {
		write(t, file, []byte("secret"))
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const rights = "chown root:nobody FILE && chmod 640 FILE"
	for path, want := range map[string]string{
		mine:             "user nobody, whom the units run as, cannot read " + mine + ": `chown root:nobody " + mine + " && chmod 640 " + mine + "`",
		closed:           "cannot get into " + filepath.Dir(closed),
		"/root/.profile": "the units see nothing in /root",
	} {
		if _, err := os.Stat(path); err != nil {
			continue // no such file here
		}
		if err := service.reads(t.Context(), path, rights); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if err := os.Chown(mine, 0, service.gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(mine, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := service.reads(t.Context(), mine, rights); err != nil {
		t.Error(err)
	}
	if err := serviceUser("nobody-there").reads(t.Context(), closed, rights); err != nil {
		t.Errorf("where there is no service: %v", err)
	}
}

// TestInitWithoutUser wants init to switch on no unit that could not start, as `make install`
// leaves them, and to say what is missing.
func TestInitWithoutUser(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{stdout: &out}
	failed := a.offer(t.Context(), systemd{runs: true, installed: true}, initOptions{timer: true, service: serviceUser("nobody-there")}, "/etc/ownmap/ownmap.yaml")
	if !failed {
		t.Error("it is content")
	}
	holds(t, "init", out.String(), "FAIL  units   there is no user nobody-there", "`useradd --system ")
	lacks(t, "init", out.String(), "ok ")
}

// TestInitNamesTheDeliveries wants who begins the nights to hear of who sends what waits.
func TestInitNamesTheDeliveries(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{stdout: &out}
	a.offer(t.Context(), systemd{runs: true, installed: true}, initOptions{service: account{known: true}}, "/etc/ownmap/ownmap.yaml")
	holds(t, "init", out.String(), "`systemctl enable --now ownmap.timer ownmap-deliver.timer` scans every night")
}

// TestInitKnownHosts wants the file that `hostkeys accept` writes to be where the service may
// write.
func TestInitKnownHosts(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]string{"": "/etc/ownmap/known_hosts", "/var/lib/ownmap": "/var/lib/ownmap/known_hosts"} {
		o := initOptions{dir: "/etc/ownmap", state: state}
		o.SSHUser = "ownmap"
		if err := o.complete(); err != nil || o.KnownHosts != want {
			t.Errorf("%q: %s, %v, want %s", state, o.KnownHosts, err, want)
		}
	}
}
